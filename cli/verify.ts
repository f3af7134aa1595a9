import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { Store, VerifyReport } from '../store/index.js';
import type { Context } from './console/context.js';
import { grouped, percent } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { pairs, table } from './console/table.js';
import { reading } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { hash, text } from './program/values.js';

function rootLine({ kept, events }: VerifyReport, context: Context): string {
  if (kept === null)
    return 'not given: damage would show, forgery shows only against a root kept elsewhere (--root)';
  if (kept.events === null)
    return context.style.bad('the trace never had this root: it was forged, or the root is of another trace');
  return kept.events === events
    ? 'is that of the whole trace'
    : `was that of the first ${grouped(kept.events)} events`;
}

function reportLines(context: Context, report: VerifyReport): readonly string[] {
  const { style } = context;
  const { firstBad: bad, claimed } = report;
  const of = claimed === null ? '' : ` of ${grouped(claimed.segments)}`;
  return pairs(
    [
      ['trace', style.bold(report.trace)],
      ['verdict', report.intact ? style.good('intact') : style.bad('NOT INTACT')],
      ...(bad === null
        ? []
        : [
            [
              'first bad',
              style.bad(
                bad.index < 0
                  ? `the genesis: ${bad.what} (${bad.reason})`
                  : `segment ${bad.index}, from event ${bad.first}: ${bad.what} (${bad.reason})`,
              ),
            ] as const,
          ]),
      ['valid', `${grouped(report.segments)}${of} segments, ${grouped(report.events)} events`],
      ['root', report.root],
      ['kept root', rootLine(report, context)],
    ],
    style.dim,
  );
}

/** One line a trace. */
const allLines = (context: Context, reports: readonly VerifyReport[]): readonly string[] =>
  reports.length === 0
    ? ['no traces']
    : table(
        [['trace'], ['verdict'], ['events', 'right'], ['root'], ['first bad']],
        reports.map(({ trace, intact, events, root, firstBad }) => [
          trace,
          intact ? context.style.good('intact') : context.style.bad('NOT INTACT'),
          grouped(events),
          root.slice(0, 12),
          firstBad === null
            ? ''
            : firstBad.index < 0
              ? 'the genesis'
              : `segment ${firstBad.index}, from event ${firstBad.first}: ${firstBad.what}`,
        ]),
        context.style.dim,
      );

const verifyOne = (
  context: Context,
  store: Store,
  trace: string,
  root: string | undefined,
): Result<VerifyReport> => {
  const shown = progress(context);
  const verified = store.verify(trace, {
    ...(root === undefined ? {} : { root }),
    progress: (events, of) => {
      shown.at(() => `verifying ${trace}: ${percent(events, of)}`);
    },
  });
  shown.end();
  return verified;
};

export const verify = command({
  about:
    'Walks the hash chain of a trace from its beginning; of all traces where none is named. Damage (a flipped bit, a missing or swapped segment) shows by itself and the ' +
    'first bad segment is named; forgery shows only against a root hash that was kept elsewhere.',
  arguments: [['[trace]', 'name of the trace (default: all)']],
  options: [['--root <hash>', 'a root printed earlier and kept elsewhere: the trace must have had it']],
  examples: [
    { line: 'pagetrail verify', does: 'all traces of the log' },
    {
      line: 'pagetrail verify S1 --root "$(cat S1.root)"',
      does: 'exit code 1 when anything is not as it was',
    },
  ],
  values: v.object({ trace: v.optional(text), root: v.optional(hash) }),
  run: (context, { trace, root }) =>
    reading(context, (store) => {
      if (trace !== undefined) {
        const verified = verifyOne(context, store, trace, root);
        if (!verified.ok) return verified;
        if (context.settings.json) context.printJson(verified.value);
        else context.print(...reportLines(context, verified.value));
        return ok(verified.value.intact ? Exit.nothing : Exit.findings);
      }
      if (root !== undefined)
        return fail('bad-use', '--root is the root of one trace', undefined, 'name the trace');
      const list = store.traces();
      if (!list.ok) return list;
      const reports: VerifyReport[] = [];
      for (const { name } of list.value) {
        const verified = verifyOne(context, store, name, undefined);
        if (!verified.ok) return verified;
        reports.push(verified.value);
      }
      if (context.settings.json) context.printJson({ traces: reports });
      else context.print(...allLines(context, reports));
      return ok(reports.every(({ intact }) => intact) ? Exit.nothing : Exit.findings);
    }),
});
