import { fail, ok, type Result } from '../core/value/failure.js';
import { rootText, segmentHash } from './chain.js';
import { pack, type Packed } from './codec.js';
import { row, run, transact, type Connection } from './connection.js';
import { readHead, writeHead, type Head } from './head.js';
import { whyBad, type NewSegment } from './new-segment.js';
import type { ActiveProjections } from './projections.js';
import { select } from './query.js';
import { segmentId } from './schema.js';
import { hashBefore, locate, headless, segmentRow } from './segments.js';
import type { TraceKey } from './trace-key.js';

export type Stored = 'appended' | 'already';

/** What is on the disk once an append returns. */
export interface Appended {
  /** Hash of the last segment given. */
  readonly root: string;
  /** For each segment given. */
  readonly stored: readonly Stored[];
}

/** Moments of an append at which tests end the process. */
export type Crashpoint = 'begun' | 'inserted' | 'projected' | 'committed';

export interface AppendParts {
  readonly projections: ActiveProjections;
  readonly crashpoint: (at: Crashpoint) => void;
}

/**
 * Appends segments in one transaction, all or none, and returns when they are on the disk. A segment that is there already
 * is left alone; another one at its place is a `conflict`; one that leaves a gap is `out-of-order`.
 */
export function appendSegments(
  c: Connection,
  trace: TraceKey,
  segments: readonly NewSegment[],
  parts: AppendParts,
): Result<Appended> {
  const bad = segments.map(whyBad).find((why) => why !== null);
  if (bad !== undefined) return fail('bad-segment', bad, c.file);
  const before = readHead(c, trace.id);
  if (before === undefined) return headless(c, trace);
  // Compressed before the lock is taken; what is there already need not be.
  const prepared = segments.map((segment) => ({
    segment,
    packed: segment.first > before.events ? pack(segment.bytes) : null,
  }));
  const appended = transact(c, () => appendPrepared(c, trace, prepared, parts));
  if (appended.ok) parts.crashpoint('committed');
  return appended;
}

interface Prepared {
  readonly segment: NewSegment;
  /** Null: not compressed yet. */
  readonly packed: Packed | null;
}

/** Inside the transaction: nobody else moves the head. */
function appendPrepared(
  c: Connection,
  trace: TraceKey,
  list: readonly Prepared[],
  { projections, crashpoint }: AppendParts,
): Result<Appended> {
  crashpoint('begun');
  const start = readHead(c, trace.id);
  if (start === undefined) return headless(c, trace);
  const fresh: NewSegment[] = [];
  const stored: Stored[] = [];
  let head = start;
  let last = start.root;
  for (const { segment, packed } of list) {
    const before = head.events;
    const there = segment.first <= before ? sameSegment(c, trace, segment, head) : null;
    if (there?.ok === false) return there;
    if (there === null && segment.first > before + 1) return gap(c, trace, segment, before);
    if (there === null) {
      head = insert(c, trace, head, segment, packed ?? pack(segment.bytes));
      fresh.push(segment);
      crashpoint('inserted');
    }
    last = there?.value ?? head.root;
    stored.push(there === null ? 'appended' : 'already');
  }
  if (fresh.length > 0) {
    if (isFinished(c, trace)) return finished(c, trace, start);
    writeHead(c, trace.id, head);
    const projected = projections.apply(trace, fresh);
    if (!projected.ok) return projected;
    crashpoint('projected');
  }
  return ok({ root: rootText(last), stored });
}

const INSERT =
  'INSERT INTO segments (id, trace, idx, first, count, hash, size, codec, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';

function insert(c: Connection, trace: TraceKey, head: Head, segment: NewSegment, packed: Packed): Head {
  const { first, count } = segment;
  const { size, codec, bytes } = packed;
  const index = head.segments;
  const hash = segmentHash(head.root, first, count, segment.bytes);
  run(c, INSERT, segmentId(trace.id, index), trace.id, index, first, count, hash, size, codec, bytes);
  return {
    segments: index + 1,
    events: head.events + count,
    size: head.size + size,
    bytes: head.bytes + bytes.length,
    root: hash,
  };
}

/** The hash of the segment that is in the log already, when it is the one given. */
function sameSegment(c: Connection, trace: TraceKey, segment: NewSegment, head: Head): Result<Buffer> {
  const { first, count, bytes } = segment;
  const index = locate(c, trace, first, head.segments);
  const known = segmentRow(c, trace.id, index);
  const previous = hashBefore(c, trace.id, index);
  if (known === undefined || previous === undefined) {
    return fail('damaged', `segment ${index} of trace ${trace.name} cannot be read`, c.file, 'run verify');
  }
  if (known.first !== first || known.count !== count) {
    return fail(
      'conflict',
      `trace ${trace.name} has events ${known.first} to ${known.first + known.count - 1} in one segment, not ${first} to ${first + count - 1}`,
      c.file,
      'another writer is appending to this trace, or this pagetrail reads the source otherwise: choose another name, or remove the trace first',
    );
  }
  return segmentHash(previous, first, count, bytes).equals(known.hash)
    ? ok(known.hash)
    : fail(
        'conflict',
        `trace ${trace.name} already has other events ${first} to ${first + count - 1}`,
        c.file,
        'another writer is appending to this trace, or the source or pagetrail has changed: choose another name, or remove the trace first',
      );
}

const gap = (c: Connection, trace: TraceKey, segment: NewSegment, events: number): Result<never> =>
  fail(
    'out-of-order',
    `trace ${trace.name} ends at event ${events}: event ${segment.first} cannot be next`,
    c.file,
  );

const isFinished = (c: Connection, trace: TraceKey): boolean => row(c, FINISHED, trace.id) !== undefined;

const FINISHED = select({}, 'SELECT 1 FROM summaries WHERE trace = ?');

const finished = (c: Connection, trace: TraceKey, head: Head): Result<never> =>
  fail(
    'complete',
    `trace ${trace.name} is complete with ${head.events} events`,
    c.file,
    'choose another name',
  );
