import { expect } from 'chai';
import { openStore, signed64, type Projection, type RebuildProgress, type Store } from '../../store/index.js';
import { newFile, open } from './files.js';
import {
  codeOf,
  decodeText,
  failure,
  forge,
  must,
  newTrace,
  seen,
  segment,
  segments,
  select,
  tamper,
} from './given.js';

const kept = { projections: [seen], decode: decodeText };
const texts = (store: Store): readonly unknown[] =>
  select(store, 'SELECT trace, text FROM seen ORDER BY rowid');
const wanted = (n: number): readonly unknown[] => [
  [1, 'genesis'],
  ...segments(n).map(({ bytes }) => [1, decodeText(bytes).text]),
];

describe('Projections', () => {
  it('follow the log in the transaction that appends', () => {
    const store = open(newFile(), kept);
    const log = newTrace(store);
    must(log.appendAll(segments(2)));
    must(log.append({ ...segment(2), batch: { text: 'given beside the bytes' } }));
    must(log.append(segment(0)));
    expect(texts(store)).to.deep.equal([...wanted(2), [1, 'given beside the bytes']]);
    expect(must(store.projections())).to.deep.equal([
      { name: 'seen', version: 1, registered: true, behind: [] },
    ]);
  });

  it('have nothing of an append that failed', () => {
    const store = open(newFile(), kept);
    const log = newTrace(store);
    expect(codeOf(log.appendAll([segment(0), segment(2)]))).to.equal('out-of-order');
    expect(texts(store)).to.deep.equal(wanted(0));
  });

  it('are read by whoever knows them in the version in which they were made', () => {
    const file = newFile();
    const store = open(file, kept);
    must(newTrace(store).appendAll(segments(2)));
    store.close();
    const reader = must(openStore(file, { readonly: true }));
    const read = (version: number): number | null => {
      const log = must(reader.trace('a'));
      return (
        must(log.derived({ name: 'seen', version }, 'SELECT text FROM seen WHERE trace = ?'))?.length ?? null
      );
    };
    expect(read(1)).to.equal(3);
    expect(read(2)).to.equal(null);
    reader.close();
  });

  it('need a decoder or a batch', () => {
    const log = newTrace(open(newFile(), { projections: [seen] }));
    expect(codeOf(log.append(segment(0)))).to.equal('undecodable');
    must(log.append({ ...segment(0), batch: { text: 'x' } }));
  });

  it('take what a decoder throws as a failure, and what a projection throws as the bug it is', () => {
    const file = newFile();
    const bad = open(file, {
      projections: [seen],
      decode: () => {
        throw new Error('no such kind');
      },
    });
    const log = newTrace(bad);
    expect(failure(log.append(segment(0))).what).to.equal(
      'events 1 to 4 of trace a cannot be decoded: no such kind',
    );
    expect(() => log.append({ ...segment(0), batch: null })).to.throw(TypeError);
    expect(log.info.events).to.equal(0);
    must(log.append({ ...segment(0), batch: { text: 'fine' } }));
  });

  for (const [what, act] of [
    ['new', 'SELECT 1'],
    ['dropped', 'DROP TABLE seen'],
    ['without their index', 'DROP INDEX seen_by_text'],
    ['of an older version', 'UPDATE projections SET version = 0; DELETE FROM seen'],
    ['of another form', `UPDATE projections SET ddl = '[]'`],
    ['behind', 'UPDATE projected SET events = 8; DELETE FROM seen WHERE rowid > 3'],
    ['not begun', 'DELETE FROM projected; DELETE FROM seen'],
  ] as const) {
    it(`are made again on opening for writing when they are ${what}`, () => {
      const file = newFile();
      const first = open(file, what === 'new' ? {} : kept);
      must(newTrace(first).appendAll(segments(150)));
      first.close();
      tamper(file, (db) => db.exec(act));
      const progress: RebuildProgress[] = [];
      const store = open(file, { ...kept, progress: (at) => progress.push(at) });
      expect(texts(store)).to.deep.equal(wanted(150));
      expect(progress.at(-1)).to.deep.equal({ projection: 'seen', trace: 'a', done: 600, total: 600 });
      expect(progress.length).to.be.above(1);
      must(must(store.trace('a')).append(segment(150)));
      expect(texts(store)).to.deep.equal(wanted(151));
    });
  }

  it('are left as they are by opening again when nothing changed', () => {
    const file = newFile();
    must(newTrace(open(file, kept)).appendAll(segments(3)));
    const progress: RebuildProgress[] = [];
    open(file, { ...kept, progress: (at) => progress.push(at) });
    expect(progress).to.deep.equal([]);
  });

  it('stay behind a writer who does not have them, until the log is opened with them', () => {
    const file = newFile();
    const beside = open(file, kept);
    const log = newTrace(beside);
    must(log.append(segment(0)));
    const without = open(file);
    must(newTrace(without).append(segment(1)));
    must(newTrace(without, 'b').append(segment(0)));
    must(log.append(segment(2)));
    expect(texts(beside)).to.deep.equal(wanted(1));
    const [status] = must(open(file, { ...kept, readonly: true }).projections());
    expect(status?.behind).to.deep.equal([
      { trace: 'a', projected: 4, events: 12 },
      { trace: 'b', projected: 0, events: 4 },
    ]);
    expect(select(open(file, kept), 'SELECT trace, count(*) FROM seen GROUP BY trace')).to.deep.equal([
      [1, 4],
      [2, 2],
    ]);
  });

  it('are not written by a program that has another version of them than the file', () => {
    const file = newFile();
    const old = open(file, kept);
    const log = newTrace(old);
    must(log.append(segment(0)));
    const newer = open(file, { ...kept, projections: [{ ...seen, version: 2 }] });
    must(log.append(segment(1)));
    newTrace(old, 'b');
    expect(texts(newer)).to.deep.equal(wanted(1));
    const [status] = must(newer.projections());
    expect(status?.behind.map(({ trace }) => trace)).to.deep.equal(['a', 'b']);
    expect(must(old.projections())[0]?.registered).to.equal(false);
  });

  it('are made again on demand', () => {
    const file = newFile();
    must(newTrace(open(file)).appendAll(segments(3)));
    const store = open(file, { ...kept, rebuild: 'on-demand' });
    expect(texts(store)).to.deep.equal([]);
    must(must(store.trace('a')).append(segment(3)));
    expect(texts(store)).to.deep.equal([]);
    expect(must(store.rebuild())).to.deep.equal([
      { projection: 'seen', trace: 'a', events: 16, failure: null },
    ]);
    expect(texts(store)).to.deep.equal(wanted(4));
    tamper(file, (db) => db.exec(`UPDATE seen SET text = 'altered'`));
    must(store.rebuild('seen'));
    expect(texts(store)).to.deep.equal(wanted(4));
    expect(failure(store.rebuild('other')).hint).to.equal('there are: seen');
  });

  it('can be dropped with the snapshots, and are then made again', () => {
    const file = newFile();
    const store = open(file, kept);
    const log = newTrace(store);
    must(log.appendAll(segments(3)));
    must(log.saveSnapshot(4, Buffer.from('state'), 'r'));
    must(store.dropDerived());
    expect(must(log.nearestSnapshot(4, 'r'))).to.equal(null);
    expect(codeOf(store.sql('SELECT * FROM seen'))).to.equal('bad-sql');
    expect(must(store.projections())).to.deep.equal([
      { name: 'seen', version: 1, registered: false, behind: [] },
    ]);
    must(log.append(segment(3)));
    expect(must(store.verify('a'))).to.include({ intact: true, events: 16 });
    store.close();
    expect(texts(open(file, kept))).to.deep.equal(wanted(4));
  });

  it('stop before damage, which does not keep the log from being opened', () => {
    const file = newFile();
    must(newTrace(open(file)).appendAll(segments(5)));
    newTrace(open(file), 'b');
    forge(file, (db) => db.exec('UPDATE segments SET bytes = zeroblob(9) WHERE idx = 2'));
    const store = open(file, kept);
    expect(texts(store)).to.deep.equal([...wanted(2), [2, 'genesis']]);
    expect(must(store.projections())[0]?.behind).to.deep.equal([{ trace: 'a', projected: 8, events: 20 }]);
    const [rebuilt] = must(store.rebuild());
    expect(rebuilt).to.include({ events: 8 });
    expect(rebuilt?.failure?.code).to.equal('damaged');
    forge(file, (db) => db.exec(`UPDATE traces SET meta = '{"x":1}' WHERE name = 'a'`));
    expect(must(store.rebuild())[0]).to.deep.include({ trace: 'a', events: 0 });
  });

  it('that say they have seen half a segment are left alone until they are made again', () => {
    const file = newFile();
    must(newTrace(open(file, kept)).appendAll(segments(3)));
    tamper(file, (db) => db.exec('UPDATE projected SET events = 6'));
    const store = open(file, kept);
    expect(texts(store)).to.deep.equal(wanted(3));
    expect(must(store.projections())[0]?.behind).to.deep.equal([{ trace: 'a', projected: 6, events: 12 }]);
    expect(must(store.rebuild())[0]).to.include({ events: 12, failure: null });
    expect(texts(store)).to.deep.equal(wanted(3));
  });

  it('keep 64-bit addresses exactly, and give integers as bigints', () => {
    const found: unknown[] = [];
    const addresses: Projection<bigint> = {
      name: 'address',
      version: 1,
      ddl: ['CREATE TABLE address_page (trace INTEGER, page INTEGER)'],
      apply(page, write, { id }) {
        write.run('INSERT INTO address_page VALUES (?, ?)', id, signed64(page));
        found.push(write.get('SELECT page FROM address_page WHERE page = ?', signed64(page))?.[0]);
        found.push(write.all('SELECT count(*) FROM address_page')[0]?.[0]);
        found.push(write.get('SELECT 1 FROM address_page WHERE page = 5'));
      },
    };
    const store = open(newFile(), { projections: [addresses] });
    must(newTrace(store).append({ ...segment(0), batch: 0xc0080000_0000_0001n }));
    expect(found).to.deep.equal([signed64(0xc008000000000001n), 1n, undefined]);
  });

  it('with a bad name or DDL are refused before anything is made', () => {
    const file = newFile();
    const wrong: readonly Partial<Projection<never>>[] = [
      { name: 'segments' },
      { name: 'sqlite_x' },
      { name: 'Seen' },
      { name: 'x; DROP TABLE traces' },
      { ddl: ['CREATE TABLE other (trace INTEGER)'] },
      { ddl: ['CREATE TABLE heads (trace INTEGER)'] },
      { ddl: ['DROP TABLE traces'] },
      { ddl: ['CREATE TABLE seen (text TEXT)'] },
      { ddl: ['CREATE TRIGGER seen_x AFTER INSERT ON segments BEGIN SELECT 1; END'] },
    ];
    for (const change of wrong) {
      const opened = openStore(file, { projections: [{ ...seen, ...change }] });
      expect(codeOf(opened), JSON.stringify(change)).to.equal('bad-projection');
    }
    expect(codeOf(openStore(file, { projections: [{ ...seen, ddl: ['CREATE TABLE seen ('] }] }))).to.equal(
      'sqlite',
    );
    expect(select(open(file), `SELECT name FROM sqlite_schema WHERE name LIKE 'seen%'`)).to.deep.equal([]);
  });

  it('of one trace go with it', () => {
    const store = open(newFile(), kept);
    for (const name of ['a', 'b']) must(newTrace(store, name).append(segment(0)));
    must(store.remove('a'));
    expect(select(store, 'SELECT DISTINCT trace FROM seen')).to.deep.equal([[2]]);
    store.close();
  });

  it('go with the trace even when it is removed by a program that does not have them', () => {
    const file = newFile();
    const first = open(file, kept);
    for (const name of ['a', 'b']) must(newTrace(first, name).append(segment(0)));
    const other = open(file);
    must(other.remove('a'));
    expect(select(other, 'SELECT DISTINCT trace FROM seen')).to.deep.equal([[2]]);
  });
});
