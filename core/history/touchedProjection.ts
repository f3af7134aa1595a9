/** Which segments may have changed which pages, as a table. */
import { decodeSegment } from '../codec/decode.js';
import { folder, type Folder } from '../memory/evolve.js';
import { nothing } from '../memory/memory.js';
import type { Batch } from './projection.js';
import { touchTracker, type Touched, type TouchTracker } from './touched.js';
import { DERIVED } from './versions.js';

/** What the projection needs of the store: SQL, with constant texts. */
interface Rows {
  run(sql: string, ...values: readonly (number | Uint8Array)[]): void;
}

const INSERT =
  'INSERT INTO touched (trace, node, first_seq, last_seq, skip, bits, blocks) VALUES (?, ?, ?, ?, ?, ?, ?)';
const PAGES = 'INSERT INTO touched_pages (trace, node, first_seq, images) VALUES (?, ?, ?, ?)';
const PROGRAM = 'INSERT INTO touched_programs (trace, number, last_seq, image) VALUES (?, ?, ?, ?)';

const write = (rows: Rows, trace: number, { nodes, programs }: Touched): void => {
  for (const { node, first, last, skip, bits, blocks, images } of nodes) {
    rows.run(INSERT, trace, node, first, last, skip, bits, blocks);
    rows.run(PAGES, trace, node, first, images);
  }
  for (const { number, last, bytes } of programs) rows.run(PROGRAM, trace, number, last, bytes);
};

interface Own {
  readonly fold: Folder;
  readonly tracker: TouchTracker;
}

/**
 * Projection `touched`: one row for each segment and each 512 pages with one that the segment may have changed, what was known of these pages after it, and
 * one row for each segment and each program that it changed.
 */
export const touchedProjection = () => {
  const own = new Map<number, Own>();
  return {
    ...DERIVED.touched,
    ddl: [
      `CREATE TABLE touched (
  trace INTEGER NOT NULL,
  node INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  skip INTEGER NOT NULL,
  bits BLOB NOT NULL,
  blocks BLOB NOT NULL,
  PRIMARY KEY (trace, node, first_seq)) WITHOUT ROWID`,
      `CREATE TABLE touched_pages (
  trace INTEGER NOT NULL,
  node INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  images BLOB NOT NULL,
  PRIMARY KEY (trace, node, first_seq)) WITHOUT ROWID`,
      `CREATE TABLE touched_programs (
  trace INTEGER NOT NULL,
  number INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  image BLOB NOT NULL,
  PRIMARY KEY (trace, number, last_seq)) WITHOUT ROWID`,
    ],
    start(genesis: Uint8Array, _rows: Rows, trace: { readonly id: number }): void {
      const fold = folder(nothing);
      if (genesis.length > 0) {
        const given = decodeSegment(genesis);
        if (!given.ok) throw new Error(given.error.what);
        for (const event of given.value) fold.apply(event);
      }
      own.set(trace.id, { fold, tracker: touchTracker(fold.memory) });
    },
    follows: (trace: { readonly id: number }): boolean => own.has(trace.id),
    apply(batch: Batch, rows: Rows, trace: { readonly id: number }): void {
      if ('touched' in batch) {
        own.delete(trace.id);
        write(rows, trace.id, batch.touched);
        return;
      }
      const followed = own.get(trace.id);
      if (followed === undefined) throw new Error(`trace ${trace.id} was not followed from its beginning`);
      for (const event of batch.events) {
        followed.fold.apply(event);
        followed.tracker.after(event);
      }
      write(rows, trace.id, followed.tracker.take());
    },
  };
};
