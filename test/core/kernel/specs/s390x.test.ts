/** kernel-model.md §3: s390x, with the JIT that Debian leaves out. */
import { expect } from 'chai';
import { s390x } from '../../../../core/arch/s390x.js';
import { setMemoryRo, setMemoryRox, setMemoryX } from '../../../../core/kernel/setMemory.js';
import { moduleAlloc, vfree } from '../../../../core/kernel/vmalloc.js';
import type { Address } from '../../../../core/value/address.js';
import { Scene } from '../../../models/scene.js';

const ENOMEM = -12;
const EINVAL = -22;
const FRAME = 0x4000;
const areaOf = (scene: Scene, pages: number): Address =>
  scene.call(moduleAlloc, { size: pages * 4096 }) as Address;

describe('s390x', () => {
  for (const [kernel, calls] of [
    ['5.17', 'RO(1) X(1)'],
    ['6.1', 'RO(1) X(1)'],
    ['6.2', 'ROX(1)'],
    ['6.12', 'ROX(1)'],
    ['7.2', 'ROX(1)'],
  ] as const)
    it(`${kernel}: an area of its own for each program, filled with zeroes`, () => {
      const scene = new Scene(kernel, { arch: s390x });
      const program = scene.load();
      expect(scene.story).to.equal(`CH(4096) VA+FL(4096) FILL ST ${calls} PUB`);
      expect(scene.page(program.start.page)).to.equal('r-x 4K');
      scene.free(program);
      expect(scene.story).to.equal(`UNP ${kernel === '6.12' || kernel === '7.2' ? 'VF' : "VF'"} UC(4096)`);
    });

  it('6.1: the alias stays as it was', () => {
    const scene = new Scene('6.1', { arch: s390x });
    const addr = areaOf(scene, 2);
    expect(scene.call(setMemoryRo, { addr, numpages: 2 })).to.equal(0);
    expect(scene.moves).to.deep.equal(['2 × (area 1 -W, flush 1 (set_memory))']);
  });

  it('6.12: the alias becomes read-only too, never executable; its segment of 1 MiB is split once', () => {
    const scene = new Scene('6.12', { arch: s390x });
    const addr = areaOf(scene, 2);
    expect(scene.call(setMemoryRox, { addr, numpages: 2 })).to.equal(0);
    expect(scene.moves).to.deep.equal([
      '2 × (area 1 +X-W, flush 1 (set_memory))',
      'split alias 2^20',
      '2 × (alias 1 -W, flush 1 (set_memory))',
    ]);
    expect(scene.aliases(FRAME, 512)).to.deep.equal(['2 × r-- 4K', '254 × rw- 4K', '256 × rw- 2^20']);
    expect(scene.splits, 'counted nowhere').to.equal(0);
    expect(scene.call(setMemoryX, { addr, numpages: 2 })).to.equal(0);
    expect(scene.moves, 'X alone').to.deep.equal(['2 × (area 1 +X, flush 1 (set_memory))']);
  });

  it('6.12: without a page table for the split the call fails, and what was done stays', () => {
    const scene = new Scene('6.12', { arch: s390x, answers: { pageTable: () => false } });
    const addr = areaOf(scene, 1);
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(ENOMEM);
    expect(scene.page(addr.page)).to.equal('r-- 4K');
    expect(scene.aliases(FRAME, 256)).to.deep.equal(['256 × rw- 2^20']);
  });

  it('a range that reaches into the guard page is refused there', () => {
    const scene = new Scene('6.12', { arch: s390x });
    const addr = areaOf(scene, 1);
    expect(scene.call(setMemoryRo, { addr, numpages: 2 })).to.equal(EINVAL);
    expect(scene.page(addr.page)).to.equal('r-- 4K');
  });

  it('6.12: vfree takes each alias away and puts it back', () => {
    const scene = new Scene('6.12', { arch: s390x });
    const addr = areaOf(scene, 1);
    scene.call(setMemoryRo, { addr, numpages: 1 });
    scene.call(vfree, { addr });
    expect(scene.moves).to.deep.equal([
      'unmap',
      'area lazy',
      'alias 1 -P',
      'flush 1 (set_memory)',
      'flush all (purge)',
      'purge',
      'alias 1 +PW-X',
      'flush 1 (set_memory)',
      'frames given back',
    ]);
    expect(scene.alias(FRAME)).to.match(/^rw-/);
  });
});
