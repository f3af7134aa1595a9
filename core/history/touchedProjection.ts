/** Which segments may have changed which pages, as a table. */
import { decodeSegment } from '../codec/decode.js';
import { folder } from '../memory/evolve.js';
import { nothing } from '../memory/memory.js';
import type { Batch } from './projection.js';
import { touchTracker, type TouchedNode, type TouchTracker } from './touched.js';

/** What the projection needs of the store: SQL, with constant texts. */
interface Rows {
  run(sql: string, ...values: readonly (number | Uint8Array)[]): void;
}

const INSERT = 'INSERT INTO touched (trace, node, first_seq, last_seq, skip, bits) VALUES (?, ?, ?, ?, ?, ?)';

const write = (rows: Rows, trace: number, list: readonly TouchedNode[]): void => {
  for (const { node, first, last, skip, bits } of list)
    rows.run(INSERT, trace, node, first, last, skip, bits);
};

/** Projection `touched`: one row for each segment and each 512 pages with one that the segment may have changed. */
export const touchedProjection = () => {
  const own = new Map<number, TouchTracker>();
  return {
    name: 'touched',
    version: 1,
    ddl: [
      `CREATE TABLE touched (
  trace INTEGER NOT NULL,
  node INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  skip INTEGER NOT NULL,
  bits BLOB NOT NULL,
  PRIMARY KEY (trace, node, first_seq)) WITHOUT ROWID`,
    ],
    start(genesis: Uint8Array, _rows: Rows, trace: { readonly id: number }): void {
      const fold = folder(nothing);
      if (genesis.length > 0) {
        const given = decodeSegment(genesis);
        if (!given.ok) throw new Error(given.error.what);
        for (const event of given.value) fold.apply(event);
      }
      own.set(trace.id, touchTracker(fold.memory()));
    },
    follows: (trace: { readonly id: number }): boolean => own.has(trace.id),
    apply(batch: Batch, rows: Rows, trace: { readonly id: number }): void {
      if ('touched' in batch) {
        own.delete(trace.id);
        write(rows, trace.id, batch.touched);
        return;
      }
      const tracker = own.get(trace.id);
      if (tracker === undefined) throw new Error(`trace ${trace.id} was not followed from its beginning`);
      for (const event of batch.events) tracker.after(event);
      write(rows, trace.id, tracker.take());
    },
  };
};
