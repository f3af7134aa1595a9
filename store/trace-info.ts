import { fail, ok, type Result } from '../core/value/failure.js';
import { parseObject, type JsonObject } from './canonical-json.js';
import { rootText } from './chain.js';
import { row, rows, type Connection } from './connection.js';
import { select, type RowIn } from './query.js';
import { nearNames } from './trace-name.js';

/** What the log knows of a trace without reading its events. */
export interface TraceInfo {
  readonly id: number;
  readonly name: string;
  /** When it was made, in the words of whoever made it; not part of any hash. */
  readonly created: string | null;
  readonly meta: JsonObject;
  /** Hash of name, meta and genesis: what the chain hangs on. 64 hex digits, as `root`. */
  readonly genesisRoot: string;
  readonly events: number;
  readonly segments: number;
  /** Hash of the last segment: of the whole trace. */
  readonly root: string;
  /** Bytes of all segments as kept. */
  readonly bytes: number;
  /** The same before compression. */
  readonly rawBytes: number;
  /** No event will follow. */
  readonly complete: boolean;
  /** What `finish` was given; null before. */
  readonly summary: JsonObject | null;
}

const SHAPE = {
  id: 'integer',
  name: 'text',
  created: 'text or null',
  meta: 'text',
  genesis_root: 'hash',
  events: 'integer',
  segments: 'integer',
  root: 'hash',
  bytes: 'integer',
  size: 'integer',
  summary: 'text or null',
} as const;

const SELECT = `SELECT t.id, t.name, t.created, t.meta, t.root AS genesis_root, h.events, h.segments, h.root, h.bytes, h.size,
  s.summary FROM traces t LEFT JOIN heads h ON h.trace = t.id LEFT JOIN summaries s ON s.trace = t.id`;
const ALL = select(SHAPE, `${SELECT} ORDER BY t.id`);
const BY_NAME = select(SHAPE, `${SELECT} WHERE t.name = ?`);
const BY_ID = select(SHAPE, `${SELECT} WHERE t.id = ?`);

const infoOf = (r: RowIn<typeof ALL>): TraceInfo => ({
  id: r.id,
  name: r.name,
  created: r.created,
  meta: parseObject(r.meta),
  genesisRoot: rootText(r.genesis_root),
  events: r.events,
  segments: r.segments,
  root: rootText(r.root),
  bytes: r.bytes,
  rawBytes: r.size,
  complete: r.summary !== null,
  summary: r.summary === null ? null : parseObject(r.summary),
});

/** All traces, in the order they were made. */
export const listTraces = (c: Connection): readonly TraceInfo[] => rows(c, ALL).map(infoOf);

/** The trace of exactly this name; a failure that lists near names when there is none. */
export function findTrace(c: Connection, name: string): Result<TraceInfo> {
  const found = row(c, BY_NAME, name);
  return found === undefined ? noSuchTrace(c, name) : ok(infoOf(found));
}

export function traceById(c: Connection, id: number): TraceInfo | null {
  const found = row(c, BY_ID, id);
  return found === undefined ? null : infoOf(found);
}

export function noSuchTrace(c: Connection, name: string): Result<never> {
  const removed = row(c, REMOVED, name);
  const gone = removed === undefined ? '' : `; one of that name was removed at ${removed.removed}`;
  return fail(
    'no-such-trace',
    `there is no trace ${JSON.stringify(name)}${gone}`,
    c.file,
    whichThen(c, name),
  );
}

const REMOVED = select(
  { removed: 'text' },
  'SELECT removed FROM tombstones WHERE name = ? ORDER BY trace DESC LIMIT 1',
);

const NAMES = select({ name: 'text' }, 'SELECT name FROM traces ORDER BY id');

const FEW = 8;

function whichThen(c: Connection, name: string): string {
  const names = rows(c, NAMES).map((t) => t.name);
  if (names.length === 0) return 'this log is empty: import or simulate something first';
  const near = nearNames(name, names);
  if (near.length > 0) return `did you mean ${near.join(' or ')}?`;
  return names.length <= FEW
    ? `there are: ${names.join(', ')}`
    : `pagetrail traces lists the ${names.length} that there are`;
}
