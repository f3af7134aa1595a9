import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { clockOf } from '../replay/clock.js';
import { firstChange, historyJson } from '../replay/history.js';
import { momentText } from '../replay/log.js';
import { subjectText } from '../replay/subjects.js';
import { readingLog } from './log/open.js';
import { QUESTION, virtualQuestionOf, sayIfReplayed } from './log/subject.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';
import { changeText } from './show/history.js';

export const first = command({
  about:
    'Shows the first change of an address, a range, a program or a pack after a moment, with the calls around it. A trace alone means its start.',
  arguments: QUESTION,
  options: [],
  examples: [
    {
      line: 'pagetrail first 0xffffffffc0000640 S1@300',
      does: 'what happened first, after event 300, to that page or to what lies there',
    },
  ],
  values: v.object({ what: text, moment: text }),
  run: (context, { what, moment }) =>
    readingLog(context, (log) => {
      const question = virtualQuestionOf(log, what, moment.includes('@') ? moment : `${moment}@start`);
      if (!question.ok) return question;
      const { trace, subject } = question.value;
      const from = question.value.moment;
      const change = firstChange(trace, subject, from.seq);
      if (!change.ok) return change;
      const item = change.value;
      if (context.settings.json)
        context.printJson({
          trace: trace.name,
          seq: from.seq,
          subject: subjectText(subject),
          change: item === null ? null : historyJson(item),
        });
      else if (item === null) context.print(`${subjectText(subject)}: no change after ${momentText(from)}`);
      else
        context.print(
          context.style.bold(subjectText(subject)),
          '',
          ...changeText(context, clockOf(trace), item),
        );
      sayIfReplayed(context, trace);
      return ok(Exit.nothing);
    }),
});
