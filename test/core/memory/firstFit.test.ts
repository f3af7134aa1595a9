import { expect } from 'chai';
import * as fc from 'fast-check';
import { firstFit } from '../../../core/memory/evolvePacks.js';
import type { Pack } from '../../../core/memory/memory.js';
import { naiveFirstFit } from '../../models/naivePacks.js';

const packOf = (taken: readonly boolean[]): Pack => {
  const used = new Uint32Array(Math.ceil(taken.length / 32));
  for (const [chunk, bit] of taken.entries())
    if (bit) used[chunk >>> 5] = (used[chunk >>> 5] as number) | (1 << (chunk & 31));
  const usedChunks = taken.filter(Boolean).length;
  return {
    owner: null,
    start: 0x1000,
    bytes: taken.length * 64,
    used,
    usedChunks,
    partial: false,
    dirty: false,
  };
};

/** Bitmaps of runs: short and long ones, ending at words and beside them. */
const bitmap = (chunks: number): fc.Arbitrary<boolean[]> =>
  fc
    .array(
      fc.tuple(
        fc.boolean(),
        fc.oneof(
          fc.integer({ min: 1, max: 5 }),
          fc.integer({ min: 28, max: 36 }),
          fc.integer({ min: 60, max: 130 }),
        ),
      ),
      { minLength: 1, maxLength: 40, size: 'max' },
    )
    .map((runs) => {
      const bits = runs.flatMap(([bit, length]) => new Array<boolean>(length).fill(bit));
      while (bits.length < chunks) bits.push(...bits.slice(0, chunks - bits.length));
      return bits.slice(0, chunks);
    });

describe('first fit', () => {
  for (const chunks of [64, 128, 2048])
    it(`of ${chunks} chunks: the lowest run, or none`, () => {
      fc.assert(
        fc.property(bitmap(chunks), fc.integer({ min: 1, max: 140 }), (taken, wanted) => {
          expect(firstFit(packOf(taken), wanted)).to.equal(naiveFirstFit(taken, wanted));
        }),
        { numRuns: 500 },
      );
    });

  it('of an empty and a full pack, for every size around the pack', () => {
    for (const wanted of [1, 31, 32, 33, 63, 64, 65, 127, 128, 129]) {
      expect(firstFit(packOf(new Array<boolean>(128).fill(false)), wanted)).to.equal(wanted <= 128 ? 0 : -1);
      expect(firstFit(packOf(new Array<boolean>(128).fill(true)), wanted)).to.equal(-1);
    }
  });

  it('finds every single hole at every place', () => {
    for (let length = 1; length <= 66; length += 13)
      for (let at = 0; at + length <= 192; at++) {
        const taken = new Array<boolean>(192).fill(true).fill(false, at, at + length);
        expect(firstFit(packOf(taken), length), `${length} at ${at}`).to.equal(at);
        expect(firstFit(packOf(taken), length + 1), `${length + 1} at ${at}`).to.equal(-1);
      }
  });
});
