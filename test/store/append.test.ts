import { expect } from 'chai';
import * as fc from 'fast-check';
import { MAX_BYTES, type NewSegment } from '../../store/index.js';
import { newFile, open } from './files.js';
import { codeOf, failure, must, newTrace, plain, readAll, segment, segments } from './given.js';

describe('Appending', () => {
  it('gives back the same segments, in order, with the root of the last', () => {
    const log = newTrace(open(newFile()));
    const { root, stored } = must(log.appendAll(segments(5)));
    expect(stored).to.deep.equal(Array(5).fill('appended'));
    expect(readAll(log).map(plain)).to.deep.equal(segments(5).map(plain));
    expect(readAll(log).at(-1)?.hash).to.equal(root);
    expect(log.info).to.include({ events: 20, segments: 5, root });
  });

  it('keeps bytes that do not deflate as they are, and those that do in less', () => {
    const log = newTrace(open(newFile()));
    const noise = Uint8Array.from({ length: 300 }, (_, i) => (i * i * 7919 + (i >> 3)) & 255);
    must(log.append({ first: 1, count: 1, bytes: noise }));
    expect(log.info).to.include({ bytes: 300, rawBytes: 300 });
    must(log.append({ first: 2, count: 1, bytes: Buffer.alloc(10_000, 'x') }));
    expect(log.info.rawBytes).to.equal(10_300);
    expect(log.info.bytes).to.be.below(400);
    must(log.append({ first: 3, count: 1, bytes: new Uint8Array() }));
    expect(readAll(log).map(({ bytes }) => bytes.length)).to.deep.equal([300, 10_000, 0]);
  });

  it('does nothing when the segment is there already', () => {
    const log = newTrace(open(newFile()));
    const first = must(log.appendAll(segments(3)));
    const info = log.info;
    expect(must(log.append(segment(1))).stored).to.equal('already');
    expect(must(log.appendAll(segments(3)))).to.deep.equal({
      root: first.root,
      stored: Array(3).fill('already'),
    });
    expect(log.info).to.deep.equal(info);
  });

  it('goes on where an interrupted import stopped when that is simply run again', () => {
    const file = newFile();
    const once = open(file);
    must(newTrace(once).appendAll(segments(3)));
    once.close();
    const again = newTrace(open(file));
    expect(must(again.appendAll(segments(5))).stored.map((s) => s === 'appended')).to.deep.equal([
      false,
      false,
      false,
      true,
      true,
    ]);
    const whole = newTrace(open(newFile()));
    must(whole.appendAll(segments(5)));
    expect(again.info.root).to.equal(whole.info.root);
  });

  it('refuses another segment at the place of one that is there', () => {
    const log = newTrace(open(newFile()));
    must(log.appendAll(segments(3)));
    for (const other of [segment(1, 4, 'other'), { ...segment(1), count: 3 }, { ...segment(1), first: 6 }]) {
      expect(codeOf(log.append(other))).to.equal('conflict');
    }
    expect(failure(log.append({ ...segment(1), count: 3 })).what).to.equal(
      'trace a has events 5 to 8 in one segment, not 5 to 7',
    );
    expect(readAll(log).map(plain)).to.deep.equal(segments(3).map(plain));
  });

  it('refuses a gap', () => {
    const log = newTrace(open(newFile()));
    must(log.append(segment(0)));
    expect(failure(log.append(segment(2)))).to.include({
      code: 'out-of-order',
      what: 'trace a ends at event 4: event 9 cannot be next',
    });
  });

  it('appends all or none', () => {
    const log = newTrace(open(newFile()));
    must(log.append(segment(0)));
    expect(codeOf(log.appendAll([segment(1), segment(2), segment(4)]))).to.equal('out-of-order');
    expect(codeOf(log.appendAll([segment(1), segment(0, 4, 'other')]))).to.equal('conflict');
    expect(log.info.events).to.equal(4);
  });

  it('refuses what is no segment', () => {
    const log = newTrace(open(newFile()));
    const bytes = Buffer.from('x');
    const wrong: readonly NewSegment[] = [
      { first: 1, count: 0, bytes },
      { first: 1, count: 4097, bytes },
      { first: 1, count: 1.5, bytes },
      { first: 0, count: 1, bytes },
      { first: NaN, count: 1, bytes },
      { first: 2 ** 53, count: 1, bytes },
      { first: Number.MAX_SAFE_INTEGER, count: 1, bytes },
      { first: 1, count: 1, bytes: new Uint8Array(MAX_BYTES + 1) },
    ];
    for (const bad of wrong) expect(codeOf(log.append(bad)), String(bad.first)).to.equal('bad-segment');
    expect(must(log.appendAll([])).stored).to.deep.equal([]);
    expect(log.info.events).to.equal(0);
  });

  it('ends with finish, whose summary can be replaced', () => {
    const log = newTrace(open(newFile()));
    must(log.append(segment(0)));
    expect(log.info).to.include({ complete: false, summary: null });
    must(log.finish({ lines: 7 }));
    must(log.finish({ lines: 8 }));
    expect(log.info).to.deep.include({ complete: true, summary: { lines: 8 } });
    expect(codeOf(log.append(segment(1)))).to.equal('complete');
    expect(must(log.append(segment(0))).stored).to.equal('already');
    expect(codeOf(log.finish({ big: 1n }))).to.equal('bad-summary');
  });

  it('keeps several traces apart', () => {
    const store = open(newFile());
    const [a, b] = [newTrace(store, 'a'), newTrace(store, 'b')];
    for (let i = 0; i < 5; i++) {
      must(a.append(segment(i, 4, 'a')));
      must(b.append(segment(i, 3, 'b')));
    }
    expect(readAll(a).map(plain)).to.deep.equal(segments(5, 4, 'a').map(plain));
    expect(readAll(b).map(plain)).to.deep.equal(segments(5, 3, 'b').map(plain));
  });

  it('gives a root that depends on the cuts, the bytes and the trace, and on nothing else', () => {
    const store = open(newFile());
    const root = (name: string, list: readonly NewSegment[]): string =>
      must(newTrace(store, name).appendAll(list)).root;
    const roots = [
      root('a', segments(2)),
      root('b', segments(2)),
      root('c', [{ ...segment(0, 8), bytes: Buffer.concat(segments(2).map((s) => s.bytes)) }]),
    ];
    expect(new Set(roots).size).to.equal(3);
    expect(root('a', segments(2))).to.equal(roots[0]);
  });

  it('is, for any cuts and any groups, what a list of segments is', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ count: fc.integer({ min: 1, max: 4096 }), bytes: fc.uint8Array({ maxLength: 200 }) }),
          {
            maxLength: 30,
          },
        ),
        fc.integer({ min: 1, max: 7 }),
        (cells, group) => {
          const store = open(':memory:');
          const log = newTrace(store);
          let first = 1;
          const list = cells.map(({ count, bytes }) => {
            first += count;
            return { first: first - count, count, bytes };
          });
          for (let i = 0; i < list.length; i += group) must(log.appendAll(list.slice(i, i + group)));
          expect(readAll(log).map(plain)).to.deep.equal(list.map(plain));
          for (const [index, s] of list.entries()) {
            const found = [s.first, s.first + s.count - 1].map((seq) => must(log.segmentAt(seq)).index);
            expect(found).to.deep.equal([index, index]);
          }
          expect(codeOf(log.segmentAt(first))).to.equal('no-such-event');
          expect(must(store.verify('a')).intact).to.equal(true);
          store.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});
