import { fail, ok, type Result } from '../core/value/failure.js';
import { parseJson } from './canonical-json.js';
import { reading, row, rows, run, transact, type Connection } from './connection.js';
import type { NewSegment } from './new-segment.js';
import { objectsOf, projectionWriter, type Projection, type ProjectionWriter } from './projection.js';
import { select } from './query.js';
import type { TraceKey } from './trace-key.js';

/** Which segment the bytes to decode are. */
export interface SegmentPlace {
  readonly trace: TraceKey;
  readonly first: number;
  readonly count: number;
}

/** What projections want, from canonical bytes. What it throws becomes the failure `undecodable`. */
export type Decode = (bytes: Uint8Array, place: SegmentPlace) => unknown;

/** The projections that a store was opened with, on its connection. */
export interface ActiveProjections {
  readonly list: readonly Projection<never>[];
  readonly write: ProjectionWriter;
  readonly batchOf: (segment: NewSegment, trace: TraceKey) => Result<unknown>;
  /** Inside the transaction that makes a trace. */
  start(trace: TraceKey, genesis: Uint8Array): void;
  /** Inside the transaction that appends `fresh`. A projection that is behind stays behind, until a rebuild. */
  apply(trace: TraceKey, fresh: readonly NewSegment[]): Result<void>;
}

export function activeProjections(
  c: Connection,
  list: readonly Projection<never>[],
  decode: Decode | undefined,
): ActiveProjections {
  const write = projectionWriter(c);
  const batchOf = (segment: NewSegment, trace: TraceKey): Result<unknown> =>
    segment.batch === undefined ? decoded(segment, trace, decode) : ok(segment.batch);
  return {
    list,
    write,
    batchOf,
    start(trace, genesis) {
      for (const projection of list) {
        if (registeredVersion(c, projection.name) === projection.version)
          startOne(c, projection, write, trace, genesis);
      }
    },
    apply(trace, fresh) {
      const first = fresh[0]?.first ?? 1;
      const given = fresh.every(({ batch }) => batch !== undefined);
      const current = list.filter(
        (projection) =>
          registeredVersion(c, projection.name) === projection.version &&
          projectedEvents(c, projection.name, trace.id) === first - 1 &&
          (given || projection.follows?.(trace) !== false),
      );
      if (current.length === 0) return ok(undefined);
      for (const segment of fresh) {
        const batch = batchOf(segment, trace);
        if (!batch.ok) return batch;
        for (const projection of current) projection.apply(batch.value as never, write, trace);
      }
      const last = fresh.at(-1);
      const events = last === undefined ? 0 : last.first + last.count - 1;
      for (const { name } of current) setProjected(c, name, trace.id, events);
      return ok(undefined);
    },
  };
}

function decoded(segment: NewSegment, trace: TraceKey, decode: Decode | undefined): Result<unknown> {
  const { first, count, bytes } = segment;
  if (decode === undefined) {
    return fail('undecodable', 'projections need a decoder, or the batch beside the bytes of a segment');
  }
  try {
    return ok(decode(bytes, { trace, first, count }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(
      'undecodable',
      `events ${first} to ${first + count - 1} of trace ${trace.name} cannot be decoded: ${why}`,
    );
  }
}

/** Runs `start` of a projection for a trace of which it has seen nothing. */
export function startOne(
  c: Connection,
  projection: Projection<never>,
  write: ProjectionWriter,
  trace: TraceKey,
  genesis: Uint8Array,
): void {
  projection.start?.(genesis, write, trace);
  setProjected(c, projection.name, trace.id, 0);
}

export const registeredVersion = (c: Connection, name: string): number | undefined =>
  row(c, REGISTERED, name)?.version;

/** Takes back all that a projection has said of a trace. */
export function forgetTrace(c: Connection, name: string, trace: number): void {
  for (const table of tablesOf(c, name)) run(c, `DELETE FROM ${table} WHERE trace = ?`, trace);
  run(c, 'DELETE FROM projected WHERE projection = ? AND trace = ?', name, trace);
}

/** How many events of a trace a projection has seen; undefined when not even its genesis. */
export const projectedEvents = (c: Connection, name: string, trace: number): number | undefined =>
  row(c, SEEN, name, trace)?.events;

/** A projection, and the version of it whose tables are known. */
export type ProjectionVersion = Pick<Projection<never>, 'name' | 'version'>;

/** Whether a projection is registered in this version and has seen all events of a trace. */
export function isCurrent(c: Connection, { name, version }: ProjectionVersion, trace: number): boolean {
  const seen = row(c, CURRENT, name, trace);
  return seen !== undefined && seen.version === version && seen.projected === seen.events;
}

const CURRENT = select(
  { projected: 'integer', events: 'integer', version: 'integer' },
  `SELECT p.events AS projected, h.events AS events, j.version AS version FROM projected p JOIN projections j ON j.name = p.projection
  JOIN heads h ON h.trace = p.trace WHERE p.projection = ? AND p.trace = ?`,
);

export const setProjected = (c: Connection, name: string, trace: number, events: number): number =>
  run(c, 'REPLACE INTO projected (projection, trace, events) VALUES (?, ?, ?)', name, trace, events);

/** Makes the tables of projections that are new, changed or damaged, empty: `catchUp` fills them. */
export function registerProjections(c: Connection, list: readonly Projection<never>[]): Result<void> {
  for (const projection of list) {
    const registered = register(c, projection);
    if (!registered.ok) return registered;
  }
  return ok(undefined);
}

function register(c: Connection, projection: Projection<never>): Result<void> {
  const objects = objectsOf(projection);
  if (!objects.ok) return objects;
  if (isRegistered(c, projection, [...objects.value.tables, ...objects.value.indexes])) return ok(undefined);
  return transact(c, () => {
    dropTables(c, projection.name);
    for (const text of projection.ddl) c.db.exec(text);
    const without = objects.value.tables.find((table) => !columnsOf(c, table).includes('trace'));
    if (without !== undefined) {
      return fail('bad-projection', `table ${without} of projection ${projection.name} has no column trace`);
    }
    run(
      c,
      'INSERT INTO projections (name, version, ddl, tables) VALUES (?, ?, ?, ?)',
      projection.name,
      projection.version,
      JSON.stringify(projection.ddl),
      JSON.stringify(objects.value.tables),
    );
    return ok(undefined);
  });
}

function isRegistered(
  c: Connection,
  { name, version, ddl }: Projection<never>,
  objects: readonly string[],
): boolean {
  const known = row(c, REGISTERED, name);
  if (known?.version !== version || known.ddl !== JSON.stringify(ddl)) return false;
  const present = new Set(rows(c, OBJECTS).map((object) => object.name));
  return objects.every((object) => present.has(object));
}

const columnsOf = (c: Connection, table: string): readonly string[] =>
  rows(c, COLUMNS, table).map((column) => column.name);

/** Inside a transaction: forgets a projection and drops its tables, if it was ever registered. */
export function dropTables(c: Connection, name: string): void {
  for (const table of tablesOf(c, name)) c.db.exec(`DROP TABLE IF EXISTS ${table}`);
  run(c, 'DELETE FROM projected WHERE projection = ?', name);
  run(c, 'DELETE FROM projections WHERE name = ?', name);
}

/** Names of all registered projections, those of other programs included. */
export const registeredNames = (c: Connection): readonly string[] => rows(c, NAMES).map(({ name }) => name);

/** Tables of a registered projection, as it registered them. */
export function tablesOf(c: Connection, name: string): readonly string[] {
  const tables = parseJson(row(c, REGISTERED, name)?.tables ?? '[]');
  // Names go into SQL texts: nothing else than a name passes, whatever the file holds.
  return Array.isArray(tables) ? tables.filter(isTableName) : [];
}

const isTableName = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9_]+$/.test(value);

const REGISTERED = select(
  { version: 'integer', ddl: 'text', tables: 'text' },
  'SELECT version, ddl, tables FROM projections WHERE name = ?',
);
const NAMES = select({ name: 'text' }, 'SELECT name FROM projections ORDER BY name');
const SEEN = select({ events: 'integer' }, 'SELECT events FROM projected WHERE projection = ? AND trace = ?');
const OBJECTS = select({ name: 'text' }, 'SELECT name FROM sqlite_schema');
const COLUMNS = select({ name: 'text' }, 'SELECT name FROM pragma_table_info(?)');

/** Whether a projection's tables say what the log says. */
export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  /** False: its tables are missing or of another version. */
  readonly registered: boolean;
  /** Traces of which it has not seen all events. */
  readonly behind: readonly { readonly trace: string; readonly projected: number; readonly events: number }[];
}

export function projectionStatus(c: Connection, projection: Projection<never>): Result<ProjectionStatus> {
  return reading(c, () => {
    const objects = objectsOf(projection);
    if (!objects.ok) return objects;
    const { name, version } = projection;
    const registered = isRegistered(c, projection, [...objects.value.tables, ...objects.value.indexes]);
    const behind = registered ? rows(c, BEHIND, name) : [];
    return ok({ name, version, registered, behind });
  });
}

const BEHIND = select(
  { trace: 'text', projected: 'integer', events: 'integer' },
  `SELECT t.name AS trace, coalesce(p.events, 0) AS projected, h.events AS events
  FROM traces t JOIN heads h ON h.trace = t.id LEFT JOIN projected p ON p.trace = t.id AND p.projection = ?
  WHERE p.events IS NULL OR p.events <> h.events ORDER BY t.id`,
);
