import * as v from 'valibot';
import { fail, ok, type Result } from '../core/value/failure.js';
import { checkpointOf, differenceFrom, noteOf, walkChain, type WalkedChain } from '../replay/checkpoints.js';
import { consistencyProofText, proveConsistency } from '../replay/consistencyProof.js';
import { eventProofText, proveEvent } from '../replay/eventProof.js';
import { logOn } from '../replay/log.js';
import type { CheckpointNote, NoteSigner, Store } from '../store/index.js';
import type { Context } from './console/context.js';
import { grouped, percent, plural } from '../replay/numbers.js';
import { progress } from './console/progress.js';
import { withSink } from './console/sink.js';
import { reading } from './log/open.js';
import { checkpointIn, signerIn } from './log/seals.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { text } from './program/values.js';

function walked(context: Context, store: Store, trace: string): Result<WalkedChain> {
  const shown = progress(context);
  const chain = walkChain(store, trace, {
    progress: (events, of) => {
      shown.at(() => `verifying ${trace}: ${percent(events, of)}`);
    },
  });
  shown.end();
  return chain;
}

/** The checkpoint that was given, when the trace still begins with what it saw; else one of the trace as it is now. */
function sealOf(
  chain: WalkedChain,
  given: CheckpointNote | null,
  signer: NoteSigner | null,
  store: Store,
): Result<CheckpointNote> {
  if (given !== null) {
    const difference = differenceFrom(chain, given.checkpoint);
    return difference === null
      ? ok(given)
      : fail(
          'damaged',
          `nothing can be proved: ${difference}`,
          store.file,
          'verify says what is left of the trace',
        );
  }
  const checkpoint = checkpointOf(chain, store.file);
  return checkpoint.ok
    ? ok({ checkpoint: checkpoint.value, note: noteOf(checkpoint.value, signer) })
    : checkpoint;
}

interface Proved {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly what: string;
}

function eventProof(
  store: Store,
  chain: WalkedChain,
  trace: string,
  event: number,
  seal: CheckpointNote,
): Result<Proved> {
  const log = store.trace(trace);
  if (!log.ok) return log;
  const segment = log.value.segmentAt(event);
  if (!segment.ok) return segment;
  const proof = proveEvent(chain, segment.value, event, seal);
  if (!proof.ok) return proof;
  const { index, path } = proof.value;
  return ok({
    text: eventProofText(proof.value),
    json: { trace, event, segment: index, segments: seal.checkpoint.size, hashes: path.length },
    what: `that event ${event} is in ${trace}`,
  });
}

function consistencyProof(
  chain: WalkedChain,
  trace: string,
  since: CheckpointNote,
  seal: CheckpointNote,
): Result<Proved> {
  const proof = proveConsistency(chain, since, seal);
  if (!proof.ok) return proof;
  const [from, to] = [since.checkpoint, seal.checkpoint];
  return ok({
    text: consistencyProofText(proof.value),
    json: { trace, from: from.size, segments: to.size, hashes: proof.value.path.length },
    what: `that ${trace} with ${plural(to.size, 'segment')} begins with the ${grouped(from.size)} of the older checkpoint`,
  });
}

export const prove = command({
  about:
    'Writes a proof that whoever has a checkpoint can check without the log (check-proof): that an event was in the trace, with the event itself; ' +
    'or with --since that a later checkpoint continues an earlier one. Without --checkpoint, one of the trace as it is now is part of the proof.',
  arguments: [['<what>', 'an event (S1@42, S1@#loaded8), or with --since a trace']],
  options: [
    ['--since <file>', 'prove that the trace continues this older checkpoint'],
    ['--checkpoint <file>', 'prove against this saved checkpoint'],
    ['--key <file>', 'sign the new checkpoint with this key'],
    ['-o, --output <file>', 'write to this file (default: standard output)'],
  ],
  examples: [
    {
      line: 'pagetrail prove S1@42 --checkpoint S1.checkpoint -o 42.tlog-proof',
      does: 'that event 42 is in it',
    },
    {
      line: 'pagetrail prove S1 --since monday.checkpoint --key audit.key -o week.json',
      does: 'that nothing before was changed',
    },
  ],
  values: v.object({
    what: text,
    since: v.optional(text),
    checkpoint: v.optional(text),
    key: v.optional(text),
    output: v.optional(text),
  }),
  run: (context, { what, since, checkpoint, key, output }) =>
    reading(context, async (store) => {
      const given = checkpointIn(checkpoint);
      if (!given.ok) return given;
      const older = checkpointIn(since);
      if (!older.ok) return older;
      const signer = signerIn(key);
      if (!signer.ok) return signer;
      if (given.value !== null && signer.value !== null)
        return fail(
          'bad-value',
          '--key signs a new checkpoint, --checkpoint gives an old one',
          undefined,
          'leave one of them out',
        );
      const isTrace = older.value !== null;
      if (isTrace && what.includes('@'))
        return fail('bad-value', '--since is about a whole trace', undefined, 'name the trace, without @');
      if (!isTrace && !what.includes('@'))
        return fail(
          'bad-value',
          'which event is missing',
          undefined,
          `write ${what}@42, or give --since FILE`,
        );
      const found = logOn(store).moment(what);
      if (!found.ok) return found;
      const { name } = found.value.trace;
      const event = found.value.moment.seq;
      if (!isTrace && event === 0)
        return fail(
          'no-such-event',
          'the moment is before the first event',
          undefined,
          'name an event from 1 on',
        );
      const chain = walked(context, store, name);
      if (!chain.ok) return chain;
      const seal = sealOf(chain.value, given.value, signer.value, store);
      if (!seal.ok) return seal;
      const before = older.value === null ? null : sealOf(chain.value, older.value, null, store);
      if (before !== null && !before.ok) return before;
      const proved =
        before === null
          ? eventProof(store, chain.value, name, event, seal.value)
          : consistencyProof(chain.value, name, before.value, seal.value);
      if (!proved.ok) return proved;
      const toFile = output !== undefined && output !== '-';
      const { text: proof, json, what: proven } = proved.value;
      if (toFile || !context.settings.json) {
        const written = await withSink(context, output, async (sink) => {
          await sink.write(proof);
          return ok(null);
        });
        if (!written.ok) return written;
      }
      if (context.settings.json)
        context.printJson({ ...json, file: toFile ? output : null, proof: toFile ? null : proof });
      else if (toFile) context.remark(`proof ${proven}: ${output}`);
      return ok(Exit.nothing);
    }),
});
