import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { segmentHash } from '../../store/chain.js';
import { pack } from '../../store/codec.js';
import { openStore, type Store, type TraceLog, type VerifyReport } from '../../store/index.js';
import { newFile, open } from './files.js';
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
  tamper,
} from './given.js';

/** A closed log with one trace of five segments, four events each. */
function fiveSegments(): { readonly file: string; readonly roots: readonly string[] } {
  const file = newFile();
  const store = open(file);
  const log = newTrace(store);
  const roots = segments(5).map((s) => must(log.append(s)).root);
  store.close();
  return { file, roots };
}

const report = (file: string, root?: string): VerifyReport =>
  must(open(file, { readonly: true }).verify('a', root === undefined ? {} : { root }));

/** What is still given by reading, until the first failure. */
const readable = (log: TraceLog): readonly object[] =>
  [...log.segments()].flatMap((item) => (item.ok ? [plain(item.value)] : []));

/** How many bits to flip, one at a time. */
const FLIPS = Number(process.env['PAGETRAIL_FLIPS'] ?? 150);

describe('Verifying', () => {
  it('a whole chain finds nothing, and how far it goes', () => {
    const { file, roots } = fiveSegments();
    const [first] = roots;
    const root = roots.at(-1);
    expect(report(file)).to.deep.equal({
      trace: 'a',
      intact: true,
      segments: 5,
      events: 20,
      root,
      claimed: { segments: 5, events: 20, root },
      firstBad: null,
      kept: null,
    });
    expect(report(file, first?.toUpperCase())).to.deep.include({
      intact: true,
      kept: { root: first, events: 4 },
    });
    const { genesisRoot } = must(open(file).trace('a')).info;
    expect(report(file, genesisRoot).kept).to.deep.equal({ root: genesisRoot, events: 0 });
  });

  it('tells progress', () => {
    const { file } = fiveSegments();
    const seen: (readonly number[])[] = [];
    must(open(file).verify('a', { progress: (...at) => seen.push(at) }));
    expect(seen).to.deep.equal([4, 8, 12, 16, 20].map((events) => [events, 20]));
  });

  it('against a root the trace never had is not intact', () => {
    const { file } = fiveSegments();
    const root = 'ab'.repeat(32);
    expect(report(file, root)).to.deep.include({
      intact: false,
      firstBad: null,
      kept: { root, events: null },
    });
    expect(codeOf(open(file).verify('a', { root: 'abc' }))).to.equal('bad-root');
    expect(codeOf(open(file).verify('b'))).to.equal('no-such-trace');
  });

  it('cannot be got around by plain SQL: the log may only be appended to', () => {
    const { file } = fiveSegments();
    const refused = [
      'UPDATE segments SET count = 3 WHERE idx = 1',
      'DELETE FROM segments WHERE idx = 4',
      'REPLACE INTO segments SELECT * FROM segments WHERE idx = 2',
      'INSERT OR REPLACE INTO segments SELECT * FROM segments WHERE idx = 2',
      'INSERT INTO segments SELECT id + 2, trace, idx + 2, first, count, hash, size, codec, bytes FROM segments WHERE idx = 4',
      `UPDATE traces SET meta = '{}'`,
      'DELETE FROM traces',
    ];
    for (const sql of refused)
      expect(() => tamper(file, (db) => db.exec(sql)), sql).to.throw('only be appended');
    expect(report(file).intact).to.equal(true);
  });

  const damages: readonly (readonly [what: string, sql: string, index: number, reason: string])[] = [
    [
      'a flipped bit',
      `UPDATE segments SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE idx = 2`,
      2,
      'hash',
    ],
    ['cut bytes', 'UPDATE segments SET bytes = substr(bytes, 1, 9) WHERE idx = 3', 3, 'hash'],
    ['another compression', 'UPDATE segments SET codec = 0, size = length(bytes) WHERE idx = 0', 0, 'hash'],
    ['an unknown compression', 'UPDATE segments SET codec = 7 WHERE idx = 0', 0, 'hash'],
    ['a wrong size', 'UPDATE segments SET size = size + 1 WHERE idx = 1', 1, 'hash'],
    ['a wrong count', 'UPDATE segments SET count = 5 WHERE idx = 1', 1, 'hash'],
    ['a wrong first number', 'UPDATE segments SET first = 10 WHERE idx = 1', 1, 'out-of-order'],
    ['a wrong hash', 'UPDATE segments SET hash = zeroblob(32) WHERE idx = 1', 1, 'hash'],
    [
      'swapped bytes',
      `UPDATE segments SET bytes = (SELECT bytes FROM segments AS other WHERE other.idx = 3 - segments.idx)
       WHERE idx IN (1, 2)`,
      1,
      'hash',
    ],
    [
      'swapped segments',
      `UPDATE segments SET (first, count, hash, size, codec, bytes) =
         (SELECT first, count, hash, size, codec, bytes FROM segments AS other WHERE other.idx = 3 - segments.idx)
       WHERE idx IN (1, 2)`,
      1,
      'out-of-order',
    ],
    ['a missing segment', 'DELETE FROM segments WHERE idx = 2', 2, 'missing'],
    ['a missing first segment', 'DELETE FROM segments WHERE idx = 0', 0, 'missing'],
    [
      'a missing segment and a head that fits what is before',
      `DELETE FROM segments WHERE idx = 2;
       UPDATE heads SET segments = 2, events = 8, root = (SELECT hash FROM segments WHERE idx = 1)`,
      2,
      'missing',
    ],
    ['a missing end', 'DELETE FROM segments WHERE idx >= 3', 3, 'missing'],
    ['a changed meta', `UPDATE traces SET meta = '{}'`, -1, 'genesis'],
    ['a changed name in the hash', `UPDATE traces SET genesis = x'01', size = 1`, -1, 'genesis'],
    ['a lost genesis', `UPDATE traces SET size = 5`, -1, 'genesis'],
    ['text for bytes', `UPDATE segments SET bytes = 'text' WHERE idx = 2`, 2, 'unreadable'],
    [
      'a number for a hash',
      'PRAGMA ignore_check_constraints = 1; UPDATE segments SET hash = 5 WHERE idx = 2',
      2,
      'unreadable',
    ],
    ['a shorter end', 'UPDATE heads SET segments = 4, events = 16', 5, 'head'],
    ['another end', 'UPDATE heads SET root = zeroblob(32)', 5, 'head'],
    ['no end', 'DELETE FROM heads', 5, 'head'],
    ['nonsense for an end', `UPDATE heads SET events = 'many'`, 5, 'head'],
  ];
  for (const [what, sql, index, reason] of damages) {
    it(`names the first bad segment after ${what}`, () => {
      const { file, roots } = fiveSegments();
      forge(file, (db) => db.exec(sql));
      const { intact, firstBad, ...valid } = report(file);
      expect(intact).to.equal(false);
      expect(firstBad).to.include({ index, reason, first: index < 0 ? 0 : index * 4 + 1 });
      const whole = Math.max(index, 0);
      expect(valid).to.deep.include({ segments: whole, events: whole * 4 });
      if (whole > 0) expect(valid.root).to.equal(roots[whole - 1]);
    });
  }

  it('finds that a segment was forged at the next one, or at the end, or only by a root kept elsewhere', () => {
    const { file, roots } = fiveSegments();
    /** Segment `index` with other events, and the hashes of `rehashed` segments from it on made to fit. */
    const forgery = (index: number, rehashed: number): void =>
      forge(file, (db) => {
        const other = pack(segment(index, 4, 'forged').bytes);
        db.prepare('UPDATE segments SET size = ?, codec = ?, bytes = ? WHERE idx = ?').run(
          other.size,
          other.codec,
          other.bytes,
          index,
        );
        let previous: Uint8Array = Buffer.from(roots[index - 1] ?? '', 'hex');
        for (let i = index; i < index + rehashed; i++) {
          const { first, count, bytes } = segment(i, 4, i === index ? 'forged' : 'events');
          previous = segmentHash(previous, first, count, bytes);
          db.prepare('UPDATE segments SET hash = ? WHERE idx = ?').run(previous, i);
        }
        if (rehashed === 5 - index) db.prepare('UPDATE heads SET root = ?').run(previous);
      });
    forgery(2, 1);
    expect(report(file).firstBad).to.include({ index: 3, reason: 'hash' });
    forgery(2, 3);
    expect(report(file)).to.include({ intact: true, firstBad: null });
    expect(report(file, roots[4])).to.deep.include({ intact: false, kept: { root: roots[4], events: null } });
    expect(report(file, roots[1])).to.deep.include({ intact: true, kept: { root: roots[1], events: 8 } });
  });

  it('finds a trace whose end has been lost, which can be removed and imported again', () => {
    const { file } = fiveSegments();
    forge(file, (db) => db.exec('DELETE FROM heads'));
    const store = open(file);
    for (const result of [store.traces(), store.trace('a')]) expect(codeOf(result)).to.equal('corrupt');
    expect(must(store.verify('a'))).to.include({ intact: false, segments: 5 });
    expect(must(store.remove('a'))).to.include({ name: 'a', erased: true });
    must(newTrace(store).appendAll(segments(5)));
    expect(must(store.verify('a')).intact).to.equal(true);
  });

  it('leaves what is before the damage readable, and what is after it as far as it can be checked', () => {
    const { file } = fiveSegments();
    forge(file, (db) => db.exec('UPDATE segments SET bytes = zeroblob(20) WHERE idx = 2'));
    const log = must(open(file, { readonly: true }).trace('a'));
    expect(readable(log)).to.deep.equal(segments(2).map(plain));
    expect(codeOf([...log.segments()].at(-1) ?? log.genesis())).to.equal('damaged');
    expect(failure(log.segmentAt(9)).what).to.include('segment 2 of trace a is damaged');
    expect(plain(must(log.segmentAt(8)))).to.deep.equal(plain(segment(1)));
    expect(plain(must(log.segmentAt(20)))).to.deep.equal(plain(segment(4)));
  });
});

/** A segment of four events whose bytes are of a length of their own and hardly deflate. */
const noisy = (index: number): ReturnType<typeof segment> => ({
  ...segment(index),
  bytes: Uint8Array.from({ length: 50 + 400 * (index % 9) }, (_, i) => (i * i * 31 + index * 17) >> 2),
});

/** A log of some forty segments of all sizes, in two traces. */
function someFile(): { readonly bytes: Buffer; readonly file: string } {
  const file = newFile();
  const store = open(file);
  for (const name of ['a', 'b']) {
    const log = newTrace(store, name, name.repeat(5000));
    for (let i = 0; i < 20; i++) must(log.append(noisy(i)));
    must(log.saveSnapshot(8, Buffer.alloc(9000, 'state'), 'r'));
    must(log.finish({ name }));
  }
  store.close();
  return { file, bytes: readFileSync(file) };
}

/** Does everything there is to do; nothing may throw, and nothing that is given may be wrong. */
function useAll(file: string): void {
  for (const readonly of [true, false]) {
    const opened = openStore(file, { readonly, create: false });
    if (!opened.ok) continue;
    const store = opened.value;
    try {
      for (const name of ['a', 'b']) useTrace(store, name);
      store.tombstones();
      store.descriptors();
      const answer = store.sql('SELECT * FROM segments');
      if (answer.ok) expect([...answer.value.rows].length).to.be.at.most(60);
    } finally {
      store.close();
    }
  }
}

function useTrace(store: Store, name: string): void {
  const verified = store.verify(name);
  const found = store.trace(name);
  if (!found.ok) return;
  const log = found.value;
  const given = readable(log);
  const wanted = Array.from({ length: 20 }, (_, i) => plain(noisy(i)));
  expect(given).to.deep.equal(wanted.slice(0, given.length));
  if (verified.ok) {
    expect(given.length).to.be.at.least(verified.value.segments);
    if (verified.value.intact) expect(given.length).to.equal(20);
  }
  for (const seq of [1, 41, 80]) {
    const at = log.segmentAt(seq);
    if (at.ok) expect(plain(at.value)).to.deep.equal(plain(noisy((seq - 1) >> 2)));
  }
  const snapshot = log.nearestSnapshot(80, 'r');
  if (snapshot.ok && snapshot.value !== null) expect(snapshot.value.bytes.length).to.equal(9000);
  log.genesis();
  log.append(noisy(3));
  log.append(noisy(20));
  log.saveSnapshot(1, Buffer.from('x'), 'r');
}

describe('A segment that is missing', () => {
  for (let missing = 0; missing < 5; missing++) {
    it(`keeps those before it readable (${missing})`, () => {
      const { file } = fiveSegments();
      forge(file, (db) => db.prepare('DELETE FROM segments WHERE idx = ?').run(missing));
      const log = must(open(file, { readonly: true }).trace('a'));
      for (let seq = 1; seq <= missing * 4; seq++) {
        expect(plain(must(log.segmentAt(seq)))).to.deep.equal(plain(segment((seq - 1) >> 2)));
      }
      expect(codeOf(log.segmentAt(missing * 4 + 1))).to.equal('damaged');
      expect([...log.segments()].map(codeOf)).to.deep.equal([
        ...Array<string>(missing).fill('ok'),
        'damaged',
      ]);
      expect(codeOf([...log.segments(missing * 4 + 1)].at(-1) ?? log.genesis())).to.equal('damaged');
    });
  }
});

describe('A damaged file', function () {
  this.timeout(60_000 + FLIPS * 100);

  it('never throws and never gives wrong bytes, whatever bit is flipped', () => {
    const { file, bytes } = someFile();
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        writeFileSync(file, damaged);
        useAll(file);
      }),
      { numRuns: FLIPS },
    );
  });

  it('never throws when a page of it is garbage', () => {
    const { file, bytes } = someFile();
    for (let at = 0; at < bytes.length; at += 4096) {
      for (const fill of [0, 255, 0x0d]) {
        const damaged = Buffer.from(bytes);
        damaged.fill(fill, at, at + 4096);
        writeFileSync(file, damaged);
        useAll(file);
      }
    }
  });

  it('keeps the valid prefix when it is cut off', () => {
    const { file, bytes } = someFile();
    let readableAfterCut = 0;
    for (let length = bytes.length - 1; length >= 0; length -= 2311) {
      writeFileSync(file, bytes);
      truncateSync(file, length);
      const opened = openStore(file, { readonly: true });
      if (opened.ok) {
        const log = opened.value.trace('a');
        readableAfterCut = Math.max(readableAfterCut, log.ok ? readable(log.value).length : 0);
        const verified = opened.value.verify('b');
        if (verified.ok) expect(verified.value.intact).to.equal(false);
        opened.value.close();
      }
      useAll(file);
    }
    expect(readableAfterCut).to.equal(20);
    expect(statSync(file).size).to.be.below(bytes.length);
  });
});

describe('Reading', () => {
  it('is of what was appended, after every reopening', () => {
    const { file } = fiveSegments();
    for (let i = 5; i < 8; i++) {
      const store = open(file);
      const log = must(store.trace('a'));
      expect(readAll(log).map(plain)).to.deep.equal(segments(i).map(plain));
      must(log.append(segment(i)));
      store.close();
    }
  });
});
