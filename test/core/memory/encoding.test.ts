import { expect } from 'chai';
import * as fc from 'fast-check';
import { encodeEvents } from '../../../core/codec/events.js';
import { decodeMemory, encodeMemory } from '../../../core/memory/encoding.js';
import { evolveAll, folder } from '../../../core/memory/evolve.js';
import { factsOf } from '../../../core/memory/facts.js';
import { Memory, nothing } from '../../../core/memory/memory.js';
import { SparseMap } from '../../../core/memory/sparse.js';
import { Address } from '../../../core/value/address.js';
import { Word } from '../../../core/value/words.js';
import { event as madeEvent } from '../codec/given.js';
import { anyStream } from './arbitrary.js';

const restored = (memory: Memory): Memory => {
  const again = decodeMemory(encodeMemory(memory));
  if (!again.ok) throw new Error(again.error.what);
  return again.value;
};

const text = (memory: Memory): string => Buffer.from(encodeMemory(memory)).toString('hex');

/** Bytes of a memory in which one symbol is known. */
const sizeOfNamed = (name: string): number => {
  const symbol = { program: 1, start: Address.zero, end: Address.zero, name, ksym: Word.zero, id: 0 };
  return encodeMemory(evolveAll(nothing, [madeEvent('published', symbol)])).length;
};

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

  it('keep every name, be it like those of programs or not', () => {
    const names = [
      'bpf_prog_17ae4772ea1d9758_p1941',
      'bpf_prog_00000000ffffffff',
      'bpf_prog_17AE4772EA1D9758_x',
      'bpf_prog_17ae4772ea1d975',
      'bpf_prog_é',
      'bpf_prog_17ae4772ea1d9758_é',
      '',
    ];
    const events = names.map((name, i) =>
      madeEvent(
        'published',
        {
          program: i + 1,
          start: Address.of(0xffffffffc0000, i * 64),
          end: Address.of(0xffffffffc0000, i * 64 + 64),
          name,
          ksym: Word.zero,
          id: 0,
        },
        { seq: i + 1 },
      ),
    );
    for (const some of [events, events.slice(0, 2), []]) {
      const again = restored(evolveAll(nothing, some));
      expect(Array.from(Memory.symbols(again), ({ name }) => name)).to.deep.equal(
        names.slice(0, some.length),
      );
    }
  });

  it('are short: of a name like those of programs they hold eight bytes and the rest', () => {
    expect(sizeOfNamed('bpf_prog_17ae4772ea1d9758_x') - sizeOfNamed('_x')).to.equal(8);
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
