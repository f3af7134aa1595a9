/** `PRAGMA application_id` of a log ("ptrl"); other SQLite databases are refused. */
export const APPLICATION_ID = 0x7074726c;

/** `PRAGMA user_version`: raised by every change below, with a step in migrations.ts. */
export const SCHEMA_VERSION = 2;

/** Segments of a trace have the ids trace × 2^32 + index: the table alone finds them, no index is there to be damaged. */
export const IDS_PER_TRACE = 0x100000000;

export const segmentId = (trace: number, index: number): number => trace * IDS_PER_TRACE + index;

/** Events in one segment. */
export const MAX_EVENTS = 4096;

/** Bytes in one segment before compression. */
export const MAX_BYTES = 64 * 1024 * 1024;

/** Bytes of a trace's genesis before compression. */
export const MAX_GENESIS = 256 * 1024 * 1024;

/**
 * Names no projection may take. The first four tables and `tombstones` are the truth; the others can be derived from them.
 */
export const TABLES: Readonly<Record<string, string>> = {
  traces: `CREATE TABLE traces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    created TEXT,
    meta TEXT NOT NULL,
    root BLOB NOT NULL CHECK (length(root) = 32),
    size INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    genesis BLOB NOT NULL)`,

  segments: `CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    trace INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    first INTEGER NOT NULL CHECK (first >= 1),
    count INTEGER NOT NULL CHECK (count BETWEEN 1 AND 4096),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    size INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    CHECK (id = trace * 4294967296 + idx))`,

  descriptors: `CREATE TABLE descriptors (
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    descriptor TEXT NOT NULL,
    PRIMARY KEY (kind, version)) WITHOUT ROWID`,

  tombstones: `CREATE TABLE tombstones (
    trace INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    segments INTEGER NOT NULL,
    events INTEGER NOT NULL,
    root BLOB NOT NULL,
    removed TEXT NOT NULL)`,

  heads: `CREATE TABLE heads (
    trace INTEGER PRIMARY KEY,
    segments INTEGER NOT NULL,
    events INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    root BLOB NOT NULL)`,

  summaries: `CREATE TABLE summaries (
    trace INTEGER PRIMARY KEY,
    events INTEGER NOT NULL,
    summary TEXT NOT NULL)`,

  snapshots: `CREATE TABLE snapshots (
    trace INTEGER NOT NULL,
    reducer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (trace, reducer, seq))`,

  projections: `CREATE TABLE projections (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    ddl TEXT NOT NULL,
    tables TEXT NOT NULL) WITHOUT ROWID`,

  projected: `CREATE TABLE projected (
    projection TEXT NOT NULL,
    trace INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (projection, trace)) WITHOUT ROWID`,
};

const immutable = (table: string, verb: 'UPDATE' | 'DELETE'): string =>
  `CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
  BEGIN SELECT RAISE(ABORT, '${table} may only be appended to'); END`;

/**
 * The truth may only be appended to. The trigger on insertion stops INSERT OR REPLACE, which deletes without the trigger on
 * deletion, and a segment without its predecessor.
 */
export const TRIGGERS: Readonly<Record<string, string>> = {
  traces_no_update: immutable('traces', 'UPDATE'),
  traces_no_delete: immutable('traces', 'DELETE'),
  segments_no_update: immutable('segments', 'UPDATE'),
  segments_no_delete: immutable('segments', 'DELETE'),
  descriptors_no_update: immutable('descriptors', 'UPDATE'),
  descriptors_no_delete: immutable('descriptors', 'DELETE'),
  tombstones_no_update: immutable('tombstones', 'UPDATE'),
  tombstones_no_delete: immutable('tombstones', 'DELETE'),
  segments_in_order: `CREATE TRIGGER segments_in_order BEFORE INSERT ON segments
  WHEN EXISTS (SELECT 1 FROM segments WHERE id = NEW.id)
    OR (NEW.idx > 0 AND NOT EXISTS (SELECT 1 FROM segments WHERE id = NEW.id - 1))
  BEGIN SELECT RAISE(ABORT, 'segments may only be appended to, in order'); END`,
};
