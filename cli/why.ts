import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { clockOf } from '../replay/clock.js';
import { whyLines } from '../replay/historyLines.js';
import { subjectAt } from '../replay/subjects.js';
import { why as whyOf, whyJson } from '../replay/why.js';
import { readingLog } from './log/open.js';
import { QUESTION, questionOf, sayIfReplayed } from './log/subject.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

export const why = command({
  about:
    'Explains the present permission, alias and content of an address (of a program or pack: of its first byte) at a moment: the event that made it so, the ' +
    'calls around that event, the marker before it, or where knowledge ends.',
  arguments: QUESTION,
  options: [],
  examples: [
    {
      line: "pagetrail why 0xffffffffc0000640 'S1@#loaded8'",
      does: 'who made this page executable, who wrote it',
    },
  ],
  values: v.object({ what: text, moment: text }),
  run: (context, { what, moment }) =>
    readingLog(context, (log) => {
      const question = questionOf(log, what, moment);
      if (!question.ok) return question;
      const { trace, subject } = question.value;
      const address = subject.kind === 'address' ? subject.address : subject.start;
      const answer = whyOf(trace, address, question.value.moment.seq);
      if (!answer.ok) return answer;
      if (context.settings.json) context.printJson(whyJson(answer.value));
      else
        context.print(
          ...(subject.kind === 'address' ? [] : [subjectAt(subject, question.value.moment.seq)]),
          ...whyLines(answer.value, clockOf(trace)),
        );
      sayIfReplayed(context, trace);
      const { page, gone, direct_map: direct, alias } = answer.value;
      const known = page !== null || gone !== null || (direct !== null && alias !== null);
      return ok(known ? Exit.nothing : Exit.unknown);
    }),
});
