import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { openStore, type NewSegment, type OpenOptions, type Projection } from '../store/index.js';

export interface AppendOptions {
  /** Where the files are made; a new folder in the system's temporary one. */
  readonly folder?: string;
  readonly events?: number;
  readonly eventsPerSegment?: number;
  /** Segments, or as many events as they hold, in one transaction. */
  readonly segmentsPerCommit?: number;
}

/** One way of writing the same events. */
export interface AppendFigure {
  readonly way: 'store' | 'store, indexed' | 'blobs' | 'rows' | 'sha256';
  readonly eventsPerSecond: number;
  /** Bytes of the closed file for each event; null where nothing is written. */
  readonly bytesPerEvent: number | null;
}

/**
 * Durable, hashed, compressed append of ready segments, without and with a derived table, beside what it may be compared with in the same
 * run: the same bytes inserted as plain blobs, a row for each event (both in transactions of the same size, WAL, synchronous=FULL), and SHA-256
 * alone.
 */
export function benchAppend(options: AppendOptions = {}): readonly AppendFigure[] {
  const { events = 1 << 20, eventsPerSegment = 1024, segmentsPerCommit = 16 } = options;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'pagetrail-bench-'));
  const commits = commitsOf(events, eventsPerSegment, segmentsPerCommit);
  const file = (name: string): string => join(folder, `${name}.db`);
  const figures = [
    figure('store', events, file('store'), (path) => appendToStore(path, commits, {})),
    figure('store, indexed', events, file('indexed'), (path) =>
      appendToStore(path, commits, {
        projections: [touched],
        decode: (_, { first, count }) => ({ first, count }),
      }),
    ),
    figure('blobs', events, file('blobs'), (path) => insertBlobs(path, commits)),
    figure('rows', events, file('rows'), (path) => insertRows(path, commits)),
    figure('sha256', events, null, () => hashAll(commits)),
  ];
  if (options.folder === undefined) rmSync(folder, { recursive: true });
  return figures;
}

function figure(
  way: AppendFigure['way'],
  events: number,
  file: string | null,
  write: (file: string) => void,
): AppendFigure {
  const start = process.hrtime.bigint();
  write(file ?? '');
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const bytes = file === null ? null : statSync(file).size;
  return {
    way,
    eventsPerSecond: Math.round(events / seconds),
    bytesPerEvent: bytes === null ? null : bytes / events,
  };
}

type Commit = readonly NewSegment[];

function commitsOf(events: number, eventsPerSegment: number, segmentsPerCommit: number): readonly Commit[] {
  const patterns = Array.from({ length: 64 }, (_, i) => columns(eventsPerSegment, i + 1));
  const commits: NewSegment[][] = [];
  for (let i = 0; i * eventsPerSegment < events; i++) {
    if (i % segmentsPerCommit === 0) commits.push([]);
    const bytes = patterns[i % patterns.length] ?? new Uint8Array();
    commits.at(-1)?.push({ first: i * eventsPerSegment + 1, count: eventsPerSegment, bytes });
  }
  return commits;
}

/** About 14 bytes an event that deflate to 6.5, like the columns of a recording: kinds, time steps, cpus, tasks, addresses, values. */
export function columns(count: number, seed: number): Uint8Array {
  let state = seed;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const bytes: number[] = [];
  const column = (cells: () => readonly number[]): void => {
    for (let i = 0; i < count; i++) bytes.push(...cells());
  };
  column(() => [random(3) === 0 ? random(20) : 2]);
  column(() => [random(128) | 128, random(4) === 0 ? random(128) : random(4)]);
  column(() => [random(10) === 0 ? random(4) : 0]);
  column(() => [random(5) === 0 ? random(9) : 1]);
  column(() => [
    random(64),
    random(3) === 0 ? random(256) : 0x81,
    0xff,
    random(4) === 0 ? random(16) : 3,
    0xa0,
  ]);
  column(() => [random(6) * 16, random(8) === 0 ? random(256) : 0, 0x10, 0]);
  return Uint8Array.from(bytes);
}

function appendToStore(file: string, commits: readonly Commit[], options: OpenOptions): void {
  const store = openStore(file, options);
  if (!store.ok) throw new Error(store.error.what);
  const log = store.value.createTrace({ name: 'bench', meta: {}, genesis: new Uint8Array() });
  if (!log.ok) throw new Error(log.error.what);
  for (const commit of commits) {
    const appended = log.value.appendAll(commit);
    if (!appended.ok) throw new Error(appended.error.what);
  }
  store.value.close();
}

/** A row for every eighth event, found by page: what the last change of a page needs when calls are most of a log. */
const touched: Projection<{ readonly first: number; readonly count: number }> = {
  name: 'touched',
  version: 1,
  ddl: [
    'CREATE TABLE touched (trace INTEGER, page INTEGER, seq INTEGER, PRIMARY KEY (trace, page, seq)) WITHOUT ROWID',
  ],
  apply({ first, count }, write, trace) {
    for (let seq = first; seq < first + count; seq += 8) {
      write.run(
        'INSERT INTO touched (trace, page, seq) VALUES (?, ?, ?)',
        trace.id,
        (seq * 7919) % 3000,
        seq,
      );
    }
  },
};

function bare(file: string, table: string): Database.Database {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('wal_autocheckpoint = 4096');
  db.exec(table);
  return db;
}

function insertBlobs(file: string, commits: readonly Commit[]): void {
  const db = bare(file, 'CREATE TABLE segments (id INTEGER PRIMARY KEY, bytes BLOB)');
  const insert = db.prepare('INSERT INTO segments (bytes) VALUES (?)');
  const write = db.transaction((commit: Commit) => {
    for (const { bytes } of commit) insert.run(bytes);
  });
  for (const commit of commits) write.immediate(commit);
  db.close();
}

function insertRows(file: string, commits: readonly Commit[]): void {
  const db = bare(
    file,
    `CREATE TABLE events (seq INTEGER PRIMARY KEY, time INTEGER, cpu INTEGER, pid INTEGER, kind INTEGER, call INTEGER,
      address INTEGER, length INTEGER)`,
  );
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const write = db.transaction((commit: Commit) => {
    for (const { first, count } of commit) {
      for (let seq = first; seq < first + count; seq++) {
        const address = -0x3fff0000 - (seq % 4096) * 64;
        insert.run(seq, seq * 431, seq & 3, 100 + (seq % 5), seq % 23, seq >> 3, address, 64);
      }
    }
  });
  for (const commit of commits) write.immediate(commit);
  db.close();
}

function hashAll(commits: readonly Commit[]): void {
  for (const commit of commits) {
    for (const { bytes } of commit) createHash('sha256').update(bytes).digest();
  }
}

/** `node dist/bench/append.js`: the figures as lines of text. */
function print(): void {
  for (const [eventsPerSegment, segmentsPerCommit] of [
    [1024, 1],
    [1024, 16],
    [4096, 1],
    [4096, 16],
  ] as const) {
    console.log(`${eventsPerSegment} events a segment, ${segmentsPerCommit} segments a commit`);
    for (const { way, eventsPerSecond, bytesPerEvent } of benchAppend({
      eventsPerSegment,
      segmentsPerCommit,
    })) {
      const size = bytesPerEvent === null ? '' : `${bytesPerEvent.toFixed(1)} bytes an event`;
      console.log(`  ${way.padEnd(16)}${(eventsPerSecond / 1e6).toFixed(2).padStart(8)} M events/s  ${size}`);
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) print();
