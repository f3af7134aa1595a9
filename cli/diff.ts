import { basename } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import { comparisonLines } from '../replay/compareLines.js';
import { compareLongTraces } from '../replay/compareLongTraces.js';
import { comparisonSarif } from '../replay/compare/sarif.js';
import { grouped } from '../replay/numbers.js';
import { momentText, type Log } from '../replay/log.js';
import { diffSections } from '../replay/diffSections.js';
import type { Context } from './console/context.js';
import { progress } from './console/progress.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, flag, oneOf, text } from './program/values.js';
import { version } from './program/version.js';
import { diffOfStates, exitOfDiff } from './show/diffed.js';
import { sectionLines } from './show/sections.js';

const MOST = 20;
const CONTEXT = 5;

interface Shown {
  readonly all: boolean;
  readonly format: 'text' | 'json' | 'sarif';
  readonly context: number;
}

/** Two traces: what their kernels did otherwise. */
async function tracesDiff(
  context: Context,
  log: Log,
  [a, b]: readonly [string, string],
  { all, format, context: around }: Shown,
): Promise<Result<Exit>> {
  const left = log.trace(a);
  if (!left.ok) return left;
  const right = log.trace(b);
  if (!right.ok) return right;
  const shown = progress(context);
  const found = await compareLongTraces(log.file, left.value, right.value, {
    context: around,
    progress: (seqs) =>
      shown.at(
        () =>
          `comparing event ${grouped(seqs.a)} of ${grouped(left.value.info.events)} with event ${grouped(seqs.b)} of ${grouped(right.value.info.events)}`,
      ),
  });
  shown.end();
  if (!found.ok) return found;
  const { differences, unknown } = found.value;
  const exit = differences > 0 ? Exit.findings : unknown ? Exit.unknown : Exit.nothing;
  if (format === 'sarif')
    context.printJson(
      comparisonSarif(found.value, { version: version(), file: basename(log.file), exitCode: exit }),
    );
  else if (format === 'json' || context.settings.json) context.printJson(found.value);
  else {
    const { columns } = context.stdout;
    const how = { all, most: MOST, style: context.style, ...(columns === undefined ? {} : { columns }) };
    context.print(...comparisonLines(found.value, how));
  }
  return ok(exit);
}

export const diff = command({
  about:
    'With moments (an @ in one of them): what differs in executable memory from the first to the second. With two traces: what ' +
    'their kernels did otherwise, pointers renamed and choices left out: the first difference side by side with what is around it, the others by ' +
    'their pattern with the calls they are in, then how many there are of each kind. Exit code 1 when there are any differences, 4 when there are none but ' +
    'events were lost or something that matters is unknown.',
  arguments: [
    ['<a>', 'a moment (TRACE@WHERE) or a trace'],
    ['<b>', 'another one'],
  ],
  options: [
    [
      '--all',
      `all lines of each list (default: the first ${MOST}); of two traces, each difference side by side`,
    ],
    ['--context <n>', `of two traces: steps shown around a difference (default: ${CONTEXT})`],
    ['--format <format>', 'of two traces: text (default), json or sarif (SARIF 2.1.0)'],
  ],
  examples: [
    { line: "pagetrail diff 'S1@#loaded8' 'S1@#freed3'", does: 'what three freed programs left' },
    {
      line: 'pagetrail diff rc3-S8 rc3-packv2-S8',
      does: 'what a patch series changed in what the kernel does',
    },
    {
      line: 'pagetrail diff base patched --format sarif > diff.sarif',
      does: 'for CI: exit code 0 nothing differs, 1 differences, 4 something was lost',
    },
  ],
  values: v.object({
    a: text,
    b: text,
    all: flag,
    context: v.optional(count, String(CONTEXT)),
    format: v.optional(oneOf(['text', 'json', 'sarif']), 'text'),
  }),
  run: (context, { a, b, all, context: around, format }) =>
    readingLog(context, (log) => {
      if (!a.includes('@') && !b.includes('@'))
        return tracesDiff(context, log, [a, b], { all, format, context: around });
      if (format === 'sarif')
        return fail(
          'bad-value',
          'a diff of two moments is no SARIF',
          undefined,
          'name two traces, or use --json',
        );
      const from = log.moment(a);
      if (!from.ok) return from;
      const to = log.moment(b);
      if (!to.ok) return to;
      const found = diffOfStates(from.value, to.value);
      if (!found.ok) return found;
      const { diff: shown, open } = found.value;
      if (format === 'json' || context.settings.json)
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
