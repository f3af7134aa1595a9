import { expect } from 'chai';
import { openStore, signed64, unsigned64, type EventTable } from '../../store/index.js';
import { newFile, open } from './files.js';
import { codeOf, failure, forge, must, newTrace, segment, segments, select } from './given.js';

/** Three columns of each event: its number, half of that, an address. */
const events: EventTable = {
  columns: ['seq', 'half', 'address'],
  *rows(_segment, from, to) {
    for (let seq = from; seq <= to; seq++) yield [seq, seq / 2, signed64(0xffffffffa0000000n + BigInt(seq))];
  },
};

describe('SQL', () => {
  it('answers with columns and rows', () => {
    const store = open(newFile());
    must(newTrace(store).appendAll(segments(3)));
    const answer = must(store.sql('SELECT idx, first, hash FROM segments WHERE idx >= ? ORDER BY idx', 1));
    expect(answer.columns).to.deep.equal(['idx', 'first', 'hash']);
    const rows = [...answer.rows].map(must);
    expect(rows.map(([idx, first]) => [idx, first])).to.deep.equal([
      [1, 5],
      [2, 9],
    ]);
    expect(Buffer.from(rows[1]?.[2] as Uint8Array).toString('hex')).to.equal(
      must(store.trace('a')).info.root,
    );
  });

  it('keeps integers exact: numbers where those are, else bigints', () => {
    const store = open(newFile());
    const big = 0xffffffffa0000000n;
    expect(
      select(store, `SELECT ${signed64(big)}, 9007199254740991, 9007199254740993, -5, 1.5, NULL, 'x'`),
    ).to.deep.equal([[-0x60000000, 9007199254740991, 9007199254740993n, -5, 1.5, null, 'x']]);
    expect(unsigned64(signed64(big))).to.equal(big);
    expect(unsigned64(-0x60000000n)).to.equal(big);
  });

  it('shows events through event(trace, from, to)', () => {
    const store = open(newFile(), { events });
    must(newTrace(store, 'a').appendAll(segments(5)));
    must(newTrace(store, 'b').appendAll(segments(2)));
    const seqs = (call: string): readonly unknown[] => select(store, `SELECT seq FROM ${call}`).flat();
    expect(seqs(`event('a')`)).to.deep.equal(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(seqs(`event('b', 3)`)).to.deep.equal([3, 4, 5, 6, 7, 8]);
    expect(seqs(`event('a', 6, 9)`)).to.deep.equal([6, 7, 8, 9]);
    expect(seqs(`event('a', -3, 2)`)).to.deep.equal([1, 2]);
    expect(seqs(`event('a', 9, 6)`)).to.deep.equal([]);
    expect(seqs(`event('a', 21)`)).to.deep.equal([]);
    expect(seqs(`event WHERE trace = 'a' AND "from" = 19`)).to.deep.equal([19, 20]);
    expect(
      select(store, `SELECT seq, typeof(seq), half, typeof(half), address FROM event('a', 3, 4)`),
    ).to.deep.equal([
      [3, 'integer', 1.5, 'real', -0x5ffffffd],
      [4, 'integer', 2, 'integer', -0x5ffffffc],
    ]);
    expect(
      select(store, `SELECT count(*) FROM event('a') AS x JOIN event('b') AS y ON x.seq = y.seq`),
    ).to.deep.equal([[8]]);
  });

  it('asks which trace when there are several', () => {
    const store = open(newFile(), { events });
    must(newTrace(store, 'a').append(segment(0)));
    expect(select(store, 'SELECT count(*) FROM event')).to.deep.equal([[4]]);
    newTrace(store, 'b');
    const first = (query: string): string => codeOf([...must(store.sql(query)).rows][0] ?? store.traces());
    expect(first('SELECT * FROM event')).to.equal('no-such-trace');
    expect(first(`SELECT * FROM event('c')`)).to.equal('no-such-trace');
    expect(first(`SELECT * FROM event(5)`)).to.equal('no-such-trace');
    expect(first(`SELECT * FROM event('a', 'x')`)).to.equal('bad-sql');
  });

  it('only fetches the segments asked for', () => {
    const fetched: number[] = [];
    const counting: EventTable = {
      columns: ['seq'],
      *rows(s, from) {
        fetched.push(s.index);
        yield [from];
      },
    };
    const store = open(newFile(), { events: counting });
    must(newTrace(store).appendAll(segments(100)));
    select(store, `SELECT * FROM event('a', 200, 205)`);
    select(store, `SELECT * FROM event('a') LIMIT 2`);
    expect(fetched.slice(0, 2)).to.deep.equal([49, 50]);
    expect(fetched.length).to.be.at.most(5);
  });

  it('tells of damage met on the way, after the rows before it', () => {
    const file = newFile();
    const store = open(file, { events });
    must(newTrace(store).appendAll(segments(3)));
    forge(file, (db) => db.exec('UPDATE segments SET bytes = zeroblob(9) WHERE idx = 1'));
    const items = [...must(store.sql(`SELECT seq FROM event('a')`)).rows];
    expect(items.map(codeOf)).to.deep.equal(['ok', 'ok', 'ok', 'ok', 'damaged']);
  });

  it('cannot change anything', () => {
    const store = open(newFile());
    must(newTrace(store).append(segment(0)));
    for (const sql of [
      'DELETE FROM segments',
      'CREATE TABLE x (y)',
      `ATTACH 'other.db' AS o`,
      'VACUUM',
      'BEGIN',
    ]) {
      expect(codeOf(store.sql(sql)), sql).to.equal('not-a-query');
    }
    for (const sql of ['DELETE FROM heads RETURNING *', 'PRAGMA user_version = 9']) {
      const answer = store.sql(sql);
      if (answer.ok)
        expect([...answer.value.rows].map(codeOf).join(), sql).to.be.oneOf(['read-only', 'bad-sql', '']);
    }
    expect(must(store.verify('a')).intact).to.equal(true);
    expect(select(store, 'PRAGMA user_version')).to.deep.equal([[2]]);
  });

  it('that is bad is the failure of who wrote it', () => {
    const store = open(newFile());
    for (const sql of ['', 'SELEC 1', 'SELECT * FROM nothing', 'SELECT 1; SELECT 2', 'SELECT * FROM event']) {
      expect(codeOf(store.sql(sql)), sql).to.equal('bad-sql');
    }
    expect([...must(store.sql('SELECT ?')).rows].map(codeOf)).to.deep.equal(['bad-sql']);
    expect([...must(store.sql('SELECT 1', 2)).rows].map(codeOf)).to.deep.equal(['bad-sql']);
    expect([...must(store.sql('SELECT abs(-9223372036854775808)')).rows].map(codeOf)).to.deep.equal([
      'bad-sql',
    ]);
  });

  it('can be left half-way, and ends when the log is closed', () => {
    const store = open(newFile());
    must(newTrace(store).appendAll(segments(5)));
    for (const item of must(store.sql('SELECT idx FROM segments')).rows) {
      if (must(item)[0] === 1) break;
    }
    const [started, unstarted] = [0, 1].map(() => must(store.sql('SELECT idx FROM segments')));
    started?.rows.next();
    const ended = must(store.sql('SELECT idx FROM segments'));
    ended.close();
    expect([...ended.rows].map(codeOf)).to.deep.equal(['closed']);
    store.close();
    expect([...(started?.rows ?? [])].map(codeOf)).to.deep.equal(['closed']);
    expect([...(unstarted?.rows ?? [])].map(codeOf)).to.deep.equal(['closed']);
    expect([...(started?.rows ?? [])]).to.deep.equal([]);
  });

  it('works on a log opened for reading, while a writer appends', () => {
    const file = newFile();
    const log = newTrace(open(file));
    must(log.append(segment(0)));
    const reader = must(openStore(file, { readonly: true, events }));
    const { rows } = must(reader.sql(`SELECT seq FROM event('a')`));
    rows.next();
    must(log.append(segment(1)));
    expect([...rows].map((item) => must(item)[0])).to.deep.equal([2, 3, 4, 5, 6, 7, 8]);
    reader.close();
  });

  it('refuses a table whose columns are its parameters', () => {
    const store = open(newFile(), { events: { columns: ['trace'], rows: () => [] } });
    expect(failure(store.sql('SELECT 1')).code).to.equal('bad-sql');
  });
});
