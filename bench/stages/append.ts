import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { encodeSegment } from '../../core/codec/encode.js';
import type { Event } from '../../core/event/event.js';
import { openLog } from '../../replay/log.js';
import { openStore, type NewSegment, type Projection } from '../../store/index.js';
import { must, TRACES } from '../log.js';
import { ROW_TABLES, rowWriter } from '../rows.js';
import { Stopwatch } from '../timing.js';

export interface AppendInput {
  /** A log to take events from. */
  readonly log: string;
  /** Folder for what is written. */
  readonly folder: string;
}

/** Events a second, all made durable in transactions of 65,536 events. */
export interface AppendOutput {
  readonly events: number;
  /** Events encoded, deflated, hashed, chained, indexed. */
  readonly log: number;
  /** The same, handed over as encoded segments. */
  readonly encoded: number;
  /** One row an event, and the same derived rows. */
  readonly rows: number;
  /** The encoded segments as plain blobs. */
  readonly blobs: number;
  /** SHA-256 of the encoded segments, nothing written. */
  readonly sha256: number;
}

const GROUP = 16;

/** A row for every change of a range of pages: what the history of permissions and the last change of a page are found by. */
const CHANGES =
  'CREATE TABLE changes (trace INTEGER, page INTEGER, seq INTEGER, pages INTEGER, PRIMARY KEY (trace, page, seq)) WITHOUT ROWID';
const INSERT_CHANGE = 'INSERT INTO changes (trace, page, seq, pages) VALUES (?, ?, ?, ?)';

/** The pages that an event changes: the first and how many; null: none. */
const changed = (event: Event): readonly [page: number, pages: number] | null => {
  switch (event.kind) {
    case 'permission':
    case 'mapped':
    case 'unmapped':
      return [event.page, event.pages];
    case 'copied':
    case 'filled':
      return [event.to.page, Math.ceil((event.to.offset + event.length) / 4096)];
    default:
      return null;
  }
};

const changes: Projection<readonly Event[]> = {
  name: 'changes',
  version: 1,
  ddl: [CHANGES],
  apply(batch, write, trace) {
    for (const event of batch) {
      const pages = changed(event);
      if (pages !== null) write.run(INSERT_CHANGE, trace.id, pages[0], event.seq, pages[1]);
    }
  },
};

const bare = (file: string, table: string): Database.Database => {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 4096');
  db.exec(table);
  return db;
};

const indexedLog = (file: string) => {
  const store = must(openStore(file, { projections: [changes] }));
  return { store, trace: must(store.createTrace({ name: 'bench', meta: {}, genesis: new Uint8Array() })) };
};

const segmentOf = (batch: readonly Event[], bytes: Uint8Array): NewSegment => ({
  first: (batch[0] as Event).seq,
  count: batch.length,
  bytes,
  batch,
});

/** Batches of a trace, so many together. */
function* groupsOf(file: string): Generator<readonly (readonly Event[])[]> {
  const log = must(openLog(file));
  const trace = must(log.trace(TRACES[0]));
  let group: (readonly Event[])[] = [];
  for (const batch of trace.batches({ from: 0 })) {
    if (must(batch).length > 0) group.push(must(batch));
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
  log.close();
}

/** Only what is under the clock counts: reading and decoding the events does not, and the first group is there to warm up. */
export const append = ({ log, folder }: AppendInput): AppendOutput => {
  const files = ['log', 'encoded', 'rows', 'blobs'].map((name) => `${folder}/append-${name}.db`);
  const [logFile, encodedFile, rowsFile, blobsFile] = files as [string, string, string, string];
  const watch = {
    log: new Stopwatch(),
    encoded: new Stopwatch(),
    rows: new Stopwatch(),
    blobs: new Stopwatch(),
    sha256: new Stopwatch(),
  };
  const whole = indexedLog(logFile);
  const encoded = indexedLog(encodedFile);
  const blobs = bare(blobsFile, 'CREATE TABLE segments (id INTEGER PRIMARY KEY, bytes BLOB)');
  const insertBlob = blobs.prepare('INSERT INTO segments (bytes) VALUES (?)');
  const rows = bare(rowsFile, `${ROW_TABLES}; ${CHANGES}`);
  const writeRow = rowWriter(rows);
  const insertChange = rows.prepare(INSERT_CHANGE);
  let events = 0;
  let groups = 0;
  for (const group of groupsOf(log)) {
    if (groups++ === 1) {
      events = 0;
      for (const each of Object.values(watch)) each.seconds = 0;
    }
    events += group.reduce((sum, batch) => sum + batch.length, 0);
    watch.log.time(() =>
      must(whole.trace.appendAll(group.map((batch) => segmentOf(batch, encodeSegment(batch))))),
    );
    watch.rows.time(() =>
      rows
        .transaction(() => {
          for (const batch of group)
            for (const event of batch) {
              writeRow(event);
              const pages = changed(event);
              if (pages !== null) insertChange.run(1, pages[0], event.seq, pages[1]);
            }
        })
        .immediate(),
    );
    const segments = group.map((batch) => segmentOf(batch, encodeSegment(batch)));
    watch.encoded.time(() => must(encoded.trace.appendAll(segments)));
    watch.blobs.time(() =>
      blobs
        .transaction(() => {
          for (const { bytes } of segments) insertBlob.run(bytes);
        })
        .immediate(),
    );
    watch.sha256.time(() => {
      for (const { bytes } of segments) createHash('sha256').update(bytes).digest();
    });
  }
  whole.store.close();
  encoded.store.close();
  rows.close();
  blobs.close();
  for (const file of files) rmSync(file);
  const speed = ({ seconds }: Stopwatch): number => events / seconds;
  return {
    events,
    log: speed(watch.log),
    encoded: speed(watch.encoded),
    rows: speed(watch.rows),
    blobs: speed(watch.blobs),
    sha256: speed(watch.sha256),
  };
};
