/** kernel-model.md §3: LoongArch. */
import { expect } from 'chai';
import { loongarch64, loongarch64With4K } from '../../../../core/arch/loongarch64.js';
import { setMemoryRo, setMemoryRox } from '../../../../core/kernel/setMemory.js';
import { bpfArchTextCopy } from '../../../../core/kernel/textPoke.js';
import { bpfJitAllocExec, vfree } from '../../../../core/kernel/vmalloc.js';
import { profileNamed } from '../../../../core/profile/profiles.js';
import type { Profile } from '../../../../core/profile/profile.js';
import { Address } from '../../../../core/value/address.js';
import { Scene } from '../../../models/scene.js';

const FRAME = 0x4000;
const EINVAL = -22;
const areaOf = (scene: Scene, bytes: number): Address =>
  scene.call(bpfJitAllocExec, { size: bytes }) as Address;

describe('loongarch64', () => {
  it('has no JIT before 6.1', () => {
    expect(loongarch64.missing(profileNamed('5.19') as Profile)).to.include('no BPF JIT before 6.1');
    expect(loongarch64.missing(profileNamed('6.1') as Profile)).to.equal(null);
  });

  for (const [kernel, packs] of [
    ['6.1', 0],
    ['6.16', 0],
    ['7.1', 1],
  ] as const)
    it(`${kernel}: ${packs === 0 ? 'an area of 16 KiB for each program' : 'programs share a pack'}`, () => {
      const scene = new Scene(kernel, { arch: loongarch64 });
      scene.load();
      expect(scene.memory.packs.length).to.equal(packs);
    });

  it('6.1: set_memory_* is a stub: the area stays writable and executable', () => {
    const scene = new Scene('6.1', { arch: loongarch64With4K });
    const addr = areaOf(scene, 4096);
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
    expect(scene.page(addr.page)).to.equal('rwx 4K');
    expect(scene.moves).to.deep.equal([]);
  });

  it('6.12: the range changes, the direct map never', () => {
    const scene = new Scene('6.12', { arch: loongarch64With4K });
    const addr = areaOf(scene, 4096);
    expect(scene.call(setMemoryRox, { addr, numpages: 1 })).to.equal(0);
    expect(scene.page(addr.page)).to.equal('r-x 4K');
    expect(scene.aliases(FRAME, 1)).to.deep.equal(['1 × rw- 2M']);
    scene.call(vfree, { addr });
    expect(scene.aliases(FRAME, 1)).to.deep.equal(['1 × rw- 2M']);
  });

  it('7.1: a copy makes the pages writable, still executable, and read-only again (F38)', () => {
    const scene = new Scene('7.1', { arch: loongarch64With4K });
    const addr = areaOf(scene, 4 * 4096);
    scene.call(setMemoryRox, { addr, numpages: 4 });
    const dst = Address.of(addr.page, 4000);
    expect(scene.call(bpfArchTextCopy, { dst, src: undefined, len: 200, what: 'code' })).to.deep.equal(dst);
    expect(scene.moves.filter((move) => move.startsWith('area'))).to.deep.equal([
      'area 2 +WD',
      'area 2 +X-WD',
    ]);
    expect(scene.pages(addr.page, 4)).to.deep.equal(['4 × r-x 4K']);
    const odd = Address.of(addr.page, 6);
    expect(scene.call(bpfArchTextCopy, { dst: odd, src: undefined, len: 4, what: 'code' })).to.equal(EINVAL);
  });
});
