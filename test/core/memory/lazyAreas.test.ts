import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Fact } from '../../../core/event/event.js';
import { evolve, evolveAll } from '../../../core/memory/evolve.js';
import { Memory, nothing } from '../../../core/memory/memory.js';
import { decodeMemory, encodeMemory } from '../../../core/memory/snapshot.js';
import { applyDiff, diffStates } from '../../../replay/diffStates.js';
import { must } from '../../../replay/failed.js';
import { numbered } from '../../replay/given.js';
import { anyStream } from './arbitrary.js';

const area = (start: number, pages = 4): Fact => ({
  kind: 'area-allocated',
  start,
  pages,
  flags: 0,
  caller: '',
});
const freed = (start: number): Fact => ({ kind: 'area-freed', start });
const purged = (start: number, pages: number): Fact => ({ kind: 'areas-purged', start, pages });

const starts = (memory: Memory): readonly number[] =>
  Array.from(Memory.lazyAreas(memory), ({ start }) => start);
const lazyIn = (memory: Memory): readonly number[] =>
  Array.from(Memory.areas(memory))
    .filter(({ state }) => state === 'lazy')
    .map(({ start }) => start);
const after = (...facts: readonly Fact[]): Memory => evolveAll(nothing, numbered(facts));

describe('the areas that wait for a purge', () => {
  it('are those that say so of themselves, however the memory was made', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat({ max: 120 }), (events, at) => {
        const a = evolveAll(nothing, events.slice(0, at));
        const b = events.slice(at).reduce(evolve, a);
        for (const memory of [a, b, must(decodeMemory(encodeMemory(b))), applyDiff(diffStates(a, b), a)])
          expect(starts(memory)).to.deep.equal(lazyIn(memory));
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);

  it('go with a purge: those in its range, or all', () => {
    const three = [area(100), area(200), area(300), freed(100), freed(200), freed(300)];
    expect(starts(after(...three))).to.deep.equal([100, 200, 300]);
    expect(starts(after(...three, purged(200, 100)))).to.deep.equal([100, 300]);
    expect(starts(after(...three, purged(0, 0)))).to.deep.equal([]);
    expect([...Memory.areas(after(...three, purged(0, 0)))]).to.deep.equal([]);
  });

  it('are none any more where addresses are given out again', () => {
    expect(starts(after(area(100), freed(100), area(100)))).to.deep.equal([]);
    expect(starts(after(area(100), freed(100), area(102)))).to.deep.equal([]);
    expect(starts(after(freed(100)))).to.deep.equal([]);
  });
});
