import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { writeLog, TRACES } from '../../bench/log.js';
import { REDUCER } from '../../core/memory/snapshot.js';
import { must } from '../../replay/failed.js';
import { openLog } from '../../replay/log.js';
import { derivedTables } from '../../replay/tables.js';
import { openStore } from '../../store/index.js';
import { bytes } from './log.test.js';

interface Row {
  readonly trace: number;
  readonly seq: number;
  readonly reducer: string;
  readonly digest: Buffer;
  readonly bytes: Buffer;
}

const changed = <T>(file: string, act: (db: Database.Database) => T): T => {
  const db = new Database(file);
  try {
    return act(db);
  } finally {
    db.close();
  }
};

const rowsOf = (file: string): readonly Row[] =>
  changed(
    file,
    (db) =>
      db
        .prepare('SELECT trace, seq, reducer, digest, bytes FROM snapshots ORDER BY trace, seq')
        .all() as Row[],
  );

/** As a program whose reducer was another left it. */
const OLD = `UPDATE snapshots SET reducer = 'memory-0'; UPDATE projections SET version = 0 WHERE name = 'states'`;

const stateAt = (file: string, seq: number): string => {
  const log = must(openLog(file));
  const state = bytes(must(must(log.trace(TRACES[0])).at(seq)));
  log.close();
  return state;
};

describe('snapshots of another reducer', () => {
  let folder = '';
  let file = '';
  let made: readonly Row[] = [];

  before(function () {
    this.timeout(60_000);
    folder = mkdtempSync(join(tmpdir(), 'pagetrail-states-'));
    file = join(folder, 'log.db');
    writeLog(file, { events: 60_000, live: 40 });
    made = rowsOf(file);
  });

  after(() => rmSync(folder, { recursive: true }));

  it('are passed over, and made again by the next opening for writing: the same as the writer made', () => {
    expect(made.length).to.be.greaterThan(3);
    const wanted = stateAt(file, 50_000);
    changed(file, (db) => db.exec(OLD));
    expect(stateAt(file, 50_000)).to.equal(wanted);
    expect(new Set(rowsOf(file).map(({ reducer }) => reducer))).to.deep.equal(new Set(['memory-0']));

    must(openStore(file, derivedTables())).close();
    expect(rowsOf(file)).to.deep.equal(made);
    expect(new Set(made.map(({ reducer }) => reducer))).to.deep.equal(new Set([REDUCER]));
    expect(stateAt(file, 50_000)).to.equal(wanted);
  }).timeout(60_000);

  it('are not made again where they are those of this reducer', () => {
    changed(file, (db) => db.exec('DELETE FROM snapshots'));
    must(openStore(file, derivedTables())).close();
    expect(rowsOf(file)).to.deep.equal([]);
    const store = must(openStore(file, derivedTables()));
    must(store.rebuild('states'));
    store.close();
    expect(rowsOf(file)).to.deep.equal(made);
  }).timeout(60_000);

  it('have left rectangles that are not asked, and made again by the next opening for writing', () => {
    const rectangles = (): unknown[] =>
      changed(file, (db) => db.prepare('SELECT * FROM history ORDER BY trace, start, from_seq, pages').all());
    const index = () => {
      const log = must(openLog(file));
      const found = must(must(log.trace(TRACES[0])).index());
      log.close();
      return found;
    };
    const right = rectangles();
    expect(index()).not.to.equal(null);
    changed(file, (db) =>
      db.exec(`UPDATE history SET prot = 0; UPDATE projections SET version = 1 WHERE name = 'history'`),
    );
    expect(index()).to.equal(null);
    must(openStore(file, derivedTables())).close();
    expect(rectangles()).to.deep.equal(right);
    expect(index()).not.to.equal(null);
  }).timeout(60_000);
});
