import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { NewSegment, Projection, Store } from '../../store/index.js';
import { newFile, open } from './files.js';
import { codeOf, failure, must, newTrace, plain, readAll, segments, select, tamper } from './given.js';

const secret = (trace: number): string => `<secret of ${trace}>`;

/** Bytes that do not deflate, with the trace's secret every 50 or so. */
function secretBytes(trace: number, salt: string, size: number): Uint8Array {
  const parts: Buffer[] = [];
  for (let i = 0; i * 45 <= size; i++) {
    parts.push(Buffer.from(secret(trace)), createHash('sha256').update(`${salt} ${i}`).digest());
  }
  return Buffer.concat(parts);
}

/** A derived table that keeps bytes of the trace, and changes and deletes rows. */
const notes: Projection<Uint8Array> = {
  name: 'notes',
  version: 1,
  ddl: [
    'CREATE TABLE notes (trace INTEGER, text BLOB, n INTEGER)',
    'CREATE INDEX notes_n ON notes (trace, n, text)',
  ],
  apply(batch, write, { id }) {
    write.run('INSERT INTO notes VALUES (?, ?, ?)', id, batch.subarray(0, 100), batch.length);
    write.run('UPDATE notes SET n = n + 1 WHERE trace = ? AND n < ?', id, batch.length);
    write.run('DELETE FROM notes WHERE trace = ? AND n % 7 = 0', id);
  },
};

function interleave(
  store: Store,
  list: readonly { readonly trace: number; readonly size: number; readonly snapshot: number }[],
): void {
  const logs = [0, 1, 2].map((i) =>
    must(
      store.createTrace({
        name: `t${i}`,
        meta: { secret: secret(i) },
        genesis: secretBytes(i, 'genesis', 3000),
      }),
    ),
  );
  for (const [at, log] of logs.entries())
    must(log.append(next(log.info.events, secretBytes(at, 'start', 100))));
  for (const [step, { trace, size, snapshot }] of list.entries()) {
    const log = logs[trace];
    if (log === undefined) continue;
    must(log.append(next(log.info.events, secretBytes(trace, String(step), size))));
    if (snapshot === 0) must(log.saveSnapshot(1, secretBytes(trace, 'snapshot', size), String(step)));
  }
}

const next = (events: number, bytes: Uint8Array): NewSegment => ({
  first: events + 1,
  count: 3,
  bytes,
  batch: bytes,
});

function occurrences(file: string, text: string): number {
  const files = [file, `${file}-wal`, `${file}-journal`].filter(existsSync);
  return files.reduce((sum, name) => sum + readFileSync(name, 'latin1').split(text).length - 1, 0);
}

describe('Removing a trace', () => {
  it('leaves a tombstone with its root, and the other traces whole', () => {
    const file = newFile();
    const store = open(file);
    const [a, b] = [newTrace(store, 'a'), newTrace(store, 'b')];
    for (const log of [a, b]) must(log.appendAll(segments(5)));
    const { root } = a.info;
    const when = '2026-11-22T12:00:00Z';
    expect(must(store.remove('a', when))).to.deep.equal({
      name: 'a',
      segments: 5,
      events: 20,
      root,
      when,
      erased: true,
    });
    expect(must(store.tombstones())).to.deep.equal([{ name: 'a', segments: 5, events: 20, root, when }]);
    expect(must(store.traces()).map(({ name }) => name)).to.deep.equal(['b']);
    expect(must(store.verify('b'))).to.include({ intact: true, events: 20 });
    expect(failure(store.trace('a')).what).to.equal(
      `there is no trace "a"; one of that name was removed at ${when}`,
    );
    expect(() => tamper(file, (db) => db.exec('DELETE FROM tombstones'))).to.throw('only be appended');
    expect(() => tamper(file, (db) => db.exec('DELETE FROM segments'))).to.throw('only be appended');
    expect(() => tamper(file, (db) => db.exec('DELETE FROM traces'))).to.throw('only be appended');
  });

  it('makes its log refuse everything', () => {
    const store = open(newFile());
    const log = newTrace(store);
    must(log.appendAll(segments(2)));
    const before = log.info;
    must(store.remove('a'));
    expect(log.info).to.deep.equal(before);
    const results = [
      log.genesis(),
      log.appendAll(segments(3)),
      log.finish({}),
      log.segmentAt(1),
      log.saveSnapshot(1, Buffer.from('x'), 'r'),
      store.remove('a'),
      store.verify('a'),
    ];
    expect(results.map(codeOf)).to.deep.equal(results.map(() => 'no-such-trace'));
    expect([...log.segments()].map(codeOf)).to.deep.equal(['no-such-trace']);
    expect([...log.segments(5)].map(codeOf)).to.deep.equal(['no-such-trace']);
  });

  it('makes its name free, for a trace with another number', () => {
    const store = open(newFile());
    const old = newTrace(store);
    must(old.appendAll(segments(2)));
    must(old.saveSnapshot(4, Buffer.from('old state'), 'r'));
    must(store.remove('a'));
    const log = newTrace(store);
    expect(log.info).to.include({ id: 2, events: 0 });
    must(log.appendAll(segments(3)));
    expect(readAll(log).map(plain)).to.deep.equal(segments(3).map(plain));
    expect(must(log.nearestSnapshot(12, 'r'))).to.equal(null);
    expect(codeOf(old.segmentAt(1))).to.equal('no-such-trace');
  });

  it('is undone when it fails half-way', () => {
    const file = newFile();
    const store = open(file);
    must(newTrace(store).appendAll(segments(2)));
    tamper(file, (db) =>
      db.exec(`CREATE TRIGGER keep BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'kept'); END`),
    );
    expect(codeOf(store.remove('a'))).to.equal('append-only');
    tamper(file, (db) => db.exec('DROP TRIGGER keep'));
    expect(must(store.verify('a')).intact).to.equal(true);
    expect(() => tamper(file, (db) => db.exec('DELETE FROM segments'))).to.throw('only be appended');
  });

  it('says when its bytes could not be erased because somebody reads the file', () => {
    const file = newFile();
    const store = open(file, { busyTimeout: 50 });
    must(newTrace(store).appendAll(segments(2)));
    newTrace(store, 'b');
    tamper(file, (db) => {
      db.exec('BEGIN; SELECT count(*) FROM segments');
      expect(must(store.remove('a')).erased).to.equal(false);
      expect(codeOf(store.compact())).to.equal('busy');
    });
    must(store.compact());
  });

  it('leaves none of its bytes in the file, however the traces were interleaved', function () {
    this.timeout(60_000);
    const steps = fc.array(fc.record({ trace: fc.nat(2), size: fc.nat(9000), snapshot: fc.nat(9) }), {
      minLength: 30,
      maxLength: 150,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const file = newFile();
        const store = open(file, { projections: [notes] });
        interleave(store, list);
        must(store.remove('t1'));
        expect(must(store.verify('t0')).intact && must(store.verify('t2')).intact).to.equal(true);
        expect(select(store, 'SELECT DISTINCT trace FROM notes').flat()).to.not.include(2);
        store.close();
        expect(occurrences(file, secret(0))).to.be.above(0);
        expect(occurrences(file, secret(1))).to.equal(0);
      }),
      { numRuns: 8 },
    );
  });
});
