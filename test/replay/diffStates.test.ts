import { expect } from 'chai';
import * as fc from 'fast-check';
import { evolve, evolveAll } from '../../core/memory/evolve.js';
import { nothing } from '../../core/memory/memory.js';
import { decodeMemory, encodeMemory } from '../../core/memory/snapshot.js';
import { applyDiff, diffStates, isEmptyDiff, reverseDiff } from '../../replay/diffStates.js';
import { must } from '../../replay/failed.js';
import { anyStream } from '../core/memory/arbitrary.js';
import { numbered } from './given.js';
import { bytes } from './log.test.js';

const twoMoments = fc
  .tuple(anyStream(), fc.nat({ max: 120 }), fc.nat({ max: 120 }))
  .map(([events, i, j]) => ({
    a: evolveAll(nothing, events.slice(0, i)),
    b: evolveAll(nothing, events.slice(0, j)),
  }));

describe('the diff of two memories', () => {
  it('applied to the one gives the other, reversed the one again', () => {
    fc.assert(
      fc.property(twoMoments, ({ a, b }) => {
        const diff = diffStates(a, b);
        const [before, after] = [bytes(a), bytes(b)];
        expect(bytes(applyDiff(diff, a))).to.equal(after);
        expect(bytes(applyDiff(reverseDiff(diff), b))).to.equal(before);
        expect(reverseDiff(reverseDiff(diff))).to.deep.equal(diff);
        // Neither has been touched.
        expect([bytes(a), bytes(b)]).to.deep.equal([before, after]);
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);

  it('is the same whether the memories share anything or not', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat({ max: 120 }), (events, at) => {
        const a = evolveAll(nothing, events.slice(0, at));
        const b = events.slice(at).reduce(evolve, a);
        const apart = must(decodeMemory(encodeMemory(b)));
        expect(bytes(applyDiff(diffStates(a, apart), a))).to.equal(bytes(b));
        const [one, other] = [diffStates(a, b), diffStates(a, apart)];
        expect([...other.pages.changed.keys()]).to.deep.equal([...one.pages.changed.keys()]);
        expect([...other.content.changed.keys()]).to.deep.equal([...one.content.changed.keys()]);
        expect(other.single).to.deep.equal(one.single);
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);

  it('of a memory and itself is empty', () => {
    fc.assert(
      fc.property(anyStream(), (events) => {
        const memory = evolveAll(nothing, events);
        expect(isEmptyDiff(diffStates(memory, memory))).to.equal(true);
        expect(isEmptyDiff(diffStates(memory, must(decodeMemory(encodeMemory(memory)))))).to.equal(true);
      }),
      { numRuns: 100 },
    );
  }).timeout(60_000);

  // Found by the property above, seed 625595862.
  it('does not tell an area whose frames are not known any more from one that never had any', () => {
    const area = { kind: 'area-allocated', start: 505, pages: 3, flags: 0, caller: '' } as const;
    const mapped = { kind: 'mapped', page: 505, pages: 1, shift: 12, prot: 3, frame: 490 } as const;
    const memory = evolveAll(nothing, numbered([area, mapped, { ...mapped, frame: -1 }]));
    expect(isEmptyDiff(diffStates(memory, must(decodeMemory(encodeMemory(memory)))))).to.equal(true);
  });
});
