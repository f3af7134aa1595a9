import type Database from 'better-sqlite3';
import type { Failure } from '../core/value/failure.js';
import type { Connection } from './connection.js';
import { segmentsFrom, type Segment } from './segments.js';
import type { SqlValue } from './sql.js';
import { findTrace, listTraces, type TraceInfo } from './trace-info.js';

/** How events look in SQL. The store reads the segments, its opener knows what they mean. */
export interface EventTable {
  /** Any names but `trace`, `from` and `to`: those are the parameters. */
  readonly columns: readonly string[];
  /** Rows of the events `from` to `to` of a segment, in order, each with a value for each column. */
  rows(segment: Segment, from: number, to: number, trace: TraceInfo): Iterable<readonly SqlValue[]>;
}

/** Carries a failure out through SQLite, which passes exceptions of table functions on as they are. */
export class TableFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.what);
    this.failure = failure;
  }
}

/**
 * Defines `event(trace, from, to)` on a connection used for nothing else: its rows are read on `source`, since a connection
 * that runs a statement cannot run another for a table function. Without `to` up to the last event, without `from` from the first;
 * without `trace` the only one there is.
 */
export function defineEventTable(db: Database.Database, source: Connection, table: EventTable): void {
  db.table('event', {
    columns: [...table.columns],
    parameters: ['trace', 'from', 'to'],
    safeIntegers: false,
    *rows(trace: unknown, from: unknown, to: unknown) {
      yield* eventRows(source, table, { trace, from, to });
    },
  });
}

interface Wanted {
  readonly trace: unknown;
  readonly from: unknown;
  readonly to: unknown;
}

function* eventRows(source: Connection, table: EventTable, wanted: Wanted): Generator<readonly unknown[]> {
  const trace = traceOf(source, wanted.trace);
  const first = Math.max(1, eventNumber('from', wanted.from) ?? 1);
  const last = eventNumber('to', wanted.to) ?? Infinity;
  if (first > last) return;
  for (const segment of segmentsFrom(source, trace, first)) {
    if (!segment.ok) throw new TableFailure(segment.error);
    const { first: begin, count } = segment.value;
    if (begin > last) return;
    const from = Math.max(first, begin);
    const to = Math.min(last, begin + count - 1);
    for (const values of table.rows(segment.value, from, to, trace)) yield values.map(asSql);
  }
}

function eventNumber(parameter: string, value: unknown): number | null {
  if (value === undefined || typeof value === 'number') return value ?? null;
  throw new TableFailure({
    code: 'bad-sql',
    what: `${parameter} is not the number of an event`,
    hint: `event('NAME', 1, 100)`,
  });
}

/** Numbers given by a table function are REAL, bigints INTEGER: 1 would print as 1.0 and 1/2 be 0.5. */
const asSql = (value: SqlValue): SqlValue =>
  typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;

function traceOf(source: Connection, wanted: unknown): TraceInfo {
  const all = wanted === undefined ? listTraces(source) : [];
  const only = all.length === 1 ? all[0] : undefined;
  if (only !== undefined) return only;
  if (wanted === undefined) {
    throw new TableFailure({
      code: 'no-such-trace',
      what: `this log has ${all.length} traces: say which`,
      hint: `event('NAME')`,
    });
  }
  const found = findTrace(source, typeof wanted === 'string' ? wanted : '');
  if (!found.ok) throw new TableFailure(found.error);
  return found.value;
}
