/** kernel-model.md §3: 64-bit RISC-V. */
import { expect } from 'chai';
import { riscv64 } from '../../../../core/arch/riscv64.js';
import {
  setDirectMapInvalid,
  setMemoryRo,
  setMemoryRox,
  setMemoryX,
} from '../../../../core/kernel/setMemory.js';
import { bpfArchTextCopy } from '../../../../core/kernel/textPoke.js';
import { bpfJitAllocExec, vfree } from '../../../../core/kernel/vmalloc.js';
import { Address } from '../../../../core/value/address.js';
import { factsOfKind } from '../../../models/drive.js';
import { Scene } from '../../../models/scene.js';

const ENOMEM = -12;
const FRAME = 0x4000;
const areaOf = (scene: Scene, pages: number): Address =>
  scene.call(bpfJitAllocExec, { size: pages * 4096 }) as Address;

describe('riscv64', () => {
  for (const [kernel, packs] of [
    ['5.17', false],
    ['6.5', false],
    ['6.6', true],
    ['6.12', true],
  ] as const)
    it(`${kernel}: ${packs ? 'programs share a pack' : 'an area of its own for each program'} in the region of the JIT`, () => {
      const scene = new Scene(kernel, { arch: riscv64 });
      const { start } = scene.load();
      expect(scene.memory.packs.length).to.equal(packs ? 1 : 0);
      expect(start.page).to.be.within(0xffffffff78000, 0xffffffff7ffff);
      expect(scene.page(start.page)).to.equal('r-x 4K');
    });

  it('6.6: the alias is left as it was: writable', () => {
    const scene = new Scene('6.6', { arch: riscv64 });
    const addr = areaOf(scene, 2);
    scene.call(setMemoryRo, { addr, numpages: 2 });
    expect(scene.aliases(FRAME, 2)).to.deep.equal(['2 × rw- 2M']);
  });

  it('6.12: the alias gets the same masks, execution included; its leaf is split', () => {
    const scene = new Scene('6.12', { arch: riscv64 });
    const addr = areaOf(scene, 2);
    expect(scene.call(setMemoryRox, { addr, numpages: 2 })).to.equal(0);
    expect(scene.pages(addr.page, 2)).to.deep.equal(['2 × r-x 4K']);
    expect(scene.aliases(FRAME, 512)).to.deep.equal(['2 × r-x 4K', '510 × rw- 4K']);
    expect(scene.moves.filter((move) => move.startsWith('flush'))).to.deep.equal([
      'flush all (set_memory)',
      'flush all (set_memory)',
    ]);
  });

  it('6.12: without a page table for the split the call fails before the range changes, and flushes all the same', () => {
    const scene = new Scene('6.12', { arch: riscv64, answers: { pageTable: () => false } });
    const addr = areaOf(scene, 1);
    expect(scene.call(setMemoryX, { addr, numpages: 1 })).to.equal(ENOMEM);
    expect(scene.page(addr.page)).to.equal('rw- 4K');
    expect(scene.moves).to.deep.equal(['flush all (set_memory)']);
  });

  it('6.5: a large leaf of the direct map is changed whole, where one page was meant (F18); 6.12: one page', () => {
    const old = new Scene('6.5', { arch: riscv64 });
    expect(old.call(setDirectMapInvalid, { page: undefined, pfn: FRAME + 3 })).to.equal(0);
    expect(old.aliases(FRAME, 512)).to.deep.equal(['512 × --- 2M']);
    const now = new Scene('6.12', { arch: riscv64 });
    expect(now.call(setDirectMapInvalid, { page: undefined, pfn: FRAME + 3 })).to.equal(0);
    expect(now.aliases(FRAME, 512)).to.deep.equal(['3 × rw- 4K', '1 × --- 4K', '508 × rw- 4K']);
  });

  it('6.12: vfree gives the aliases back writable and not executable', () => {
    const scene = new Scene('6.12', { arch: riscv64 });
    const addr = areaOf(scene, 1);
    scene.call(setMemoryRox, { addr, numpages: 1 });
    scene.call(vfree, { addr });
    expect(scene.aliases(FRAME, 1)).to.deep.equal(['1 × rw- 4K']);
  });

  it('text is copied two pages at a time', () => {
    const scene = new Scene('6.12', { arch: riscv64 });
    const area = areaOf(scene, 8);
    const dst = Address.of(area.page, 4000);
    scene.call(bpfArchTextCopy, { dst, src: undefined, len: 16384, what: 'code' });
    expect(factsOfKind(scene.steps, 'copied').map(({ length }) => length)).to.deep.equal([4192, 8192, 4000]);
    expect(factsOfKind(scene.steps, 'icache-flushed').map(({ length }) => length)).to.deep.equal([16384]);
  });
});
