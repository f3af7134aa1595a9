/**
 * Checkpoints of a trace: the Merkle tree over the hashes of its segments, as text of a signed note (https://c2sp.org/tlog-checkpoint).
 *
 *     pagetrail/GENESIS-ROOT          which trace: the hash its chain hangs on
 *     11                              how many segments
 *     aB3…=                           root of the tree, base64
 *     trace S1                        extension lines: its name,
 *     events 42310                    how many events these segments hold,
 *     chain 9f2c…                     root of the chain after them
 */
import { createHash } from 'node:crypto';
import type { TreeHead } from '../core/checkpoint/merkleProof.js';
import { merkleTree, type MerkleTree, type Sha256 } from '../core/checkpoint/merkleTree.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { base64, parseBase64 } from './base64.js';
import { parseNote, type Note } from './note.js';

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The tree over hashes of segments. */
export const segmentTree = (hashes: readonly Uint8Array[]): MerkleTree => merkleTree(sha256, hashes);

/** What a checkpoint says. What its extension lines leave out is null. */
export interface Checkpoint extends TreeHead {
  readonly origin: string;
  readonly trace: string | null;
  readonly events: number | null;
  /** 64 hex digits. */
  readonly chain: string | null;
}

/** A checkpoint and the note that it came in. */
export interface CheckpointNote {
  readonly checkpoint: Checkpoint;
  readonly note: Note;
}

/** The origin line of a trace: no other trace has its genesis root. */
export const checkpointOrigin = (genesisRoot: string): string => `pagetrail/${genesisRoot}`;

export const checkpointText = ({ origin, size, root, trace, events, chain }: Checkpoint): string =>
  [
    origin,
    String(size),
    base64(root),
    ...(trace === null ? [] : [`trace ${trace}`]),
    ...(events === null ? [] : [`events ${events}`]),
    ...(chain === null ? [] : [`chain ${chain}`]),
  ]
    .map((line) => `${line}\n`)
    .join('');

const NUMBER = /^(?:0|[1-9]\d{0,15})$/;

const parseNumber = (text: string | undefined): number | null =>
  text !== undefined && NUMBER.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;

const notOne = (where: string, why: string): Result<never> =>
  fail('bad-checkpoint', `this is no checkpoint: ${why}`, where, '`pagetrail checkpoint` writes one');

export function parseCheckpoint(bytes: Uint8Array, where: string): Result<CheckpointNote> {
  const note = parseNote(bytes, where);
  if (!note.ok) return note;
  const lines = note.value.text.split('\n').slice(0, -1);
  const [origin = '', sizeLine, rootLine = '', ...more] = lines;
  const size = parseNumber(sizeLine);
  const root = parseBase64(rootLine);
  if (lines.length < 3 || lines.includes(''))
    return notOne(where, 'its text has not the three lines it needs');
  if (size === null) return notOne(where, 'its second line is no number of segments');
  if (root?.length !== 32) return notOne(where, 'its third line is no hash in base64');
  const extension = (name: string): string | undefined =>
    more.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  const events = extension('events');
  const chain = extension('chain');
  if (events !== undefined && parseNumber(events) === null)
    return notOne(where, 'its line `events` has no number');
  if (chain !== undefined && !/^[0-9a-f]{64}$/.test(chain))
    return notOne(where, 'its line `chain` has no hash');
  return ok({
    checkpoint: {
      origin,
      size,
      root,
      trace: extension('trace') ?? null,
      events: parseNumber(events),
      chain: chain ?? null,
    },
    note: note.value,
  });
}
