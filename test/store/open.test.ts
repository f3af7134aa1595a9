import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { ok } from '../../core/value/failure.js';
import { transactDerived } from '../../store/connection.js';
import { openStore } from '../../store/index.js';
import { openFile } from '../../store/open.js';
import { SCHEMA_VERSION } from '../../store/schema.js';
import { newFile, newFolder, open } from './files.js';
import {
  codeOf,
  failure,
  forge,
  must,
  newTrace,
  plain,
  readAll,
  segment,
  segments,
  select,
  tamper,
} from './given.js';
import { makeVersionOne } from './version-one.js';

/** Runs `act` as a user whom permissions stop. */
function withoutPrivileges(act: () => void): void {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.('nobody');
  try {
    act();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

const NORMAL = 1;
const FULL = 2;

describe('Opening', () => {
  it('makes a file when there is none, unless told not to', () => {
    const file = newFile();
    expect(failure(openStore(file, { readonly: true }))).to.include({ code: 'no-such-file', where: file });
    expect(codeOf(openStore(file, { create: false }))).to.equal('no-such-file');
    expect(existsSync(file)).to.equal(false);
    open(file);
    expect(must(open(file, { readonly: true }).traces())).to.deep.equal([]);
  });

  it('takes an empty file as a new one', () => {
    const file = newFile();
    writeFileSync(file, '');
    expect(codeOf(openStore(file, { readonly: true }))).to.equal('not-a-log');
    newTrace(open(file));
  });

  it('refuses what is no file, or lies nowhere', () => {
    const folder = newFolder();
    expect(codeOf(openStore(folder))).to.equal('cannot-open');
    expect(failure(openStore(join(folder, 'not/there.db'))).hint).to.equal('make the folder first');
    symlinkSync(join(folder, 'nowhere/file'), join(folder, 'dangling'));
    expect(codeOf(openStore(join(folder, 'dangling')))).to.equal('cannot-open');
    expect(codeOf(openStore(join(folder, 'log.db ')))).to.equal('cannot-open');
    mkdirSync(join(folder, 'sub'));
    open(join(folder, 'sub', 'log.db'));
  });

  it('refuses a file that is not SQLite, and leaves it as it is', () => {
    const file = newFile();
    for (const text of [
      '#!/bin/sh\n'.repeat(1000),
      'x',
      'SQLite format 3',
      'SQLite format 3\0'.padEnd(4096, 'nonsense'),
    ]) {
      writeFileSync(file, text);
      for (const readonly of [true, false]) {
        expect(codeOf(openStore(file, { readonly }))).to.be.oneOf(['not-sqlite', 'corrupt']);
      }
      expect(readFileSync(file, 'latin1')).to.equal(text);
    }
  });

  it('refuses an SQLite database of somebody else, and leaves it as it is', () => {
    const file = newFile();
    tamper(file, (db) => db.exec('CREATE TABLE traces (name TEXT)'));
    const before = readFileSync(file);
    for (const readonly of [true, false]) {
      expect(failure(openStore(file, { readonly }))).to.include({
        code: 'not-a-log',
        what: 'this SQLite database was not made by pagetrail',
      });
    }
    tamper(file, (db) => db.pragma('user_version = 2'));
    expect(codeOf(openStore(file))).to.equal('not-a-log');
    tamper(file, (db) => db.pragma('user_version = 0'));
    expect(readFileSync(file).equals(before) || before.length === readFileSync(file).length).to.equal(true);
  });

  it('refuses a log with a newer schema', () => {
    const file = newFile();
    open(file).close();
    tamper(file, (db) => db.pragma(`user_version = ${SCHEMA_VERSION + 1}`));
    for (const readonly of [true, false]) {
      expect(failure(openStore(file, { readonly }))).to.include({
        code: 'newer-schema',
        hint: 'use a newer pagetrail',
      });
    }
  });

  it('refuses a log without its tables', () => {
    const file = newFile();
    open(file).close();
    tamper(file, (db) => db.exec('DROP TABLE heads'));
    for (const readonly of [true, false]) {
      expect(failure(openStore(file, { readonly })).what).to.equal('tables are missing from this log: heads');
    }
  });

  it('puts triggers back that somebody dropped', () => {
    const file = newFile();
    const store = open(file);
    must(newTrace(store).append(segment(0)));
    store.close();
    forge(file, (db) => db.exec('UPDATE segments SET count = 4'));
    open(file).close();
    expect(() => tamper(file, (db) => db.exec('UPDATE segments SET count = 4'))).to.throw('only be appended');
  });

  it('waits for every commit to be on the disk', () => {
    const c = must(openFile(newFile(), {}));
    const setting = (name: string): unknown => c.db.pragma(name, { simple: true });
    expect([setting('journal_mode'), setting('synchronous')]).to.deep.equal(['wal', FULL]);
    must(transactDerived(c, () => ok(expect(setting('synchronous')).to.equal(NORMAL))));
    expect(() => transactDerived(c, () => expect.fail('a bug'))).to.throw('a bug');
    expect(setting('synchronous')).to.equal(FULL);
    c.db.close();
  });

  it('reads a log in a folder where nothing can be written, unless it has a write-ahead log', () => {
    const file = newFile();
    const store = open(file);
    must(newTrace(store).appendAll(segments(3)));
    const unfinished = join(newFolder(), 'log.db');
    for (const end of ['', '-wal']) copyFileSync(file + end, unfinished + end);
    store.close();
    for (const name of [file, unfinished]) chmodSync(dirname(name), 0o555);
    withoutPrivileges(() => {
      const log = open(file, { readonly: true });
      expect(must(log.verify('a')).intact).to.equal(true);
      expect(select(log, 'SELECT count(*) FROM segments')).to.deep.equal([[3]]);
      expect(codeOf(must(log.trace('a')).append(segment(3)))).to.equal('read-only');
      expect(codeOf(openStore(file))).to.equal('read-only');
      expect(failure(openStore(unfinished, { readonly: true })).hint).to.match(
        /^copy it together with its -wal/,
      );
    });
    for (const name of [file, unfinished]) chmodSync(dirname(name), 0o755);
  });

  it('keeps a log in memory when told so', () => {
    const store = open(':memory:');
    must(newTrace(store).append(segment(0)));
    expect(must(store.verify('a')).intact).to.equal(true);
    expect(codeOf(store.sql('SELECT 1'))).to.equal('no-sql');
    expect(existsSync(':memory:')).to.equal(false);
    expect(codeOf(openStore(':memory:', { readonly: true }))).to.equal('no-such-file');
  });

  it('twice in one process gives two views of one log', () => {
    const file = newFile();
    const [a, b] = [open(file), open(file)];
    must(newTrace(a).append(segment(0)));
    must(newTrace(b).append(segment(1)));
    expect(readAll(newTrace(a)).map(plain)).to.deep.equal(segments(2).map(plain));
  });
});

describe('An older schema', () => {
  it('is migrated by opening for writing, with the same roots', () => {
    const file = newFile();
    const roots = makeVersionOne(file);
    expect(failure(openStore(file, { readonly: true }))).to.include({ code: 'older-schema' });
    const store = open(file);
    const traces = must(store.traces());
    expect(traces.map(({ name, root, complete }) => ({ name, root, complete }))).to.deep.equal([
      { name: 'done', root: roots[0], complete: true },
      { name: 'open', root: roots[1], complete: false },
      { name: 'empty', root: roots[2], complete: false },
    ]);
    for (const { name, events } of traces) {
      expect(must(store.verify(name)), name).to.deep.include({ intact: true, events });
    }
    const log = must(store.trace('open'));
    expect(readAll(log).map(plain)).to.deep.equal(segments(3).map(plain));
    expect(log.info).to.include({ segments: 3, events: 12, rawBytes: 3 * segment(0).bytes.length });
    expect(Buffer.from(must(log.genesis())).toString()).to.equal('genesis of open');
    must(log.append(segment(3)));
    store.close();
    const db = new Database(file, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).to.equal(SCHEMA_VERSION);
    const left = db
      .prepare(`SELECT count(*) FROM sqlite_schema WHERE name IN ('trace', 'segment')`)
      .pluck()
      .get();
    expect(left).to.equal(0);
    db.close();
    expect(readAll(must(open(file, { readonly: true }).trace('open')))).to.have.length(4);
  });

  it('that is damaged is migrated all the same, and verify names the damage', () => {
    const file = newFile();
    makeVersionOne(file);
    tamper(file, (db) => db.exec('UPDATE segment SET bytes = zeroblob(9) WHERE trace = 2 AND idx = 1'));
    expect(must(open(file).verify('open')).firstBad).to.include({ index: 1, reason: 'hash' });
  });

  it('stays as it was when the migration fails', () => {
    const file = newFile();
    makeVersionOne(file);
    tamper(file, (db) => db.exec(`UPDATE trace SET root = x'00' WHERE name = 'empty'`));
    expect(codeOf(openStore(file))).to.equal('sqlite');
    tamper(file, (db) => {
      expect(db.pragma('user_version', { simple: true })).to.equal(1);
      expect(db.prepare('SELECT count(*) FROM segment').pluck().get()).to.equal(5);
      expect(db.prepare(`SELECT count(*) FROM sqlite_schema WHERE name = 'segments'`).pluck().get()).to.equal(
        0,
      );
    });
  });
});
