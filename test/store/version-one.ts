import Database from 'better-sqlite3';
import { genesisRoot, segmentHash } from '../../store/chain.js';
import { pack } from '../../store/codec.js';
import { APPLICATION_ID } from '../../store/schema.js';
import { segments } from './given.js';

/**
 * A log as schema version 1 had it, with three traces: `done` (complete, two segments), `open` (three) and `empty`. Their
 * roots.
 */
export function makeVersionOne(file: string): readonly string[] {
  const db = new Database(file);
  db.exec(`
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = 1;
    CREATE TABLE trace (id INTEGER PRIMARY KEY, name TEXT UNIQUE, meta TEXT, genesis BLOB, root BLOB, complete INTEGER);
    CREATE TABLE segment (trace INTEGER, idx INTEGER, first INTEGER, count INTEGER, hash BLOB, codec INTEGER, bytes BLOB,
      PRIMARY KEY (trace, idx));
    CREATE TRIGGER segment_no_delete BEFORE DELETE ON segment BEGIN SELECT RAISE(ABORT, 'append-only'); END`);
  const roots = [writeTrace(db, 1, 'done', 2), writeTrace(db, 2, 'open', 3), writeTrace(db, 3, 'empty', 0)];
  db.close();
  return roots;
}

function writeTrace(db: Database.Database, id: number, name: string, length: number): string {
  const genesis = Buffer.from(`genesis of ${name}`);
  const root = genesisRoot(name, '{}', genesis);
  db.prepare('INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?)').run(
    id,
    name,
    '{}',
    genesis,
    root,
    name === 'done' ? 1 : 0,
  );
  let previous: Buffer = root;
  for (const [index, { first, count, bytes }] of segments(length).entries()) {
    const packed = pack(bytes);
    previous = segmentHash(previous, first, count, bytes);
    db.prepare('INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      id,
      index,
      first,
      count,
      previous,
      packed.codec,
      packed.bytes,
    );
  }
  return previous.toString('hex');
}
