/** kernel-model.md §4.8 and captures/FINDINGS*.md, "A free": vfree, with and without VM_FLUSH_RESET_PERMS. */
import { expect } from 'chai';
import { moduleAlloc, vfree } from '../../../../core/kernel/vmalloc.js';
import { Address } from '../../../../core/value/address.js';
import { Scene, type Compiled, type SceneOptions } from '../../../models/scene.js';

const FRAME = 0x4000;

/** One program in a pack of its own. */
const loaded = (
  kernel: string,
  options?: SceneOptions,
): { scene: Scene; program: Compiled; pack: number } => {
  const scene = new Scene(kernel, options);
  const program = scene.load();
  return { scene, program, pack: program.program.chunk.page };
};

describe('a pack that is freed with VM_FLUSH_RESET_PERMS', () => {
  const small: Readonly<Record<string, string>> = { '6.1': 'PW', '6.12': 'PWD', '7.2': 'PWD' };
  for (const [kernel, lost] of Object.entries(small))
    it(`${kernel}: is unmapped, its 512 aliases go not-present one by one, one purge, 512 aliases come back, frames go`, () => {
      const { scene, program, pack } = loaded(kernel);
      scene.free(program);
      expect(scene.pages(pack, 513)).to.deep.equal(['513 × none']);
      expect(scene.moves.slice(-7)).to.deep.equal([
        'unmap',
        'area lazy',
        `512 × (alias 1 -${lost})`,
        'flush all (purge)',
        'purge',
        '512 × (alias 1 +PW)',
        'frames given back',
      ]);
    });

  it('6.1: leaves its aliases writable, dirty and small; 6.12: writable, clean and small', () => {
    for (const [kernel, dirty] of [
      ['6.1', true],
      ['6.12', false],
    ] as const) {
      const { scene, program } = loaded(kernel);
      scene.free(program);
      expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × rw- 4K']);
      expect((scene.memory.direct.nodes[0]?.prot[0] as number) & 8, kernel).to.equal(dirty ? 8 : 0);
      expect(scene.areasNow()).to.deep.equal([]);
    }
  });

  for (const kernel of ['5.18-rc3', '5.18-rc3-packv2']) {
    it(`${kernel}: the first invalid alias splits the 2M leaf, for good`, () => {
      const { scene, program } = loaded(kernel, { frames: [[{ frame: 0x9000, pages: 512 }]] });
      expect(scene.splits).to.equal(0);
      scene.free(program);
      expect(scene.moves.slice(-9)).to.deep.equal([
        'unmap',
        'area lazy',
        'split alias 2M',
        'flush all (split)',
        '512 × (alias 1 -PW)',
        'flush all (purge)',
        'purge',
        '512 × (alias 1 +PW)',
        'frames given back',
      ]);
      expect(scene.splits).to.equal(1);
      expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × rw- 4K']);
    });

    it(`${kernel}: a later pack in the same memory is a 2M code mapping over 4K aliases`, () => {
      const block = [{ frame: FRAME, pages: 512 }];
      const { scene, program } = loaded(kernel, { frames: [[{ frame: 0x9000, pages: 512 }], block, block] });
      scene.free(program);
      const again = scene.load().program.chunk.page;
      expect(scene.pages(again, 512)).to.deep.equal(['512 × r-x 2M']);
      expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × r-- 4K']);
      expect(scene.splits).to.equal(1);
    });

    it(`${kernel}: where no page table can be had, the memory goes back read-only (F9)`, () => {
      const { scene, program } = loaded(kernel, {
        frames: [[{ frame: 0x9000, pages: 512 }]],
        answers: { pageTable: () => false },
      });
      scene.free(program);
      expect(scene.moves).to.include('frames given back');
      expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × r-- 2M']);
    });

    it(`${kernel}: where only the first page table fails, one page stays present while it is reset, and all come back`, () => {
      let nth = 0;
      const { scene, program } = loaded(kernel, {
        frames: [[{ frame: 0x9000, pages: 512 }]],
        answers: { pageTable: () => ++nth > 1 },
      });
      scene.free(program);
      expect(scene.moves).to.include('511 × (alias 1 -PW)');
      expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × rw- 4K']);
    });
  }

  for (const kernel of ['5.18-rc5', '6.1', '6.12', '7.2'])
    it(`${kernel}: needs no page table in the free path: 4K permissions have split the direct map at load`, () => {
      let tables = 0;
      const { scene, program } = loaded(kernel, { answers: { pageTable: () => ++tables > 0 } });
      const before = tables;
      expect(before).to.be.greaterThan(0);
      scene.free(program);
      expect(tables).to.equal(before);
    });
});

describe('5.18-rc5-packv2-huge: a pack that is freed', () => {
  it('gets NX and W on both sides first, all on 2M leaves: no split at all', () => {
    const { scene, program } = loaded('5.18-rc5-packv2-huge', { frames: [[{ frame: 0x9000, pages: 512 }]] });
    scene.free(program);
    expect(scene.moves).to.deep.equal([
      'area 512 -X',
      'flush all (cpa)',
      'area 512 +W',
      'alias 512 +W',
      'flush all (cpa)',
      'unmap',
      'area lazy',
      'frames given back',
    ]);
    expect(scene.splits).to.equal(0);
    expect(scene.alias(FRAME)).to.equal('rw- 2M');
  });

  it('stays in vmallocinfo, unmapped, until something purges', () => {
    const { scene, program, pack } = loaded('5.18-rc5-packv2-huge');
    scene.free(program);
    expect(scene.areasNow().map((a) => [a.start, a.state])).to.deep.equal([[pack, 'lazy']]);
    expect(scene.page(pack)).to.equal('none');
    const again = scene.load();
    expect(again.program.chunk.page).to.not.equal(pack);
    expect(scene.areasNow().map((a) => a.start)).to.not.include(pack);
  });

  it('a program larger than a pack leaves its last page read-only in the direct map: 634 of 635 pages are reset', () => {
    const { scene } = loaded('5.18-rc5-packv2-huge');
    const large = scene.load(2_597_024);
    const frame = scene.frame(large.program.chunk.page);
    scene.free(large);
    expect(scene.aliases(frame, 1024)).to.deep.equal([
      '512 × rw- 2M',
      '122 × rw- 4K',
      '1 × r-- 4K',
      '389 × rw- 4K',
    ]);
  });
});

const given = (): { scene: Scene; addr: Address } => {
  const scene = new Scene('5.18-rc3');
  return { scene, addr: scene.call(moduleAlloc, { size: 4096 }) as Address };
};

describe('an area that is freed without the flag (5.18-rc3, another user)', () => {
  it('is unmapped and waits; the direct map and the TLBs are left alone', () => {
    const { scene, addr } = given();
    scene.call(vfree, { addr });
    expect(scene.moves).to.deep.equal(['unmap', 'area lazy', 'frames given back']);
    expect(scene.areasNow().map((a) => a.state)).to.deep.equal(['lazy']);
  });

  it('vfree of nothing does nothing', () => {
    const { scene } = given();
    scene.call(vfree, { addr: Address.zero });
    expect(scene.moves).to.deep.equal([]);
  });
});
