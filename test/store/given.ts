import Database from 'better-sqlite3';
import type { Failure, Result } from '../../core/value/failure.js';
import type { NewSegment, Projection, Segment, Store, TraceLog } from '../../store/index.js';

/** The value of a result that must be one. */
export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.error.code}: ${result.error.what}`);
}

/** The failure of a result that must be one. */
export function failure(result: Result<unknown>): Failure {
  if (!result.ok) return result.error;
  throw new Error(`no failure but ${JSON.stringify(result.value)}`);
}

/** The code of a failure, or `ok`. */
export const codeOf = (result: Result<unknown>): string => (result.ok ? 'ok' : result.error.code);

export const newTrace = (store: Store, name = 'a', genesis = 'genesis'): TraceLog =>
  must(store.createTrace({ name, meta: { kernel: '5.18-rc3' }, genesis: Buffer.from(genesis) }));

/** Segment `index` of a trace whose segments have `count` events each. Its bytes say which it is; they deflate. */
export function segment(index: number, count = 4, what = 'events'): NewSegment {
  return { first: index * count + 1, count, bytes: bytesOf(`${what} of segment ${index}`) };
}

export const segments = (n: number, count = 4, what = 'events'): readonly NewSegment[] =>
  Array.from({ length: n }, (_, index) => segment(index, count, what));

const bytesOf = (text: string): Buffer => Buffer.from(`${text}; `.repeat(20));

/** Bytes that do not deflate. */
export const noise = (seed: number, words: number): Uint8Array =>
  Buffer.from(Uint32Array.from({ length: words }, (_, i) => Math.imul(i + seed * words, 2654435761)).buffer);

/** Everything that a log gives, which must be without failure. */
export const readAll = (log: TraceLog, from?: number): readonly Segment[] =>
  [...log.segments(from)].map(must);

export const plain = ({ first, count, bytes }: NewSegment): object => ({
  first,
  count,
  bytes: Buffer.from(bytes).toString('latin1'),
});

/** A connection that knows nothing of the store: what somebody with an SQLite tool has. */
export function tamper<T>(file: string, act: (db: Database.Database) => T): T {
  const db = new Database(file);
  try {
    return act(db);
  } finally {
    db.close();
  }
}

/** The same, with nothing in the way. */
export const forge = <T>(file: string, act: (db: Database.Database) => T): T =>
  tamper(file, (db) => {
    const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
    for (const name of triggers) db.exec(`DROP TRIGGER ${String(name)}`);
    return act(db);
  });

/** A projection with a row for each segment, and what it has seen of the genesis. */
export const seen: Projection<{ readonly text: string }> = {
  name: 'seen',
  version: 1,
  ddl: [
    'CREATE TABLE seen (trace INTEGER NOT NULL, text TEXT NOT NULL, address INTEGER)',
    'CREATE INDEX seen_by_text ON seen (trace, text)',
  ],
  start(genesis, write, trace) {
    write.run('INSERT INTO seen (trace, text) VALUES (?, ?)', trace.id, Buffer.from(genesis).toString());
  },
  apply({ text }, write, trace) {
    write.run('INSERT INTO seen (trace, text) VALUES (?, ?)', trace.id, text);
  },
};

export const decodeText = (bytes: Uint8Array): { readonly text: string } => ({
  text: Buffer.from(bytes).toString('latin1').slice(0, 24),
});

/** All rows of a query, which must be without failure. */
export const select = (store: Store, query: string): readonly (readonly unknown[])[] =>
  [...must(store.sql(query)).rows].map(must);
