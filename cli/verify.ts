import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  againstCheckpoint,
  distrusted,
  walkChain,
  type CheckpointReport,
  type WalkedChain,
} from '../replay/checkpoints.js';
import type { Store, VerifyReport } from '../store/index.js';
import type { Context } from './console/context.js';
import { grouped, percent, plural } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { pairs, table } from './console/table.js';
import { reading } from './log/open.js';
import { checkpointIn, keyAlone, signatureText, verifierIn } from './log/seals.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { hash, text } from './program/values.js';

function rootLine({ kept, events }: VerifyReport, context: Context): string {
  if (kept === null)
    return 'not given: damage would show, forgery shows only against a root or checkpoint kept elsewhere (--root, --checkpoint)';
  if (kept.events === null)
    return context.style.bad('the trace never had this root: it was forged, or the root is of another trace');
  return kept.events === events
    ? 'is that of the whole trace'
    : `was that of the first ${grouped(kept.events)} events`;
}

function checkpointLines(
  { style }: Context,
  { holds, difference, segments, events, signature, key }: CheckpointReport,
): readonly (readonly [string, string])[] {
  const size = `${plural(segments, 'segment')}${events === null ? '' : `, ${plural(events, 'event')}`}`;
  return [
    [
      'checkpoint',
      holds
        ? `the trace begins with exactly what it saw: ${size}`
        : style.bad(`DIFFERS: ${difference ?? ''}`),
    ],
    ['signature', signatureText(signature, key)],
  ];
}

function reportLines(
  context: Context,
  report: VerifyReport,
  checkpoint: CheckpointReport | null,
  isGood: boolean,
): readonly string[] {
  const { style } = context;
  const { firstBad: bad, claimed } = report;
  const of = claimed === null ? '' : ` of ${grouped(claimed.segments)}`;
  return pairs(
    [
      ['trace', style.bold(report.trace)],
      ['verdict', isGood ? style.good('intact') : style.bad('NOT INTACT')],
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
      ...(checkpoint !== null && report.kept === null
        ? []
        : [['kept root', rootLine(report, context)] as const]),
      ...(checkpoint === null ? [] : checkpointLines(context, checkpoint)),
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

const walkOne = (
  context: Context,
  store: Store,
  trace: string,
  root: string | undefined,
): Result<WalkedChain> => {
  const shown = progress(context);
  const walked = walkChain(store, trace, {
    ...(root === undefined ? {} : { root }),
    progress: (events, of) => {
      shown.at(() => `verifying ${trace}: ${percent(events, of)}`);
    },
  });
  shown.end();
  return walked;
};

function verifyAll(context: Context, store: Store): Result<Exit> {
  const list = store.traces();
  if (!list.ok) return list;
  const reports: VerifyReport[] = [];
  for (const { name } of list.value) {
    const walked = walkOne(context, store, name, undefined);
    if (!walked.ok) return walked;
    reports.push(walked.value.report);
  }
  if (context.settings.json) context.printJson({ traces: reports });
  else context.print(...allLines(context, reports));
  return ok(reports.every(({ intact }) => intact) ? Exit.nothing : Exit.findings);
}

export const verify = command({
  about:
    'Walks the hash chain of a trace from its beginning; of all traces where none is named. Damage (a flipped bit, a missing or swapped segment) shows by itself and the ' +
    'first bad segment is named; forgery shows only against a root or a checkpoint that was kept elsewhere (docs/tamper-evidence.md).',
  arguments: [['[trace]', 'name of the trace (default: all)']],
  options: [
    ['--root <hash>', 'a root printed earlier and kept elsewhere: the trace must have had it'],
    ['--checkpoint <file>', 'a checkpoint kept elsewhere: the trace must begin with exactly what it saw'],
    ['--key <file>', 'public key (FILE.pub) that must have signed the checkpoint'],
  ],
  examples: [
    { line: 'pagetrail verify', does: 'all traces of the log' },
    {
      line: 'pagetrail verify S1 --root "$(cat S1.root)"',
      does: 'exit code 1 when anything is not as it was',
    },
    {
      line: 'pagetrail verify S1 --checkpoint S1.checkpoint --key audit.key.pub',
      does: 'the same, against a checkpoint that only the owner of the key can make',
    },
  ],
  values: v.object({
    trace: v.optional(text),
    root: v.optional(hash),
    checkpoint: v.optional(text),
    key: v.optional(text),
  }),
  run: (context, { trace, root, checkpoint, key }) =>
    reading(context, (store) => {
      if (trace === undefined && (root !== undefined || checkpoint !== undefined))
        return fail(
          'bad-use',
          `${root === undefined ? '--checkpoint is' : '--root is the root'} of one trace`,
          undefined,
          'name the trace',
        );
      if (key !== undefined && checkpoint === undefined) return keyAlone();
      if (trace === undefined) return verifyAll(context, store);
      const seal = checkpointIn(checkpoint);
      if (!seal.ok) return seal;
      const verifier = verifierIn(key);
      if (!verifier.ok) return verifier;
      const walked = walkOne(context, store, trace, root);
      if (!walked.ok) return walked;
      const { report } = walked.value;
      const held = seal.value && againstCheckpoint(walked.value, seal.value, verifier.value);
      const isGood =
        report.intact && (held === null || (held.holds && !distrusted(held.signature, verifier.value)));
      if (context.settings.json) context.printJson({ ...report, intact: isGood, checkpoint: held });
      else context.print(...reportLines(context, report, held, isGood));
      return ok(isGood ? Exit.nothing : Exit.findings);
    }),
});
