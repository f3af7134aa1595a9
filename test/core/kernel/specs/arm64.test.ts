/** kernel-model.md §3: arm64, with its page sizes and a processor that can split blocks in use. */
import { expect } from 'chai';
import { arm64, arm64With16K, arm64With64K, arm64WithBlocks } from '../../../../core/arch/arm64.js';
import { setMemoryRo, setMemoryRox, setMemoryRw, setMemoryX } from '../../../../core/kernel/setMemory.js';
import { bpfArchTextCopy } from '../../../../core/kernel/textPoke.js';
import { bpfJitAllocExec, vmallocNodeRange, vfree } from '../../../../core/kernel/vmalloc.js';
import { Address } from '../../../../core/value/address.js';
import { factsOfKind } from '../../../models/drive.js';
import { Scene } from '../../../models/scene.js';

const ENOMEM = -12;
const EINVAL = -22;
const FRAME = 0x4000;

const areaOf = (scene: Scene, bytes: number): Address =>
  scene.call(bpfJitAllocExec, { size: bytes }) as Address;

/** Copies 64 bytes to an offset in a page. */
const copyAt = (kernel: string, offset: number): Address | number => {
  const scene = new Scene(kernel, { arch: arm64 });
  const dst = Address.of(areaOf(scene, 4096).page, offset);
  return scene.call(bpfArchTextCopy, { dst, src: undefined, len: 64, what: 'code' });
};

describe('arm64', () => {
  for (const [kernel, story] of [
    ['5.17', 'CH(4096) VA(4096) FILL ST FL RO(1) X(1) PUB'],
    ['5.18-rc3', 'CH(4096) VA(4096) FILL ST FL RO(1) X(1) PUB'],
    ['6.1', 'CH(4096) VA(4096) FILL ST FL RO(1) X(1) PUB'],
    ['6.8', 'CH(4096) VA(4096) FILL ST FL ROX(1) RO(1) X(1) PUB'],
  ] as const)
    it(`${kernel}: an area of its own for each program`, () => {
      const scene = new Scene(kernel, { arch: arm64 });
      const program = scene.load();
      expect(scene.story).to.equal(story);
      expect(scene.page(program.start.page)).to.equal('r-x 4K');
    });

  for (const kernel of ['6.9', '6.12', '7.2'])
    it(`${kernel}: programs share a pack, RO then X, copied and filled at once`, () => {
      const scene = new Scene(kernel, { arch: arm64 });
      const program = scene.load();
      expect(scene.memory.packs.length).to.equal(1);
      expect(scene.page(program.start.page)).to.equal('r-x 4K');
      const flushed = factsOfKind(scene.steps, 'icache-flushed').map(({ length }) => length);
      expect(flushed).to.deep.equal([program.program.bytes]);
      const copies = factsOfKind(scene.steps, 'copied').filter(({ way }) => way === 'poke');
      expect(copies.length, 'one __text_poke of any length').to.equal(1);
    });

  for (const [arch, bytes, leaf] of [
    [arm64With16K, 16384, '2^14'],
    [arm64With64K, 65536, '2^16'],
  ] as const)
    it(`6.1: ${arch.name} charges and maps a page of its own size for each program`, () => {
      const scene = new Scene('6.1', { arch });
      const program = scene.load();
      expect(scene.story).to.equal(`CH(${bytes}) VA(${bytes}) FILL ST FL RO(1) X(1) PUB`);
      expect(scene.pages(program.start.page, bytes / 4096)).to.deep.equal([`${bytes / 4096} × r-x ${leaf}`]);
      expect(scene.aliases(FRAME, bytes / 4096)).to.deep.equal([`${bytes / 4096} × r-- ${leaf}`]);
    });

  it('6.12: a change of one page reaches the aliases of the whole area (F19); execution is not mirrored', () => {
    const scene = new Scene('6.12', { arch: arm64 });
    const addr = areaOf(scene, 4 * 4096);
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
    expect(scene.pages(addr.page, 4)).to.deep.equal(['1 × r-- 4K', '3 × rw- 4K']);
    expect(scene.aliases(FRAME, 4)).to.deep.equal(['4 × r-- 4K']);
    scene.call(setMemoryX, { addr, numpages: 1 });
    expect(scene.aliases(FRAME, 4)).to.deep.equal(['4 × r-- 4K']);
    scene.call(setMemoryRw, { addr, numpages: 4 });
    expect(scene.aliases(FRAME, 4)).to.deep.equal(['4 × rw- 4K']);
  });

  it('6.19: only the aliases of the range follow', () => {
    const scene = new Scene('6.19', { arch: arm64 });
    const addr = areaOf(scene, 4 * 4096);
    expect(scene.call(setMemoryRox, { addr, numpages: 1 })).to.equal(0);
    expect(scene.aliases(FRAME, 4)).to.deep.equal(['1 × r-- 4K', '3 × rw- 4K']);
  });

  it('a range beyond its area is refused, and nothing has changed', () => {
    const scene = new Scene('6.12', { arch: arm64 });
    const addr = areaOf(scene, 4096);
    expect(scene.call(setMemoryRo, { addr, numpages: 3 })).to.equal(EINVAL);
    expect(scene.page(addr.page)).to.equal('rw- 4K');
    expect(scene.call(setMemoryRo, { addr: Address.of(0xffff900000000), numpages: 1 }), 'no area').to.equal(
      0,
    );
  });

  it('no area at all is refused where nothing says that there is one', () => {
    const scene = new Scene('6.12', { arch: arm64, answers: { more: () => false } });
    expect(scene.call(setMemoryRo, { addr: Address.of(0xffff900000000), numpages: 1 })).to.equal(EINVAL);
  });

  it('an area with large leaves is refused', () => {
    const scene = new Scene('6.12', { arch: arm64 });
    const addr = scene.call(vmallocNodeRange, {
      size: 0x200000,
      align: 1,
      start: Address.of(0xffff800080000),
      end: Address.of(0xffff900000000),
      gfp_mask: 0xcc0,
      prot: undefined,
      vm_flags: 0x400,
      caller: 'test',
    }) as Address;
    expect(scene.page(addr.page)).to.equal('rw- 2M');
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(EINVAL);
    expect(scene.page(addr.page)).to.equal('rw- 2M');
  });

  it('7.2 with BBML2: a block of the linear map is split; without a page table for it the call fails', () => {
    const scene = new Scene('7.2', { arch: arm64WithBlocks });
    const addr = areaOf(scene, 4096);
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
    expect(scene.aliases(FRAME, 512)).to.deep.equal(['1 × r-- 4K', '511 × rw- 4K']);
    const poor = new Scene('7.2', { arch: arm64WithBlocks, answers: { pageTable: () => false } });
    const other = areaOf(poor, 4096);
    expect(poor.call(setMemoryRo, { addr: other, numpages: 1 })).to.equal(ENOMEM);
    expect(poor.page(other.page), 'the alias comes first').to.equal('rw- 4K');
  });

  it('6.12: vfree takes each alias away and puts it back', () => {
    const scene = new Scene('6.12', { arch: arm64 });
    const addr = areaOf(scene, 2 * 4096);
    scene.call(setMemoryRox, { addr, numpages: 2 });
    scene.call(vfree, { addr });
    expect(scene.aliases(FRAME, 2)).to.deep.equal(['2 × rw- 4K']);
  });

  it('text is copied to places of instructions only, and not at all before 6.9', () => {
    expect(copyAt('6.12', 8)).to.have.property('offset', 8);
    expect(copyAt('6.12', 6)).to.equal(EINVAL);
    expect(copyAt('6.8', 8)).to.equal(-524);
  });
});
