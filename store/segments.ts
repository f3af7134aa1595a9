import { fail, ok, type Result } from '../core/value/failure.js';
import { rootText, segmentHash } from './chain.js';
import { unpack } from './codec.js';
import { reading, row, type Connection } from './connection.js';
import { readHead } from './head.js';
import { select, type RowIn } from './query.js';
import { MAX_EVENTS, segmentId } from './schema.js';
import type { TraceKey } from './trace-key.js';

/** Events `first` … `first + count - 1` of a trace, as they were appended, with their hash checked. */
export interface Segment {
  /** Place in the trace, from 0. */
  readonly index: number;
  readonly first: number;
  readonly count: number;
  /** 64 hex digits: the root of the trace when it ended here. */
  readonly hash: string;
  /** Canonical bytes, uncompressed. */
  readonly bytes: Uint8Array;
}

const SELECT = select(
  { first: 'integer', count: 'integer', hash: 'hash', size: 'integer', codec: 'integer', bytes: 'blob' },
  'SELECT first, count, hash, size, codec, bytes FROM segments WHERE id = ?',
);
/** A segment as it is in the file: nothing of it is checked but the kinds of its columns. */
export type SegmentRow = RowIn<typeof SELECT>;

const SELECT_PLACE = select(
  { first: 'integer', count: 'integer' },
  'SELECT first, count FROM segments WHERE id = ?',
);
const SELECT_HASH = select({ hash: 'hash' }, 'SELECT hash FROM segments WHERE id = ?');
const SELECT_GENESIS = select({ hash: 'hash' }, 'SELECT root AS hash FROM traces WHERE id = ?');

/** The row as it is in the file. A single get: nothing holds the file's past in the write-ahead log. */
export const segmentRow = (c: Connection, trace: number, index: number): SegmentRow | undefined =>
  row(c, SELECT, segmentId(trace, index));

/** The hash that segment `index` is chained to. */
export const hashBefore = (c: Connection, trace: number, index: number): Buffer | undefined =>
  (index === 0 ? row(c, SELECT_GENESIS, trace) : row(c, SELECT_HASH, segmentId(trace, index - 1)))?.hash;

/** The segment's bytes when the row is what was appended after `previous`, else what is wrong with it, in words. */
export function openRow(
  r: SegmentRow,
  previous: Uint8Array,
): { readonly wrong: string } | { readonly bytes: Uint8Array } {
  if (r.count < 1 || r.count > MAX_EVENTS) return { wrong: `it says that it has ${r.count} events` };
  const bytes = unpack(r);
  if (bytes === null) return { wrong: `its bytes cannot be restored to the ${r.size} they were` };
  return segmentHash(previous, r.first, r.count, bytes).equals(r.hash)
    ? { bytes }
    : { wrong: 'its hash differs from the hash of what it holds and follows' };
}

/** Segment `index`, checked against the one before (`previous`, read when not given). Null after the last one. */
export function readSegment(
  c: Connection,
  trace: TraceKey,
  index: number,
  previous: Uint8Array | null = null,
): Result<Segment | null> {
  return reading(c, () => {
    const looked = rowAt(c, trace, index);
    if (!looked.ok) return looked;
    const found = looked.value;
    if (found === null) return ok(null);
    const before = previous ?? hashBefore(c, trace.id, index);
    if (before === undefined) return damaged(c, trace, index, 'the segment before it is missing');
    const opened = openRow(found, before);
    if ('wrong' in opened) return damaged(c, trace, index, opened.wrong);
    const { first, count, hash } = found;
    return ok({ index, first, count, hash: rootText(hash), bytes: opened.bytes });
  });
}

/** The row of a segment; null when the trace ends before it. */
function rowAt(c: Connection, trace: TraceKey, index: number): Result<SegmentRow | null> {
  const found = segmentRow(c, trace.id, index);
  if (found !== undefined) return ok(found);
  const head = readHead(c, trace.id);
  if (head === undefined) return headless(c, trace);
  if (index >= head.segments) return ok(null);
  // Another process may have appended it between the two looks.
  const appended = segmentRow(c, trace.id, index);
  return appended === undefined ? damaged(c, trace, index, 'it is missing') : ok(appended);
}

/** A trace without head has been removed, unless the file is damaged. */
export const headless = (c: Connection, trace: TraceKey): Result<never> =>
  row(c, SELECT_GENESIS, trace.id) === undefined
    ? fail('no-such-trace', `the trace ${trace.name} has been removed`, c.file)
    : fail(
        'corrupt',
        `where trace ${trace.name} ends has been lost`,
        c.file,
        'verify says what is valid of it',
      );

const damaged = (c: Connection, trace: TraceKey, index: number, wrong: string): Result<never> =>
  fail(
    'damaged',
    `segment ${index} of trace ${trace.name} is damaged: ${wrong}`,
    c.file,
    'verify says how much before it is valid',
  );

/** The segment that holds event `seq`. */
export function segmentAt(c: Connection, trace: TraceKey, seq: number): Result<Segment> {
  return reading(c, () => {
    const head = readHead(c, trace.id);
    if (head === undefined) return headless(c, trace);
    if (!(seq >= 1 && seq <= head.events)) return noSuchEvent(c, trace, seq, head.events);
    const index = locate(c, trace, seq, head.segments);
    const segment = readSegment(c, trace, index);
    if (!segment.ok) return segment;
    const found = segment.value;
    return found !== null && seq >= found.first && seq < found.first + found.count
      ? ok(found)
      : damaged(c, trace, index + 1, `event ${seq} is not where it should be`);
  });
}

const noSuchEvent = (c: Connection, trace: TraceKey, seq: number, events: number): Result<never> =>
  fail(
    'no-such-event',
    `trace ${trace.name} has no event ${seq}`,
    c.file,
    events === 0 ? 'it is empty' : `it has 1 to ${events}`,
  );

/**
 * Segments from the one that holds event `from` (1 unless given) to the last there is when it is asked for, one get each, so
 * that events appended meanwhile are seen and no long statement is open. Ends after the first failure.
 */
export function* segmentsFrom(
  c: Connection,
  trace: TraceKey,
  from = 1,
): Generator<Result<Segment>, void, undefined> {
  const start = startAt(c, trace, from);
  let next: Result<Segment | null> = start.ok ? readSegment(c, trace, start.value) : start;
  while (next.ok && next.value !== null) {
    const { index, hash } = next.value;
    yield ok(next.value);
    next = readSegment(c, trace, index + 1, Buffer.from(hash, 'hex'));
  }
  if (!next.ok) yield next;
}

/** Index of the segment to begin with; the one after the last when `from` is beyond the end. */
function startAt(c: Connection, trace: TraceKey, from: number): Result<number> {
  return reading(c, () => {
    if (from <= 1) return ok(0);
    const head = readHead(c, trace.id);
    if (head === undefined) return headless(c, trace);
    return ok(from > head.events ? head.segments : locate(c, trace, from, head.segments));
  });
}

/** Whether a segment is where it is when all before it are full, and holds an event. */
function holds(c: Connection, trace: TraceKey, index: number, seq: number): boolean {
  const place = reading(c, () => ok(row(c, SELECT_PLACE, segmentId(trace.id, index))));
  return (
    place.ok &&
    place.value !== undefined &&
    place.value.first <= seq &&
    seq < place.value.first + place.value.count
  );
}

/**
 * Index of the last segment that begins at or before event `seq`, by bisection. A place that cannot be read counts as
 * too far: what lies before the damage is still found.
 */
export function locate(c: Connection, trace: TraceKey, seq: number, segments: number): number {
  const full = Math.min(Math.floor((seq - 1) / MAX_EVENTS), segments - 1);
  if (holds(c, trace, full, seq)) return full;
  let low = 0;
  let high = segments;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const place = reading(c, () => ok(row(c, SELECT_PLACE, segmentId(trace.id, middle))));
    if (place.ok && place.value !== undefined && place.value.first <= seq) low = middle;
    else high = middle;
  }
  return low;
}
