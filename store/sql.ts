import Database from 'better-sqlite3';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { Connection, SqlInput } from './connection.js';
import { defineEventTable, TableFailure, type EventTable } from './event-table.js';
import { sqliteFailure } from './failures.js';

/** A value in a result: integers are numbers where those are exact, else bigints. */
export type SqlValue = SqlInput;
export type SqlRow = readonly SqlValue[];

/** The answer to a query. Reading the rows to the end, or `close`, frees its connection. */
export interface SqlAnswer {
  readonly columns: readonly string[];
  /** Rows as they are computed. A failure is the last item. */
  readonly rows: IterableIterator<Result<SqlRow>>;
  close(): void;
}

/** Answers one SELECT on a connection of its own, which cannot write. */
export function query(
  source: Connection,
  sql: string,
  parameters: readonly SqlInput[],
  table: EventTable | undefined,
  onEnd: (ended: SqlAnswer) => void,
): Result<SqlAnswer> {
  if (source.again === null) {
    return fail(
      'no-sql',
      'a log in memory has no second connection for SQL',
      source.file,
      'keep the log in a file',
    );
  }
  let db: Database.Database | null = null;
  try {
    db = source.again();
    db.pragma('trusted_schema = OFF');
    if (table !== undefined) defineEventTable(db, source, table);
    const statement = db.prepare<SqlInput[], SqlRow>(sql);
    if (statement.reader) return ok(answer(db, statement, parameters, source.file, onEnd));
    db.close();
    return fail(
      'not-a-query',
      'only queries can be run on a log, nothing that changes it',
      undefined,
      'use SELECT',
    );
  } catch (error) {
    db?.close();
    return sqlFailure(error, source.file);
  }
}

function answer(
  db: Database.Database,
  statement: Database.Statement<SqlInput[], SqlRow>,
  parameters: readonly SqlInput[],
  file: string,
  onEnd: (ended: SqlAnswer) => void,
): SqlAnswer {
  const columns = statement.columns().map((column) => column.name);
  statement.raw().safeIntegers();
  let source: IterableIterator<SqlRow> | null = null;
  let ended = false;
  const close = (): void => {
    source?.return?.();
    db.close();
    onEnd(all);
  };
  const end = (last: IteratorResult<Result<SqlRow>>): IteratorResult<Result<SqlRow>> => {
    ended = true;
    close();
    return last;
  };
  const next = (): IteratorResult<Result<SqlRow>> => {
    if (ended) return DONE;
    if (!db.open) return end({ done: false, value: fail('closed', 'this log has been closed', file) });
    try {
      source ??= statement.iterate(...parameters);
      const item = source.next();
      return item.done === true ? end(DONE) : { done: false, value: ok(item.value.map(asNumber)) };
    } catch (error) {
      return end({ done: false, value: sqlFailure(error, file) });
    }
  };
  const rows: IterableIterator<Result<SqlRow>> = {
    next,
    return: () => end(DONE),
    [Symbol.iterator]: () => rows,
  };
  const all: SqlAnswer = { columns, rows, close };
  return all;
}

const DONE: IteratorResult<never> = { done: true, value: undefined };

const asNumber = (value: SqlValue): SqlValue =>
  typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;

/** Bad SQL is the user's, so better-sqlite3's complaints about the text or its parameters are failures too. */
function sqlFailure(error: unknown, file: string): Result<never> {
  if (error instanceof TableFailure) return { ok: false, error: error.failure };
  if (error instanceof Database.SqliteError && error.code === 'SQLITE_ERROR') {
    return fail('bad-sql', error.message, undefined, 'tables: SELECT name FROM sqlite_schema');
  }
  const failure = sqliteFailure(error, file);
  if (failure !== null) return failure;
  if (error instanceof RangeError || error instanceof TypeError) return fail('bad-sql', error.message);
  throw error;
}
