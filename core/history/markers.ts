/** The markers of a trace as a table: a moment named by one is found without reading the log. */
import type { Event, EventOf } from '../event/event.js';
import type { Batch } from './projection.js';
import { DERIVED } from './versions.js';

export type Marker = EventOf<'marker'>;

export const markersIn = (events: readonly Event[]): readonly Marker[] =>
  events.filter((event) => event.kind === 'marker');

/** What the projection needs of the store: SQL, with constant texts. */
interface Rows {
  run(sql: string, ...values: readonly (number | string)[]): void;
}

const INSERT = 'INSERT INTO markers (trace, seq, time, task, text) VALUES (?, ?, ?, ?, ?)';

/** Projection `markers`: one row for each marker. */
export const markersProjection = () => ({
  ...DERIVED.markers,
  ddl: [
    `CREATE TABLE markers (
  trace INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  time INTEGER NOT NULL,
  task TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (trace, seq)) WITHOUT ROWID`,
  ],
  apply(batch: Batch, rows: Rows, trace: { readonly id: number }): void {
    for (const { seq, time, task, text } of 'events' in batch ? markersIn(batch.events) : batch.markers)
      rows.run(INSERT, trace.id, seq, time, task, text);
  },
});
