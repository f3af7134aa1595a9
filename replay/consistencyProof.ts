/** Proof that a trace at a later checkpoint begins with exactly what an earlier one saw, for those who have neither the log nor its events. */
import { extendsTree } from '../core/checkpoint/merkleProof.js';
import { consistencyPath } from '../core/checkpoint/merkleTree.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  base64,
  noteText,
  parseBase64,
  parseCheckpoint,
  segmentTree,
  sha256,
  type CheckpointNote,
} from '../store/index.js';
import type { WalkedChain } from './checkpoints.js';

const FORMAT = 'pagetrail/consistency-proof@v1';

export interface ConsistencyProof {
  readonly old: CheckpointNote;
  readonly new: CheckpointNote;
  readonly path: readonly Uint8Array[];
}

/** From one checkpoint to a later one, both of this chain. */
export function proveConsistency(
  { hashes }: WalkedChain,
  old: CheckpointNote,
  later: CheckpointNote,
): Result<ConsistencyProof> {
  const [from, to] = [old.checkpoint.size, later.checkpoint.size];
  if (from > to)
    return fail(
      'wrong-order',
      `the older checkpoint saw ${from} segments, the newer one only ${to}`,
      undefined,
      'give the older one with --since, the newer one with --checkpoint',
    );
  return ok({ old, new: later, path: consistencyPath(segmentTree(hashes.slice(0, to)), from) });
}

export const consistencyProofText = (proof: ConsistencyProof): string =>
  `${JSON.stringify(
    {
      format: FORMAT,
      old: noteText(proof.old.note),
      new: noteText(proof.new.note),
      path: proof.path.map(base64),
    },
    null,
    2,
  )}\n`;

const bad = (where: string, why: string): Result<never> =>
  fail('bad-proof', `this is no proof: ${why}`, where, 'give a file that `pagetrail prove` wrote');

export function parseConsistencyProof(text: string, where: string): Result<ConsistencyProof> {
  let given: Readonly<Record<string, unknown>>;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return bad(where, 'it holds no object');
    given = value as Readonly<Record<string, unknown>>;
  } catch {
    return bad(where, 'it is neither a proof of an event nor JSON; it may be cut off');
  }
  const { format, old, new: later, path } = given;
  if (format !== FORMAT) return bad(where, `its format is not ${FORMAT}`);
  if (typeof old !== 'string' || typeof later !== 'string' || !Array.isArray(path))
    return bad(where, 'it needs the texts `old` and `new` and the list `path`');
  const hashes: Uint8Array[] = [];
  for (const item of path as readonly unknown[]) {
    const hash = typeof item === 'string' ? parseBase64(item) : null;
    if (hash?.length !== 32) return bad(where, '`path` has something that is no hash in base64');
    hashes.push(hash);
  }
  const before = parseCheckpoint(Buffer.from(old, 'utf8'), `old in ${where}`);
  if (!before.ok) return before;
  const after = parseCheckpoint(Buffer.from(later, 'utf8'), `new in ${where}`);
  return after.ok ? ok({ old: before.value, new: after.value, path: hashes }) : after;
}

/** Why the proof does not show what it should; null when it does. */
export function checkConsistencyProof({ old, new: later, path }: ConsistencyProof): string | null {
  const [from, to] = [old.checkpoint, later.checkpoint];
  if (from.origin !== to.origin) return 'the checkpoints are of two traces';
  if (!extendsTree(sha256, from, to, path))
    return 'the trace of the newer checkpoint does not begin with what the older one saw';
  if (from.events !== null && to.events !== null && from.events > to.events)
    return 'the newer checkpoint says that it saw fewer events';
  return null;
}
