import * as v from 'valibot';
import { ok } from '../core/value/failure.js';
import { bisect as search, bisectJson } from '../replay/bisect.js';
import { clockOf } from '../replay/clock.js';
import { grouped } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, text } from './program/values.js';
import { bisectedLines } from './show/bisected.js';

const EXITS = { becomes: Exit.findings, already: Exit.findings, never: Exit.nothing, unknown: Exit.unknown };

export const bisect = command({
  about:
    'Finds the first event after which a predicate over memory is true, with the calls around it and what each part of the predicate was before and after. The ' +
    'language is described in docs/bisect.md. Where the predicate reads only pages, areas, programs and rules, the tables tell which events matter; else all are looked at. ' +
    'With --monotone, the word of the user that it becomes true once and stays so, the moment is found by halves. Exit code 1: there is such a moment, 0: there is ' +
    'none, 4: it is not known.',
  arguments: [['<trace>', 'name of a trace']],
  options: [
    ['--when <expression>', 'what to look for'],
    ['--from <where>', 'from this moment on (start)'],
    ['--to <where>', 'up to this moment (end)'],
    ['--monotone', 'it goes from not true to true once: search by halves, checked at both ends'],
  ],
  examples: [
    {
      line: "pagetrail bisect S1 --when 'page(0xffffffffc0000640).x && page(0xffffffffc0000640).w'",
      does: 'the first moment at which that page is writable and executable',
    },
    { line: `pagetrail bisect S1 --when 'prog("p1_16").state == "freed"'`, does: 'what freed a program' },
    { line: "pagetrail bisect S1 --when 'level2_splits > 10' --monotone", does: 'by halves' },
  ],
  values: v.object({
    trace: text,
    when: text,
    from: v.optional(text, 'start'),
    to: v.optional(text, 'end'),
    monotone: flag,
  }),
  run: (context, { trace: name, when, from, to, monotone }) =>
    readingLog(context, (log) => {
      const trace = log.trace(name);
      if (!trace.ok) return trace;
      const shown = progress(context);
      const { events } = trace.value.info;
      const found = search(trace.value, when, {
        from,
        to,
        monotone,
        progress: (seq) => shown.at(() => `looking at event ${grouped(seq)} of ${grouped(events)}`),
      });
      shown.end();
      if (!found.ok) return found;
      if (context.settings.json) context.printJson(bisectJson(found.value));
      else context.print(...bisectedLines(context, found.value, clockOf(trace.value)));
      return ok(EXITS[found.value.outcome]);
    }),
});
