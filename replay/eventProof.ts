/**
 * Proof that a trace had an event when a checkpoint was taken: text as in https://c2sp.org/tlog-proof. The entry of the tree is the hash of the
 * event's segment; the line `extra` has, as JSON, what that hash was made from, so the proof shows the event itself.
 */
import { includes } from '../core/checkpoint/merkleProof.js';
import { inclusionPath, leafHash } from '../core/checkpoint/merkleTree.js';
import { decodeSegment } from '../core/codec/decode.js';
import type { Event } from '../core/event/event.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  base64,
  MAX_BYTES,
  MAX_EVENTS,
  noteText,
  pack,
  parseBase64,
  parseCheckpoint,
  parseRoot,
  rootText,
  segmentHash,
  segmentTree,
  sha256,
  unpack,
  type CheckpointNote,
  type Segment,
} from '../store/index.js';
import type { WalkedChain } from './checkpoints.js';

const HEADER = 'c2sp.org/tlog-proof@v1';

export interface EventProof {
  readonly event: number;
  /** Of the segment in the trace. */
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** Hash that the segment is chained to. */
  readonly previous: Uint8Array;
  readonly first: number;
  readonly count: number;
  /** Canonical bytes of the segment. */
  readonly bytes: Uint8Array;
  readonly seal: CheckpointNote;
}

/** Proves event `event` of a chain that begins with what the checkpoint saw. */
export function proveEvent(
  { report, genesis, hashes }: WalkedChain,
  segment: Segment,
  event: number,
  seal: CheckpointNote,
): Result<EventProof> {
  const { index, first, count, bytes } = segment;
  const { size, events } = seal.checkpoint;
  if (index >= size)
    return fail(
      'not-covered',
      `event ${event} of trace ${report.trace} came after the checkpoint, which saw ${events ?? size} ${events === null ? 'segments' : 'events'}`,
      undefined,
      'take a newer checkpoint, or leave it out',
    );
  const previous = index === 0 ? genesis : hashes[index - 1];
  const path = inclusionPath(segmentTree(hashes.slice(0, size)), index);
  return ok({ event, index, path, previous: previous as Uint8Array, first, count, bytes, seal });
}

export function eventProofText({
  event,
  index,
  path,
  previous,
  first,
  count,
  bytes,
  seal,
}: EventProof): string {
  const packed = pack(bytes);
  const extra = {
    event,
    previous: rootText(previous),
    first,
    count,
    codec: packed.codec,
    size: packed.size,
    bytes: base64(packed.bytes),
  };
  const lines = [
    HEADER,
    `extra ${base64(Buffer.from(JSON.stringify(extra), 'utf8'))}`,
    `index ${index}`,
    ...path.map(base64),
  ];
  return `${lines.join('\n')}\n\n${noteText(seal.note)}`;
}

export const isEventProof = (text: string): boolean => text.startsWith(HEADER);

const bad = (where: string, why: string): Result<never> =>
  fail('bad-proof', `this is no proof: ${why}`, where, 'give a file that `pagetrail prove` wrote');

const whole = (value: unknown, least: number, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

type Extra = Pick<EventProof, 'event' | 'previous' | 'first' | 'count' | 'bytes'>;

function parseExtra(line: string): Extra | string {
  let given: Readonly<Record<string, unknown>>;
  try {
    const value: unknown = JSON.parse(parseBase64(line.slice('extra '.length))?.toString('utf8') ?? '');
    if (typeof value !== 'object' || value === null) return 'its line `extra` holds no object';
    given = value as Readonly<Record<string, unknown>>;
  } catch {
    return 'its line `extra` is not JSON in base64';
  }
  const { event, previous, first, count, codec, size, bytes } = given;
  const before = typeof previous === 'string' ? parseRoot(previous) : null;
  const packed = typeof bytes === 'string' ? parseBase64(bytes) : null;
  if (before === null || packed === null) return 'its line `extra` has no segment';
  if (!whole(event, 1, Number.MAX_SAFE_INTEGER) || !whole(first, 1, Number.MAX_SAFE_INTEGER))
    return 'its line `extra` has no event number';
  if (!whole(count, 1, MAX_EVENTS) || !whole(codec, 0, 1) || !whole(size, 0, MAX_BYTES))
    return 'its line `extra` has no segment';
  const restored = unpack({ codec, size, bytes: packed });
  return restored === null
    ? 'the bytes of its segment cannot be restored'
    : { event, previous: before, first, count, bytes: restored };
}

export function parseEventProof(text: string, where: string): Result<EventProof> {
  const end = text.indexOf('\n\n');
  if (end < 0) return bad(where, 'it is cut off');
  const [header, extraLine = '', indexLine = '', ...rest] = text.slice(0, end).split('\n');
  if (header !== HEADER) return bad(where, `its first line is not ${HEADER}`);
  if (!extraLine.startsWith('extra ')) return bad(where, 'it has no line `extra`, which holds the segment');
  const extra = parseExtra(extraLine);
  if (typeof extra === 'string') return bad(where, extra);
  if (!/^index (?:0|[1-9]\d{0,14})$/.test(indexLine)) return bad(where, 'it has no line `index`');
  const path: Uint8Array[] = [];
  for (const line of rest) {
    const hash = parseBase64(line);
    if (hash?.length !== 32) return bad(where, `${JSON.stringify(line.slice(0, 50))} is no hash in base64`);
    path.push(hash);
  }
  const seal = parseCheckpoint(Buffer.from(text.slice(end + 2), 'utf8'), where);
  if (!seal.ok) return seal;
  return ok({ ...extra, index: Number(indexLine.slice('index '.length)), path, seal: seal.value });
}

/** The event that is proved to have been in the trace, or why it is not. */
export function checkEventProof(
  proof: EventProof,
): { readonly event: Event } | { readonly difference: string } {
  const { index, first, count, bytes, path, previous, seal } = proof;
  const leaf = leafHash(sha256, segmentHash(previous, first, count, bytes));
  if (!includes(sha256, seal.checkpoint, index, leaf, path))
    return { difference: `segment ${index} of the checkpoint is another one` };
  const events = decodeSegment(bytes);
  if (!events.ok) return { difference: `the segment cannot be read: ${events.error.what}` };
  const event = events.value.find(({ seq }) => seq === proof.event);
  if (event === undefined || proof.event < first || proof.event >= first + count)
    return {
      difference: `the segment holds the events ${first} to ${first + count - 1}, not ${proof.event}`,
    };
  return { event };
}
