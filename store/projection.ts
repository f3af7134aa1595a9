import type Database from 'better-sqlite3';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { Connection, SqlInput } from './connection.js';
import { TABLES } from './schema.js';
import { dropOtherSnapshots, writeSnapshot } from './snapshots.js';
import type { TraceKey } from './trace-key.js';

/**
 * Derived tables that follow the log: what they hold is a function of the events alone, so they can be dropped and made
 * again. `B` is what the caller's decoder makes of a segment's bytes.
 */
export interface Projection<B> {
  /** Lower-case letters, digits and `_`. Its tables are named so, or begin with it and `_`. */
  readonly name: string;
  /** Raised when `ddl` or `apply` changes: the tables are then made again. */
  readonly version: number;
  /** One CREATE TABLE or CREATE INDEX each. Every table has a column `trace` with the trace's id. */
  readonly ddl: readonly string[];
  /** What was known before the first event. */
  start?(genesis: Uint8Array, write: ProjectionWriter, trace: TraceKey): void;
  /** False: `apply` cannot go on where the tables end (its own memory of the trace is gone): they are made again from the first event. */
  follows?(trace: TraceKey): boolean;
  /** The events of one segment, in order, in the transaction that appends them (or on a rebuild). */
  apply(batch: B, write: ProjectionWriter, trace: TraceKey): void;
}

/** A row as SQLite has it: every integer a bigint, whatever its size. */
export type ProjectionRow = readonly (bigint | number | string | Uint8Array | null)[];

/**
 * SQL for a projection. The texts are constants, prepared once. Addresses are bound as `signed64(bigint)`.
 */
export interface ProjectionWriter {
  run(sql: string, ...values: readonly SqlInput[]): void;
  get(sql: string, ...values: readonly SqlInput[]): ProjectionRow | undefined;
  all(sql: string, ...values: readonly SqlInput[]): readonly ProjectionRow[];
  /** Keeps a snapshot of a trace. */
  keepSnapshot(trace: number, seq: number, bytes: Uint8Array, reducer: string): void;
  /** Drops the snapshots of a trace that were made by others than this reducer. */
  dropOtherSnapshots(trace: number, reducer: string): void;
}

export function projectionWriter(c: Connection): ProjectionWriter {
  const statements = new Map<string, Database.Statement<SqlInput[]>>();
  const statement = (sql: string): Database.Statement<SqlInput[]> => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const made = c.db.prepare<SqlInput[]>(sql);
    if (made.reader) made.raw().safeIntegers();
    statements.set(sql, made);
    return made;
  };
  return {
    run: (sql, ...values) => void statement(sql).run(...values),
    get: (sql, ...values) => statement(sql).get(...values) as ProjectionRow | undefined,
    all: (sql, ...values) => statement(sql).all(...values) as ProjectionRow[],
    keepSnapshot: (trace, seq, bytes, reducer) => writeSnapshot(c, trace, reducer, { seq, bytes }),
    dropOtherSnapshots: (trace, reducer) => dropOtherSnapshots(c, trace, reducer),
  };
}

const NAME = /^[a-z][a-z0-9_]*$/;
const CREATE = /^\s*CREATE\s+(?:UNIQUE\s+)?(TABLE|INDEX)\s+([a-z0-9_]+)\b/i;

export interface ProjectionObjects {
  readonly tables: readonly string[];
  readonly indexes: readonly string[];
}

/** The tables and indexes that a projection makes, or what is wrong with its name or DDL. */
export function objectsOf({ name, ddl }: Projection<never>): Result<ProjectionObjects> {
  if (!NAME.test(name) || name.startsWith('sqlite_') || Object.hasOwn(TABLES, name)) {
    return fail('bad-projection', `a projection cannot be named ${JSON.stringify(name)}`);
  }
  const found = { tables: [] as string[], indexes: [] as string[] };
  for (const text of ddl) {
    const [, type, object = ''] = CREATE.exec(text) ?? [];
    if (
      type === undefined ||
      Object.hasOwn(TABLES, object) ||
      !(object === name || object.startsWith(`${name}_`))
    ) {
      return fail(
        'bad-projection',
        `projection ${name} may create tables and indexes named ${name} or ${name}_…, not: ${text}`,
      );
    }
    (type.toUpperCase() === 'TABLE' ? found.tables : found.indexes).push(object);
  }
  return ok(found);
}
