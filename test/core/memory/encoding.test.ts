import { expect } from 'chai';
import * as fc from 'fast-check';
import { encodeEvents } from '../../../core/codec/events.js';
import { decodeMemory, encodeMemory } from '../../../core/memory/encoding.js';
import { evolveAll, folder } from '../../../core/memory/evolve.js';
import { factsOf } from '../../../core/memory/facts.js';
import { Memory, nothing } from '../../../core/memory/memory.js';
import { SparseMap } from '../../../core/memory/sparse.js';
import { anyStream } from './arbitrary.js';

const restored = (memory: Memory): Memory => {
  const again = decodeMemory(encodeMemory(memory));
  if (!again.ok) throw new Error(again.error.what);
  return again.value;
};

const text = (memory: Memory): string => Buffer.from(encodeMemory(memory)).toString('hex');

describe('the bytes of a memory', () => {
  it('say what its facts say', () => {
    fc.assert(
      fc.property(anyStream(), (events) => {
        const memory = evolveAll(nothing, events);
        expect(factsOf(restored(memory))).to.deep.equal(factsOf(memory));
        expect(text(restored(memory))).to.equal(text(memory));
      }),
      { numRuns: 300 },
    );
  });

  it('may be changed in place by the owner of what was made of them', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat({ max: 120 }), (events, at) => {
        const owner = {};
        const before = encodeMemory(evolveAll(nothing, events.slice(0, at)));
        const own = decodeMemory(before, owner);
        if (!own.ok) throw new Error(own.error.what);
        const fold = folder(own.value, owner);
        for (const event of events.slice(at)) fold.apply(event);
        const shared = fold.share();
        const other = decodeMemory(before);
        if (!other.ok) throw new Error(other.error.what);
        expect(text(shared)).to.equal(text(evolveAll(other.value, events.slice(at))));
        expect(text(other.value)).to.equal(Buffer.from(before).toString('hex'));
      }),
      { numRuns: 300 },
    );
  });

  it('are equal where the facts are, and only there', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat({ max: 120 }), (events, at) => {
        const one = evolveAll(nothing, events);
        const other = evolveAll(nothing, events.slice(0, at));
        const sameFacts = Buffer.compare(encodeEvents(factsOf(one)), encodeEvents(factsOf(other))) === 0;
        expect(text(one) === text(other)).to.equal(sameFacts);
      }),
      { numRuns: 300 },
    );
  });

  it('cut anywhere are a failure', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat(), (events, at) => {
        const bytes = encodeMemory(evolveAll(nothing, events));
        expect(decodeMemory(bytes.subarray(0, at % bytes.length)).ok).to.equal(false);
      }),
    );
  });

  it('damaged anywhere are a failure or another memory, never an exception', () => {
    fc.assert(
      fc.property(anyStream(), fc.nat(), fc.nat({ max: 254 }), (events, at, change) => {
        const bytes = encodeMemory(evolveAll(nothing, events));
        bytes[at % bytes.length] = ((bytes[at % bytes.length] as number) + change + 1) % 256;
        const memory = decodeMemory(bytes);
        // Most of a memory is made when it is looked at.
        expect(memory.ok ? [...Memory.programs(memory.value), ...Memory.symbols(memory.value)] : []).to.be.an(
          'array',
        );
        if (memory.ok)
          expect([...SparseMap.entries(memory.value.content)]).to.have.length(memory.value.content.size);
      }),
      { numRuns: 500 },
    );
  });
});
