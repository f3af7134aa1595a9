import type { Context } from '../console/context.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { Log, Moment, TraceView } from '../../replay/log.js';
import { notInDirectMap } from '../../replay/directMap.js';
import { subjectOf, type Subject } from '../../replay/subjects.js';

/** What a command asks about, and when. */
export interface Question {
  readonly trace: TraceView;
  readonly moment: Moment;
  readonly subject: Subject;
}

/** Finds the moment, then the address, program or pack that is meant in its trace. */
export function questionOf(log: Log, subject: string, moment: string): Result<Question> {
  const found = log.moment(moment);
  if (!found.ok) return found;
  const meant = subjectOf(found.value.trace, subject);
  return meant.ok ? ok({ ...found.value, subject: meant.value }) : meant;
}

/** The same of virtual memory: an alias in the direct map is refused, and what it is the alias of is said. */
export function virtualQuestionOf(log: Log, subject: string, moment: string): Result<Question> {
  const question = questionOf(log, subject, moment);
  if (!question.ok) return question;
  const direct = notInDirectMap(question.value.trace, question.value.subject.start);
  return direct.ok ? question : direct;
}

/** How the two arguments are described wherever a command takes them. */
export const QUESTION = [
  [
    '<what>',
    'address (0xffffffffc0000000), range (0xSTART-0xEND), program (id, tag, name, symbol, program:NUMBER) or pack:ADDRESS',
  ],
  ['<moment>', 'TRACE or TRACE@WHERE'],
] as const;

/** Says so where the answer had to be found by reading the log. */
export const sayIfReplayed = (context: Context, trace: TraceView): void => {
  const index = trace.index();
  if (index.ok && index.value === null)
    context.remark(
      '',
      'Found by replay: the derived tables of this trace are missing or behind. The next import or simulate into this log makes them again.',
    );
};
