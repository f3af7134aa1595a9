import * as v from 'valibot';
import { ok, type Result } from '../core/value/failure.js';
import { compareTraces } from '../replay/compareTraces.js';
import { momentText, type Log } from '../replay/log.js';
import { diffSections } from '../replay/diffSections.js';
import type { Context } from './console/context.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, text } from './program/values.js';
import { comparisonLines } from './show/comparison.js';
import { diffOfStates, exitOfDiff } from './show/diffed.js';
import { sectionLines } from './show/sections.js';

const MOST = 20;

/** Two traces: what their kernels did otherwise. */
function tracesDiff(context: Context, log: Log, a: string, b: string, most: number): Result<Exit> {
  const left = log.trace(a);
  if (!left.ok) return left;
  const right = log.trace(b);
  if (!right.ok) return right;
  const found = compareTraces(left.value, right.value);
  if (!found.ok) return found;
  const { differences, unknown } = found.value;
  if (context.settings.json) context.printJson(found.value);
  else context.print(...comparisonLines(context, found.value, most));
  return ok(differences > 0 ? Exit.findings : unknown ? Exit.unknown : Exit.nothing);
}

export const diff = command({
  about:
    'With moments (an @ in one of them): what differs in executable memory from the first to the second. With two traces: the first semantic difference of ' +
    'what their kernels did, pointers renamed and choices left out, with the calls around it. Exit code 1 when there are any differences, 4 when there are none but ' +
    'events were lost or something that matters is unknown.',
  arguments: [
    ['<a>', 'a moment (TRACE@WHERE) or a trace'],
    ['<b>', 'another one'],
  ],
  options: [['--all', `all lines of each list (default: the first ${MOST})`]],
  examples: [
    { line: "pagetrail diff 'S1@#loaded8' 'S1@#freed3'", does: 'what three freed programs left' },
    {
      line: 'pagetrail diff rc3-S8 rc3-packv2-S8',
      does: 'what a patch series changed in what the kernel does',
    },
  ],
  values: v.object({ a: text, b: text, all: flag }),
  run: (context, { a, b, all }) =>
    readingLog(context, (log) => {
      if (!a.includes('@') && !b.includes('@')) return tracesDiff(context, log, a, b, all ? Infinity : MOST);
      const from = log.moment(a);
      if (!from.ok) return from;
      const to = log.moment(b);
      if (!to.ok) return to;
      const found = diffOfStates(from.value, to.value);
      if (!found.ok) return found;
      const { diff: shown, open } = found.value;
      if (context.settings.json)
        context.printJson({ from: found.value.from, to: found.value.to, open, ...shown });
      else
        context.print(
          context.style.bold(`${momentText(found.value.from)} → ${momentText(found.value.to)}`),
          ...sectionLines(context, diffSections(shown), all ? Infinity : MOST),
          ...(open
            ? [
                '',
                context.style.odd(
                  'Events were lost between them, or something that matters is unknown: there may be more.',
                ),
              ]
            : []),
        );
      return ok(exitOfDiff(found.value));
    }),
});
