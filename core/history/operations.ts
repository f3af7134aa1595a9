/** Where the operations of a workload are in a trace, as a table. What they say is in their events. */
import type { Event } from '../event/event.js';
import type { Batch } from './projection.js';
import { DERIVED } from './versions.js';

/** An operation's place and task. */
export interface OperationAt {
  readonly seq: number;
  readonly task: string;
}

export const operationsIn = (events: readonly Event[]): readonly OperationAt[] =>
  events.flatMap(({ kind, seq, task }) => (kind === 'operation' ? [{ seq, task }] : []));

/** What the projection needs of the store: SQL, with constant texts. */
interface Rows {
  run(sql: string, ...values: readonly (number | string)[]): void;
}

const INSERT = 'INSERT INTO operations (trace, seq, task) VALUES (?, ?, ?)';

/** Projection `operations`: one row for each operation. */
export const operationsProjection = () => ({
  ...DERIVED.operations,
  ddl: [
    `CREATE TABLE operations (
  trace INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  task TEXT NOT NULL,
  PRIMARY KEY (trace, seq)) WITHOUT ROWID`,
  ],
  apply(batch: Batch, rows: Rows, trace: { readonly id: number }): void {
    for (const { seq, task } of 'operations' in batch ? batch.operations : operationsIn(batch.events))
      rows.run(INSERT, trace.id, seq, task);
  },
});
