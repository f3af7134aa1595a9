/** kernel-model.md §3: architectures whose set_memory_* are stubs, and those whose JIT never used packs. */
import { expect } from 'chai';
import { arm32 } from '../../../../core/arch/arm32.js';
import { mips, parisc, sparc64 } from '../../../../core/arch/withoutSetMemory.js';
import { x86_32 } from '../../../../core/arch/x86_32.js';
import { moduleAlloc } from '../../../../core/kernel/vmalloc.js';
import { setMemoryRo, setMemoryRox } from '../../../../core/kernel/setMemory.js';
import { profileNamed } from '../../../../core/profile/profiles.js';
import { Address } from '../../../../core/value/address.js';
import { kernelOf } from '../../../../traces/simulate/simulate.js';
import { Scene } from '../../../models/scene.js';

const EFAULT = -14;
const EINVAL = -22;

describe('architectures without packs', () => {
  for (const arch of [parisc, mips, sparc64])
    for (const kernel of ['6.6', '6.12', '7.2'])
      it(`${arch.name} ${kernel}: "read-only" changes nothing and never fails: an image stays writable and executable`, () => {
        const scene = new Scene(kernel, { arch });
        const program = scene.load();
        const size = arch.pageSize;
        expect(scene.story).to.equal(`CH(${size}) VA+FL(${size}) FILL ST ROX(1) PUB`);
        expect(scene.page(program.start.page)).to.match(/^rwx/);
        scene.free(program);
        expect(scene.story).to.equal(`UNP VF' UC(${size})`);
      });

  it('arm32: writable and executable until set_memory_ro; outside the module range it is refused', () => {
    const scene = new Scene('6.1', { arch: arm32 });
    const addr = scene.call(moduleAlloc, { size: 4096 }) as Address;
    expect(scene.page(addr.page)).to.equal('rwx 4K');
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
    expect(scene.page(addr.page)).to.equal('r-x 4K');
    expect(scene.call(setMemoryRo, { addr: Address.of(0xc1000), numpages: 1 })).to.equal(EINVAL);
  });

  it('arm32: set_memory_rox is set_memory_ro and then set_memory_x', () => {
    const scene = new Scene('6.12', { arch: arm32 });
    const addr = scene.call(moduleAlloc, { size: 4096 }) as Address;
    scene.call(setMemoryRox, { addr, numpages: 1 });
    const calls = scene.steps.flatMap((step) => (step.step === 'call' ? [step.name] : []));
    expect(calls.filter((name) => name.startsWith('set_memory_'))).to.deep.equal([
      'set_memory_rox',
      'set_memory_ro',
      'set_memory_x',
    ]);
  });

  for (const kernel of ['5.18.2', '6.1', '6.12'])
    it(`x86-32 ${kernel}: an area of its own, with the aliases of x86`, () => {
      const scene = new Scene(kernel, { arch: x86_32 });
      const program = scene.load();
      expect(scene.story).to.match(
        /^CH\(4096\) VA(?:\+FL)?\(4096\) FILL ST (?:FL )?(?:RO\(1\) X\(1\)|ROX\(1\)) PUB$/,
      );
      expect(scene.page(program.start.page)).to.equal('r-x 4K');
      expect(scene.alias(scene.frame(program.start.page))).to.equal('r-- 4K');
    });

  it('forced onto packs of the series: what frees by garbage takes the pack away, whose pages are then no longer there', () => {
    const scene = new Scene('5.18-rc5-packv2-huge', { arch: x86_32, forced: { pack: true, huge: true } });
    expect(scene.compile()).to.equal(null);
    const addr = Address.of(scene.memory.packs[0]?.start ?? 0);
    expect(scene.page(addr.page)).to.equal('none');
    expect(scene.call(setMemoryRo, { addr, numpages: 500_000 })).to.equal(EFAULT);
    expect(scene.steps.length).to.be.below(50);
  });

  it('parisc before 6.6 never had a JIT: it says so, and --force runs it', () => {
    expect(profileNamed('6.1')).not.to.equal(null);
    expect(kernelOf({ kernel: '6.1', arch: 'parisc' })).to.deep.include({ ok: false });
    expect(kernelOf({ kernel: '6.1', arch: 'parisc', force: true })).to.deep.include({ ok: true });
    expect(kernelOf({ kernel: '6.6', arch: 'parisc' })).to.deep.include({ ok: true });
  });
});
