import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { historyJson, lastChange } from '../replay/history.js';
import { momentText } from '../replay/log.js';
import { subjectAt, subjectText } from '../replay/subjects.js';
import { readingLog } from './log/open.js';
import { QUESTION, virtualQuestionOf, sayIfReplayed } from './log/subject.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';
import { changeText } from './show/history.js';
import { clockOf } from '../replay/clock.js';

export const last = command({
  about:
    'Shows the last change of an address, a range, a program or a pack at or before a moment, with the calls around it.',
  arguments: QUESTION,
  options: [],
  examples: [
    {
      line: 'pagetrail last 0xffffffffc0000640 S1@300',
      does: 'what happened last, up to event 300, to that page or to what lies there',
    },
  ],
  values: v.object({ what: text, moment: text }),
  run: (context, { what, moment }) =>
    readingLog(context, (log) => {
      const question = virtualQuestionOf(log, what, moment);
      if (!question.ok) return question;
      const { trace, subject } = question.value;
      const to = question.value.moment;
      const change = lastChange(trace, subject, to.seq);
      if (!change.ok) return change;
      const item = change.value;
      if (context.settings.json)
        context.printJson({
          trace: trace.name,
          seq: to.seq,
          subject: subjectText(subject),
          change: item === null ? null : historyJson(item),
        });
      else if (item === null)
        context.print(`${subjectAt(subject, to.seq)}: no change up to ${momentText(to)}`);
      else
        context.print(
          context.style.bold(subjectAt(subject, to.seq)),
          '',
          ...changeText(context, clockOf(trace), item),
        );
      sayIfReplayed(context, trace);
      return ok(Exit.nothing);
    }),
});
