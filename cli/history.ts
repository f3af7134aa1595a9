import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { history as changesOf, historyJson, type HistoryItem } from '../replay/history.js';
import { momentText } from '../replay/log.js';
import { subjectAt, subjectText } from '../replay/subjects.js';
import { plural } from '../replay/numbers.js';
import { readingLog } from './log/open.js';
import { QUESTION, virtualQuestionOf, sayIfReplayed } from './log/subject.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text as given } from './program/values.js';
import { changeText } from './show/history.js';
import { clockOf } from '../replay/clock.js';

/** Characters gathered before they are written. */
const WRITTEN_AT_ONCE = 1 << 14;

export const history = command({
  about:
    'Lists every change of the permission, page size, frame, alias or content of an address, a range, a program or a pack, up to a moment, each with the calls ' +
    'around it and the marker before it. Of an address: what happened to its page, and to the program and content at the address itself; where it begins a ' +
    'page, in all of the page.',
  arguments: QUESTION,
  options: [],
  examples: [
    {
      line: 'pagetrail history 0xffffffffc0000640 S1',
      does: 'the page of that address, and what was loaded, copied and filled there',
    },
    { line: "pagetrail history p1_16 'S1@#loaded8'", does: 'a program, up to a marker' },
  ],
  values: v.object({ what: given, moment: given }),
  run: (context, { what, moment }) =>
    readingLog(context, async (log) => {
      const question = virtualQuestionOf(log, what, moment);
      if (!question.ok) return question;
      const { trace, subject } = question.value;
      const to = question.value.moment;
      const clock = clockOf(trace);
      const items: HistoryItem[] = [];
      let text = '';
      const flush = async (): Promise<void> => {
        if (text !== '') await context.write(text);
        text = '';
      };
      if (!context.settings.json) context.print(context.style.bold(subjectAt(subject, to.seq)), '');
      for (const item of changesOf(trace, subject, { to: to.seq })) {
        if (!item.ok) {
          await flush();
          return item;
        }
        if (context.settings.json) items.push(item.value);
        else {
          text += `${changeText(context, clock, item.value).join('\n')}\n`;
          if (text.length >= WRITTEN_AT_ONCE) await flush();
        }
        if (!context.settings.json) items.length++;
      }
      await flush();
      if (context.settings.json)
        context.printJson({
          trace: trace.name,
          seq: to.seq,
          subject: subjectText(subject),
          changes: items.map(historyJson),
        });
      else context.remark('', `${plural(items.length, 'change')} up to ${momentText(to)}`);
      sayIfReplayed(context, trace);
      return ok(Exit.nothing);
    }),
});
