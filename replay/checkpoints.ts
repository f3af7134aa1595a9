/** Checkpoints of a trace: taken from its chain, and held against it later. docs/tamper-evidence.md says what they show. */
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  checkpointText,
  checkpointOrigin,
  rootText,
  segmentTree,
  signedBy,
  type Checkpoint,
  type CheckpointNote,
  type Note,
  type NoteSigner,
  type NoteVerifier,
  type Signed,
  type Store,
  type VerifyOptions,
  type VerifyReport,
} from '../store/index.js';

/** A chain that has just been walked: what of it is valid. */
export interface WalkedChain {
  readonly report: VerifyReport;
  /** The genesis root; null when the genesis itself is damaged. */
  readonly genesis: Uint8Array | null;
  /** Hashes of the valid segments. */
  readonly hashes: readonly Uint8Array[];
  /** How many events end with each segment. */
  readonly events: readonly number[];
}

/** Walks the chain of a trace from its beginning, checking every segment, and keeps its hashes (32 bytes a segment). */
export function walkChain(store: Store, trace: string, options: VerifyOptions = {}): Result<WalkedChain> {
  const chain: Uint8Array[] = [];
  const events: number[] = [];
  const report = store.verify(trace, {
    ...options,
    chain: (hash, count) => {
      chain.push(hash);
      events.push(count);
    },
  });
  if (!report.ok) return report;
  const [genesis = null, ...hashes] = chain;
  return ok({ report: report.value, genesis, hashes, events: events.slice(1) });
}

/** The chain as a checkpoint; refused when anything of it is damaged. */
export function checkpointOf({ report, genesis, hashes }: WalkedChain, file: string): Result<Checkpoint> {
  const { trace, intact, firstBad, events, root } = report;
  if (!intact || genesis === null)
    return fail(
      'damaged',
      `trace ${trace} is not intact${firstBad === null ? '' : `: ${firstBad.what}`}`,
      file,
      'a damaged trace gets no checkpoint; verify says what is valid of it',
    );
  return ok({
    origin: checkpointOrigin(rootText(genesis)),
    size: hashes.length,
    root: segmentTree(hashes).root,
    trace,
    events,
    chain: root,
  });
}

/** The checkpoint as a note, signed when there is a key. */
export function noteOf(checkpoint: Checkpoint, signer: NoteSigner | null): Note {
  const text = checkpointText(checkpoint);
  return { text, signatures: signer === null ? [] : [signer.sign(text)] };
}

/** In what the chain is not what the checkpoint saw; null when it still begins with exactly that. */
export function differenceFrom(chain: WalkedChain, checkpoint: Checkpoint): string | null {
  const { report, genesis, hashes } = chain;
  if (genesis === null) return 'how the trace began is damaged, nothing of it can be compared';
  if (checkpoint.origin !== checkpointOrigin(rootText(genesis)))
    return `it is a checkpoint of another trace${checkpoint.trace === null ? '' : ` (${checkpoint.trace})`}, or this one was made anew with another beginning`;
  if (checkpoint.size > hashes.length) {
    const what = report.firstBad === null ? 'the log has' : 'valid are';
    return `${what} only ${hashes.length} of the ${checkpoint.size} segments that the checkpoint saw`;
  }
  const { size } = checkpoint;
  if (!Buffer.from(segmentTree(hashes.slice(0, size)).root).equals(checkpoint.root))
    return size === 1
      ? 'the first segment is not the one that the checkpoint saw'
      : `the first ${size} segments are not those that the checkpoint saw`;
  const events = size === 0 ? 0 : (chain.events[size - 1] as number);
  if (checkpoint.events !== null && checkpoint.events !== events)
    return `it says that it saw ${checkpoint.events} events, its segments hold ${events}`;
  const root = rootText(size === 0 ? genesis : (hashes[size - 1] as Uint8Array));
  if (checkpoint.chain !== null && checkpoint.chain !== root)
    return `it says that the chain had the root ${checkpoint.chain}, its segments end with ${root}`;
  return null;
}

/** What a checkpoint that was kept says of the chain now. */
export interface CheckpointReport {
  readonly origin: string;
  readonly segments: number;
  readonly events: number | null;
  /** Root of the tree, 64 hex digits. */
  readonly root: string;
  /** What its signatures say, and the key they were checked with. */
  readonly signature: Signed;
  readonly key: string | null;
  /** The trace still begins with exactly what it saw. */
  readonly holds: boolean;
  /** Why not. */
  readonly difference: string | null;
}

export const keyText = ({ name, id }: NoteVerifier): string => `${name}+${id}`;

/** A signature that a key was given for and that is not there, or not its own, is a finding. */
export const distrusted = (signature: Signed, key: NoteVerifier | null): boolean =>
  key !== null && signature !== 'good';

export function againstCheckpoint(
  chain: WalkedChain,
  { checkpoint, note }: CheckpointNote,
  key: NoteVerifier | null,
): CheckpointReport {
  const difference = differenceFrom(chain, checkpoint);
  return {
    origin: checkpoint.origin,
    segments: checkpoint.size,
    events: checkpoint.events,
    root: rootText(checkpoint.root),
    signature: signedBy(note, key),
    key: key === null ? null : keyText(key),
    holds: difference === null,
    difference,
  };
}
