import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodeEvents, encodeEvents } from '../../../core/codec/events.js';
import type { Event } from '../../../core/event/event.js';
import { evolve, evolveAll } from '../../../core/memory/evolve.js';
import { factsOf } from '../../../core/memory/facts.js';
import { nothing, type Memory } from '../../../core/memory/memory.js';
import { snapshotSchedule } from '../../../core/memory/snapshot.js';
import { diffStates } from '../../../replay/diffStates.js';
import { anyStream } from './arbitrary.js';

const bytes = (memory: Memory): Uint8Array => encodeEvents(factsOf(memory));
const text = (memory: Memory): string => Buffer.from(bytes(memory)).toString('hex');

/** What differs, told by something that knows nothing of facts: what is left out of them shows. */
const differing = (a: Memory, b: Memory): readonly string[] => {
  const { single, packOrder, ...entities } = diffStates(a, b);
  const parts = Object.entries(entities)
    .filter(([, { added, removed, changed }]) => added.size + removed.size + changed.size > 0)
    .map(([name]) => name);
  return [...parts, ...Object.keys(single), ...(packOrder === null ? [] : ['packOrder'])];
};

/** The memory that its facts give, written and read again. */
const restored = (memory: Memory): Memory => {
  const again = decodeEvents(bytes(memory));
  if (!again.ok) throw new Error(again.error.what);
  return evolveAll(nothing, again.value);
};

/** Cuts a stream where the numbers say. */
const cut = (events: readonly Event[], sizes: readonly number[]): Event[][] => {
  const batches: Event[][] = [];
  let from = 0;
  for (let i = 0; from < events.length; i++) {
    const size = sizes.length === 0 ? 7 : (sizes[i % sizes.length] as number);
    batches.push(events.slice(from, from + size));
    from += size;
  }
  return batches;
};

describe('memory', () => {
  it('is the same in any batching', () => {
    fc.assert(
      fc.property(
        anyStream(),
        fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }),
        (events, sizes) => {
          const whole = evolveAll(nothing, events);
          const parts = cut(events, sizes).reduce(evolveAll, nothing);
          const single = events.reduce(evolve, nothing);
          expect(text(parts)).to.equal(text(whole));
          expect(text(single)).to.equal(text(whole));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('stays as it was when later events are applied', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat({ max: 120 }), (events, at) => {
        const middle = evolveAll(nothing, events.slice(0, at));
        const before = text(middle);
        evolveAll(middle, events.slice(at));
        for (let i = at; i < events.length; i++) evolve(middle, events[i] as Event);
        expect(text(middle)).to.equal(before);
      }),
      { numRuns: 300 },
    );
  });

  it('is restored by its facts, causes included', () => {
    fc.assert(
      fc.property(anyStream(), (events) => {
        const memory = evolveAll(nothing, events);
        const again = restored(memory);
        expect(factsOf(again)).to.deep.equal(factsOf(memory));
        expect(differing(memory, again)).to.deep.equal([]);
        expect([again.seq, again.time]).to.deep.equal([memory.seq, memory.time]);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on from its facts as it would have gone on without', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat({ max: 120 }), (events, at) => {
        const whole = evolveAll(nothing, events);
        const tail = evolveAll(restored(evolveAll(nothing, events.slice(0, at))), events.slice(at));
        expect(text(tail)).to.equal(text(whole));
        expect(differing(whole, tail)).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });

  it('of nothing is one fact', () => {
    expect(factsOf(nothing).map(({ kind }) => kind)).to.deep.equal(['state-known']);
    expect(text(restored(nothing))).to.equal(text(nothing));
    expect(restored({ ...nothing, charged: null }).charged).to.equal(null);
  });
});

describe('a snapshot', () => {
  it('is due after 8,192 events and twice the size of the last one', () => {
    const schedule = snapshotSchedule();
    expect(schedule.appended(4096, 50_000)).to.equal(false);
    expect(schedule.appended(8192, 50_000)).to.equal(true);
    schedule.made(8192, 80_000);
    expect(schedule.appended(12288, 100_000)).to.equal(false);
    expect(schedule.appended(16384, 50_000)).to.equal(false);
    expect(schedule.appended(20480, 50_000)).to.equal(true);
  });
});
