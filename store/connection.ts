import type Database from 'better-sqlite3';
import { fail, type Result } from '../core/value/failure.js';
import { sqliteFailure } from './failures.js';
import { MalformedRow, type Query } from './query.js';

/** What SQLite takes. Integers beyond 2^53 are bigints, signed 64 bits (`signed64`). */
export type SqlInput = number | bigint | string | Uint8Array | null;

/** One SQLite connection and the statements prepared on it. Statements are run to their end at once: none stays open. */
export interface Connection {
  readonly db: Database.Database;
  readonly file: string;
  readonly readonly: boolean;
  /** Another connection to the same log, for reading only; null when there can be none (a log in memory). */
  readonly again: (() => Database.Database) | null;
  readonly statements: Map<string, Database.Statement<SqlInput[]>>;
}

export const Connection = Object.freeze({
  on(db: Database.Database, file: string, readonly: boolean, again: Connection['again']): Connection {
    return { db, file, readonly, again, statements: new Map() };
  },
});

/** The prepared statement of this text. The text must be a constant: it is kept until the connection closes. */
export function prepared(c: Connection, sql: string): Database.Statement<SqlInput[]> {
  const known = c.statements.get(sql);
  if (known !== undefined) return known;
  const made = c.db.prepare<SqlInput[]>(sql);
  c.statements.set(sql, made);
  return made;
}

/** The first row. */
export function row<R>(c: Connection, query: Query<R>, ...values: SqlInput[]): R | undefined {
  const found = prepared(c, query.sql).get(...values);
  return found === undefined ? undefined : checked(query, found);
}

/** All rows: for tables that fit in memory. */
export const rows = <R>(c: Connection, query: Query<R>, ...values: SqlInput[]): readonly R[] =>
  prepared(c, query.sql)
    .all(...values)
    .map((found) => checked(query, found));

function checked<R>(query: Query<R>, found: unknown): R {
  if (query.gives(found)) return found;
  throw new MalformedRow(`unexpected values from: ${query.sql}`);
}

export const run = (c: Connection, sql: string, ...values: SqlInput[]): number =>
  prepared(c, sql).run(...values).changes;

/** Runs one operation; a closed file, and whatever SQLite refuses, become failures. Other exceptions are bugs and pass. */
export function reading<T>(c: Connection, operation: () => Result<T>): Result<T> {
  if (!c.db.open) return fail('closed', 'this log has been closed', c.file, 'open it again');
  try {
    return operation();
  } catch (error) {
    const failure = sqliteFailure(error, c.file);
    if (failure === null) throw error;
    return failure;
  }
}

/** As `reading`, refused on a file opened for reading only. */
export function writing<T>(c: Connection, operation: () => Result<T>): Result<T> {
  return reading(c, () => {
    if (c.readonly)
      return fail('read-only', 'this log was opened for reading only', c.file, 'open it for writing');
    return operation();
  });
}

/** Runs `body` in one write transaction, committed when it succeeds, rolled back when it fails or throws. */
export function transact<T>(c: Connection, body: () => Result<T>): Result<T> {
  prepared(c, 'BEGIN IMMEDIATE').run();
  try {
    const result = body();
    prepared(c, result.ok ? 'COMMIT' : 'ROLLBACK').run();
    return result;
  } catch (error) {
    // SQLite has already rolled back after some errors (disk full, input/output).
    if (c.db.inTransaction) prepared(c, 'ROLLBACK').run();
    throw error;
  }
}

/**
 * As `transact`, for what can be derived again: the commit is not waited for. The next durable commit makes it durable too,
 * and a power failure before it loses the derived rows only.
 */
export function transactDerived<T>(c: Connection, body: () => Result<T>): Result<T> {
  c.db.pragma('synchronous = NORMAL');
  try {
    return transact(c, body);
  } finally {
    c.db.pragma('synchronous = FULL');
  }
}
