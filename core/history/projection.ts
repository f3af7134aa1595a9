/** The permission history as a table: rows that any SQLite tool can read, kept up with the log in the transaction that appends to it. */
import { decodeSegment } from '../codec/decode.js';
import type { Event } from '../event/event.js';
import { folder, type Folder } from '../memory/evolve.js';
import { nothing } from '../memory/memory.js';
import type { LifeEvent } from './lives.js';
import type { Marker } from './markers.js';
import type { OperationAt } from './operations.js';
import { signedAddress } from './signed.js';
import type { Rectangle, RectangleChanges } from './rectangle.js';
import type { Touched } from './touched.js';
import { rectangleTracker, type RectangleTracker } from './tracker.js';
import { DERIVED } from './versions.js';

/** Events of a segment, or what their writer has found out about them already. */
export type Batch =
  | {
      readonly events: readonly Event[];
      /** Size of the segment. */
      readonly bytes: number;
    }
  | {
      readonly rectangles: RectangleChanges;
      readonly markers: readonly Marker[];
      readonly operations: readonly OperationAt[];
      readonly lives: readonly LifeEvent[];
      readonly touched: Touched;
    };

/** What the projection needs of the store: SQL, with constant texts. */
interface Rows {
  run(sql: string, ...values: readonly (bigint | number | null)[]): void;
}

const INSERT =
  'INSERT INTO history (trace, space, pages, start, from_seq, since_seq, to_seq, prot, shift, classes, call) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
const CLOSE =
  'UPDATE history SET to_seq = ? WHERE trace = ? AND space = ? AND pages = ? AND start = ? AND from_seq = ?';
const DROP = 'DELETE FROM history WHERE trace = ? AND space = ? AND pages = ? AND start = ? AND from_seq = ?';

const write = (rows: Rows, trace: number, { opened, closed, dropped }: RectangleChanges): void => {
  for (const row of dropped) rows.run(DROP, trace, row.space, row.pages, signedAddress(row.page), row.from);
  for (const row of closed)
    rows.run(CLOSE, row.to, trace, row.space, row.pages, signedAddress(row.page), row.from);
  for (const row of opened) insert(rows, trace, row);
};

const insert = (rows: Rows, trace: number, row: Rectangle): void =>
  rows.run(
    INSERT,
    trace,
    row.space,
    row.pages,
    signedAddress(row.page),
    row.from,
    row.since,
    row.to,
    row.prot,
    row.shift,
    row.classes,
    row.call,
  );

interface Own {
  readonly fold: Folder;
  readonly tracker: RectangleTracker;
}

/**
 * Projection `history`: one row for each rectangle of the permission history. Rows of open calls are written when the calls end. One object follows
 * the appends of one opened store.
 */
export const historyProjection = () => {
  const own = new Map<number, Own>();
  return {
    ...DERIVED.history,
    ddl: [
      // Clustered by what it is asked for: a page lies in at most ten keys of aligned ranges.
      `CREATE TABLE history (
  trace INTEGER NOT NULL,
  space INTEGER NOT NULL,
  pages INTEGER NOT NULL,
  start INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,
  since_seq INTEGER NOT NULL,
  to_seq INTEGER,
  prot INTEGER NOT NULL,
  shift INTEGER NOT NULL,
  classes INTEGER NOT NULL,
  call INTEGER NOT NULL,
  PRIMARY KEY (trace, space, pages, start, from_seq)) WITHOUT ROWID`,
      'CREATE INDEX history_in_order ON history (trace, from_seq)',
    ],
    start(genesis: Uint8Array, rows: Rows, trace: { readonly id: number }): void {
      const fold = folder(nothing);
      if (genesis.length > 0) {
        const given = decodeSegment(genesis);
        if (!given.ok) throw new Error(given.error.what);
        for (const event of given.value) fold.apply(event);
      }
      const tracker = rectangleTracker(fold.memory);
      own.set(trace.id, { fold, tracker });
      write(rows, trace.id, tracker.take());
    },
    follows: (trace: { readonly id: number }): boolean => own.has(trace.id),
    apply(batch: Batch, rows: Rows, trace: { readonly id: number }): void {
      if ('rectangles' in batch) {
        own.delete(trace.id);
        write(rows, trace.id, batch.rectangles);
        return;
      }
      const followed = own.get(trace.id);
      if (followed === undefined)
        throw new Error(`the permission history of trace ${trace.id} was not followed from its beginning`);
      for (const event of batch.events) {
        followed.fold.apply(event);
        followed.tracker.after(event);
      }
      write(rows, trace.id, followed.tracker.take());
    },
  };
};
