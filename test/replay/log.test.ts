import { expect } from 'chai';
import * as fc from 'fast-check';
import { encodeEvents } from '../../core/codec/events.js';
import { evolve, evolveAll } from '../../core/memory/evolve.js';
import { factsOf } from '../../core/memory/facts.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { encodeMemory, REDUCER, snapshotKeeper } from '../../core/memory/snapshot.js';
import { must } from '../../replay/failed.js';
import { openLog } from '../../replay/log.js';
import { openStore } from '../../store/index.js';
import { anyStream } from '../core/memory/arbitrary.js';
import { asGiven, logOf, numbered, scratchFile, write } from './given.js';

/** The canonical text of a memory: its facts, encoded. */
export const bytes = (memory: Memory): string => Buffer.from(encodeEvents(factsOf(memory))).toString('hex');

describe('a trace', () => {
  it('is read batch by batch between two moments', () => {
    const events = numbered(Array.from({ length: 20 }, (_, i) => ({ kind: 'charged', bytes: i }) as const));
    const trace = must(logOf(events, { size: 6 }).trace('t'));
    const seqs = (options?: Parameters<typeof trace.batches>[0]): number[][] =>
      Array.from(trace.batches(options), (batch) => must(batch).map(({ seq }) => seq));
    expect(seqs({ from: 4, to: 13 })).to.deep.equal([[5, 6], [7, 8, 9, 10, 11, 12], [13]]);
    expect(seqs({ from: 'end' })).to.deep.equal([]);
    expect(seqs({ from: 18 })).to.deep.equal([[19, 20]]);
    expect(seqs({ from: 'start', to: 2 })).to.deep.equal([[1, 2]]);
    expect(seqs()[0]).to.deep.equal([0]);
    expect(seqs().flat()).to.have.length(21);
    expect([...trace.batches({ from: 'start', kinds: ['marker'] })]).to.deep.equal([]);
    expect([...trace.batches({ from: 99 })].map((batch) => batch.ok)).to.deep.equal([false]);
  });

  it('gives single events', () => {
    const events = numbered(Array.from({ length: 9 }, (_, i) => ({ kind: 'charged', bytes: i }) as const));
    const trace = must(logOf(events, { size: 4 }).trace('t'));
    for (const seq of [9, 1, 5, 4, 8]) expect(must(trace.event(seq))).to.deep.equal(events[seq - 1]);
    expect(trace.event(10).ok).to.equal(false);
  });

  it('begins with what is given, or with nothing known', () => {
    const facts = asGiven(numbered([{ kind: 'charged', bytes: 640 }]));
    expect(must(must(logOf([], { given: facts }).trace('t')).start()).charged).to.equal(640);
    const unknown = must(logOf([]).trace('t'));
    expect(must(unknown.start()).charged).to.equal(null);
    expect(must(unknown.at('end')).seq).to.equal(0);
  });

  it('gives the memory at any moment, as if folded from the beginning', () => {
    fc.assert(
      fc.property(
        anyStream(),
        anyStream(20),
        fc.array(fc.nat({ max: 120 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 40 }),
        (events, before, places, size) => {
          const log = logOf(events, { size, given: asGiven(before) });
          const trace = must(log.trace('t'));
          for (const place of places) {
            const seq = Math.min(place, events.length);
            const whole = events.slice(0, seq).reduce(evolve, must(trace.start()));
            expect(bytes(must(trace.at(seq)))).to.equal(bytes(whole));
          }
          log.close();
        },
      ),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('gives the same memory with a snapshot as without', () => {
    fc.assert(
      fc.property(anyStream(), fc.array(fc.nat({ max: 120 }), { maxLength: 3 }), (events, places) => {
        const file = scratchFile();
        const store = must(openStore(file));
        write(store, events, { size: 10 });
        const own = must(store.trace('t'));
        const start = evolveAll({ ...nothing, charged: null }, []);
        for (const place of places) {
          const seq = Math.min(place, events.length);
          const snapshot = encodeMemory(evolveAll(start, events.slice(0, seq)));
          must(own.saveSnapshot(seq, snapshot, REDUCER));
          expect(must(own.nearestSnapshot(seq, REDUCER))?.seq).to.equal(seq);
        }
        store.close();
        const log = must(openLog(file));
        const end = must(must(log.trace('t')).at('end'));
        expect(bytes(end)).to.equal(bytes(evolveAll(start, events)));
        log.close();
      }),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('is folded from a snapshot, not from the beginning', () => {
    const events = numbered(Array.from({ length: 20 }, () => ({ kind: 'charged', bytes: 1 }) as const));
    const file = scratchFile();
    const store = must(openStore(file));
    write(store, events, { size: 5 });
    // A snapshot that says something else than the log: it shows that it was used.
    must(
      must(store.trace('t')).saveSnapshot(10, encodeMemory({ ...nothing, charged: 500, seq: 10 }), REDUCER),
    );
    must(must(store.trace('t')).saveSnapshot(15, encodeMemory(nothing), 'another reducer'));
    store.close();
    const trace = must(must(openLog(file)).trace('t'));
    expect(must(trace.at(9)).charged).to.equal(null);
    expect(must(trace.at(17)).charged).to.equal(507);
    expect(must(trace.at(17)).seq).to.equal(17);
    expect(must(trace.at(17)).time).to.equal(16_000);
  });

  it('passes over a snapshot that cannot be read', () => {
    const events = numbered([{ kind: 'limit-set', bytes: 9, charged: 64 }]);
    const file = scratchFile();
    const store = must(openStore(file));
    write(store, events);
    must(must(store.trace('t')).saveSnapshot(1, Buffer.from('rubbish'), REDUCER));
    store.close();
    expect(must(must(must(openLog(file)).trace('t')).at('end')).charged).to.equal(64);
  });

  it('gets snapshots as it is written', () => {
    const saved: number[] = [];
    const keeper = snapshotKeeper({
      saveSnapshot: (seq) => {
        saved.push(seq);
        return { ok: true, value: undefined };
      },
    });
    for (let seq = 4096; seq <= 10 * 4096; seq += 4096)
      must(keeper.after(seq, 40, () => ({ ...nothing, seq })));
    // A memory of nothing takes some 40 bytes: the events apart decide.
    expect(saved[0]).to.equal(8192);
    expect(saved.every((seq, i) => i === 0 || seq - (saved[i - 1] as number) >= 8192)).to.equal(true);
  });
});
