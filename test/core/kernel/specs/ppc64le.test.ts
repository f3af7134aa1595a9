/** kernel-model.md §3 and §1.5, captures/FINDINGS.md "Other architectures": powerpc. */
import { expect } from 'chai';
import { ppc64le_4k, ppc64le_64k, ppc64le_rwx } from '../../../../core/arch/ppc64le.js';
import {
  setMemoryNx,
  setMemoryRo,
  setMemoryRox,
  setMemoryRw,
  setMemoryX,
} from '../../../../core/kernel/setMemory.js';
import { allocArea, moduleAlloc, vfree } from '../../../../core/kernel/vmalloc.js';
import { kernelFunction, type Body, type Kernel } from '../../../../core/kernel/request.js';
import { Memory } from '../../../../core/memory/memory.js';
import { Address } from '../../../../core/value/address.js';
import { Scene } from '../../../models/scene.js';

const EINVAL = -22;

/** The area of a pack, as the pack allocator asks for it. */
const takeArea = kernelFunction('area', function* (k: Kernel, a: { size: number }): Body<Address | null> {
  return yield* allocArea(k, a.size);
});

/** Kernels with the permission calls that they make for an image. */
const OLD = new Map([
  ['5.17', 'RO(1) X(1)'],
  ['5.18-rc3', 'RO(1) X(1)'],
  ['5.18.2', 'RO(1) X(1)'],
  ['6.1', 'RO(1) X(1)'],
  ['6.2', 'ROX(1)'],
  ['6.6', 'ROX(1)'],
]);

/** Where the caches were flushed, as bytes from an address. */
const flushedFrom = (scene: Scene, at: Address): string[] =>
  scene.steps.flatMap((step) =>
    step.step === 'fact' && step.fact.kind === 'icache-flushed'
      ? [`${Address.minus(step.fact.at, at)}+${step.fact.length}`]
      : [],
  );

describe('powerpc', () => {
  for (const [kernel, calls] of OLD)
    for (const arch of [ppc64le_4k, ppc64le_64k])
      it(`${kernel}, pages of ${arch.pageSize}: an area of its own for each program, none of the pack calls`, () => {
        const scene = new Scene(kernel, { arch });
        const size = arch.pageSize;
        const program = scene.load();
        expect(scene.story).to.equal(`CH(${size}) VA+FL(${size}) FILL ST ${calls} PUB`);
        expect(flushedFrom(scene, program.program.chunk)).to.deep.equal([`0+${size}`]);
        expect(scene.page(program.start.page)).to.match(/^r-x/);
        expect(scene.alias(scene.frame(program.start.page))).to.equal('rw- 2M');
        scene.free(program);
        expect(scene.story).to.equal(`UNP VF' UC(${size})`);
      });

  for (const kernel of ['6.8', '6.12', '7.2'])
    it(`${kernel}: packs, of which nothing becomes read-only in the direct map`, () => {
      const scene = new Scene(kernel, { arch: ppc64le_4k });
      const program = scene.load();
      const [l, after] = kernel === '6.8' ? ['L+ ROX(512)', ''] : ['ROX(512)', ' L+'];
      expect(scene.story).to.equal(`CH(448) { VA+FL(2097152) FILL ${l}${after} B+ } KV CP(448) PUB`);
      expect(scene.alias(scene.frame(program.start.page))).to.equal('rw- 2M');
      scene.free(program);
      expect(scene.story).to.equal("UNP { INV(448) B- L- VF' } UC(448)");
      expect(scene.moves).to.deep.equal([
        'unmap',
        'area lazy',
        'flush all (purge)',
        'purge',
        'frames given back',
      ]);
    });

  it('6.12: a permission call changes and flushes page after page', () => {
    const scene = new Scene('6.12', { arch: ppc64le_4k });
    const addr = scene.call(moduleAlloc, { size: 3 * 4096 }) as Address;
    expect(scene.call(setMemoryRox, { addr, numpages: 3 })).to.equal(0);
    expect(scene.moves).to.deep.equal(['3 × (area 1 +X-W, flush 1 (set_memory))']);
    expect(scene.call(setMemoryRw, { addr, numpages: 1 })).to.equal(0);
    expect(scene.moves).to.deep.equal(['area 1 +WD', 'flush 1 (set_memory)']);
    expect(scene.call(setMemoryNx, { addr, numpages: 1 })).to.equal(0);
    expect(scene.moves).to.deep.equal(['area 1 -X', 'flush 1 (set_memory)']);
  });

  it('64K pages: a page of the architecture is sixteen of 4K', () => {
    const scene = new Scene('6.12', { arch: ppc64le_64k });
    const addr = scene.call(moduleAlloc, { size: 1000 }) as Address;
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
    expect(scene.moves).to.deep.equal(['area 16 -W', 'flush 16 (set_memory)']);
    expect(Memory.areaAt(scene.memory, addr.page)?.pages).to.equal(32);
  });

  it('6.12: a copy goes through an alias page by page, each flushed from the caches', () => {
    const scene = new Scene('6.12', { arch: ppc64le_4k });
    scene.load(4000);
    const { program } = scene.load(6000);
    expect(flushedFrom(scene, program.chunk)).to.deep.equal(['0+64', '64+4096', '4160+1920']);
  });

  for (const kernel of ['5.18-rc5', '6.1', '6.12', '7.2'])
    it(`${kernel}: set_memory_* of an area of huge pages warns and fails, nothing changes`, () => {
      const scene = new Scene(kernel, { arch: ppc64le_4k, forced: { huge: true } });
      const addr = scene.call(takeArea, { size: 0x200000 }) as Address;
      expect(scene.page(addr.page)).to.equal('rw- 2M');
      for (const fn of [setMemoryRo, setMemoryX, setMemoryRox]) {
        expect(scene.call(fn, { addr, numpages: 512 })).to.equal(EINVAL);
        expect(scene.moves).to.deep.equal([]);
        expect(scene.story).to.match(/WARN$/);
      }
      expect(scene.page(addr.page)).to.equal('rw- 2M');
    });

  it('5.18 forced onto packs: everything is prepared, then the copy fails; the charge is never given back', () => {
    const scene = new Scene('5.18-rc5', { arch: ppc64le_4k, forced: { pack: true } });
    expect(scene.compile()).to.equal(null);
    expect(scene.story).to.equal(
      "CH(448) { VA+FL(2097152) VF' VA+FL(4096) L+ RO(1) X(1) B+ } KV CP(448) { B- } WARN",
    );
    expect(scene.memory.charged).to.equal(448);
  });

  it('without STRICT_MODULE_RWX an area can be written and executed until it is made read-only', () => {
    const scene = new Scene('6.1', { arch: ppc64le_rwx });
    const addr = scene.call(moduleAlloc, { size: 4096 }) as Address;
    expect(scene.page(addr.page)).to.equal('rwx 4K');
    scene.call(setMemoryRo, { addr, numpages: 1 });
    expect(scene.page(addr.page)).to.equal('r-x 4K');
  });

  it('an area without the reset flag is given back without a flush of aliases', () => {
    const scene = new Scene('6.12', { arch: ppc64le_4k });
    const addr = scene.call(moduleAlloc, { size: 4096 }) as Address;
    scene.call(vfree, { addr });
    expect(scene.steps.filter((step) => step.step === 'call').map((step) => step.name)).to.include(
      '_vm_unmap_aliases',
    );
    expect(
      scene.steps.some((step) => step.step === 'call' && step.name.startsWith('set_direct_map_')),
    ).to.equal(false);
  });
});
