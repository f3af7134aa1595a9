import { fail, ok, type Result } from '../core/value/failure.js';
import { restoredSize } from './codec.js';
import { row, rows, run, type Connection } from './connection.js';
import { select } from './query.js';
import { SCHEMA_VERSION, segmentId, TABLES } from './schema.js';

/** One step from a schema version to the next, run inside the transaction that also raises the version. Hashes never change. */
type Migration = (c: Connection) => void;

/** Raises the schema from `version` to the present one, step by step. */
export function migrate(c: Connection, version: number): Result<void> {
  for (let from = version; from < SCHEMA_VERSION; from++) {
    const step = MIGRATIONS.get(from);
    if (step === undefined) return fail('older-schema', `no migration from schema version ${from}`, c.file);
    step(c);
  }
  return ok(undefined);
}

/**
 * Version 1 named its tables in the singular, kept genesis uncompressed and completion as a flag of the trace, found segments
 * by (trace, idx) through an index, and had neither heads nor the size before compression.
 */
function oneToTwo(c: Connection): void {
  for (const table of Object.values(TABLES)) c.db.exec(table);
  c.db.exec(`
    INSERT INTO traces (id, name, created, meta, root, size, codec, genesis)
      SELECT id, name, NULL, meta, root, length(genesis), 0, genesis FROM trace ORDER BY id`);
  for (const { id, root } of rows(c, SELECT_TRACES)) {
    moveSegments(c, id, root);
  }
  c.db.exec(`
    INSERT INTO summaries (trace, events, summary)
      SELECT t.id, h.events, '{}' FROM trace t JOIN heads h ON h.trace = t.id WHERE t.complete;
    DROP TABLE segment;
    DROP TABLE trace`);
}

/** One row at a time: a log may be larger than memory. */
function moveSegments(c: Connection, trace: number, genesis: Buffer): void {
  const head = { segments: 0, events: 0, size: 0, bytes: 0, root: genesis };
  for (;;) {
    const old = row(c, SELECT_ONE, trace, head.segments);
    if (old === undefined) break;
    const { first, count, hash, codec, bytes } = old;
    const size = restoredSize(codec, bytes) ?? 0; // Damaged: `verify` will name it.
    run(
      c,
      INSERT,
      segmentId(trace, head.segments),
      trace,
      head.segments,
      first,
      count,
      hash,
      size,
      codec,
      bytes,
    );
    head.segments += 1;
    head.events = first + count - 1;
    head.size += size;
    head.bytes += bytes.length;
    head.root = hash;
  }
  run(c, INSERT_HEAD, trace, head.segments, head.events, head.size, head.bytes, head.root);
}

const SELECT_TRACES = select({ id: 'integer', root: 'hash' }, 'SELECT id, root FROM traces ORDER BY id');
const SELECT_ONE = select(
  { first: 'integer', count: 'integer', hash: 'hash', codec: 'integer', bytes: 'blob' },
  'SELECT first, count, hash, codec, bytes FROM segment WHERE trace = ? AND idx = ?',
);
const INSERT =
  'INSERT INTO segments (id, trace, idx, first, count, hash, size, codec, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)';
const INSERT_HEAD =
  'INSERT INTO heads (trace, segments, events, size, bytes, root) VALUES (?, ?, ?, ?, ?, ?)';

const MIGRATIONS: ReadonlyMap<number, Migration> = new Map([[1, oneToTwo]]);
