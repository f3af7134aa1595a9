import { expect } from 'chai';
import type { Fact } from '../../core/event/event.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { nothing } from '../../core/memory/memory.js';
import { Address } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { leftovers } from '../../replay/leftovers.js';
import { numbered } from './given.js';

const PACK = 0xffffffffc0000;
const FRAME = 0x100;
const at = (offset: number): Address => Address.add(Address.of(PACK), offset);
const found = (...facts: readonly Fact[]) => leftovers(evolveAll(nothing, numbered(facts)));

const area: Fact = { kind: 'area-allocated', start: PACK, pages: 2, flags: 0, caller: '' };
const mapped: Fact = {
  kind: 'mapped',
  page: PACK,
  pages: 1,
  shift: 12,
  prot: Prot.present | Prot.executable,
  frame: FRAME,
};
const loaded: readonly Fact[] = [
  {
    kind: 'program-allocated',
    program: 5,
    pointer: { hi: 0, lo: 1 },
    chunk: at(0),
    bytes: 128,
    proglen: 90,
    type: 'program',
  },
  { kind: 'copied', to: at(0), length: 128, what: 'image', way: 'poke' },
];
const freed: Fact = { kind: 'program-freed', program: 5 };

describe('leftovers in executable memory', () => {
  it('are what lay there before, and the images of freed programs', () => {
    expect(found(area, mapped, ...loaded)[0]).to.include({
      executable: 4096,
      inherited: 4096 - 128,
      dead: 0,
    });
    expect(found(area, mapped, ...loaded, freed)[0]).to.include({ inherited: 4096 - 128, dead: 128 });
  });

  it('tell the code of earlier programs in memory that was given back and came again', () => {
    const again: readonly Fact[] = [
      { kind: 'unmapped', page: PACK, pages: 2 },
      { kind: 'area-freed', start: PACK },
      area,
      mapped,
    ];
    expect(found(area, mapped, ...loaded, freed, ...again)[0]).to.include({
      inherited: 4096,
      inherited_code: 128,
      dead: 0,
    });
  });
});
