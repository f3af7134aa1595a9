/** kernel-model.md §4.2–4.7: set_memory_* on mapped areas, their direct-map aliases, flushes, merges. */
import { expect } from 'chai';
import {
  setDirectMapDefault,
  setDirectMapInvalid,
  setMemoryNx,
  setMemoryRo,
  setMemoryRox,
  setMemoryRw,
  setMemoryX,
} from '../../../../core/kernel/setMemory.js';
import { moduleAlloc, vfree } from '../../../../core/kernel/vmalloc.js';
import { Address } from '../../../../core/value/address.js';
import { Scene, type SceneOptions } from '../../../models/scene.js';

const PAGE = 4096;
const FRAME = 0x4000;
const ENOMEM = -12;
const BEFORE_6_2 = ['5.10', '5.18-rc3', '5.18-rc5', '6.1'];
const SINCE_6_2 = ['6.12', '7.2'];

/** An area of `pages` pages, as module_alloc gives it. */
const areaOf = (kernel: string, pages: number, options?: SceneOptions): { scene: Scene; addr: Address } => {
  const scene = new Scene(kernel, options);
  const addr = scene.call(moduleAlloc, { size: pages * PAGE });
  if (addr === null) throw new Error('no area');
  return { scene, addr };
};

describe('set_memory_ro on a 4K page', () => {
  for (const kernel of [...BEFORE_6_2, ...SINCE_6_2]) {
    const dirty = SINCE_6_2.includes(kernel) ? 'WD' : 'W';
    it(`${kernel}: changes the page, splits the 2M leaf of its alias, changes the alias, flushes everything`, () => {
      const { scene, addr } = areaOf(kernel, 1);
      expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
      expect(scene.moves).to.deep.equal([
        `area 1 -${dirty}`,
        'split alias 2M',
        'flush all (split)',
        `alias 1 -${dirty}`,
        'flush all (cpa)',
      ]);
      expect(scene.page(addr.page)).to.equal('r-- 4K');
      expect(scene.aliases(FRAME, 512)).to.deep.equal(['1 × r-- 4K', '511 × rw- 4K']);
      expect(scene.splits).to.equal(1);
    });
  }

  it('6.1: a second page of the same 2M region needs no split', () => {
    const { scene, addr } = areaOf('6.1', 2);
    scene.call(setMemoryRo, { addr, numpages: 1 });
    scene.call(setMemoryRo, { addr: Address.of(addr.page + 1), numpages: 1 });
    expect(scene.moves).to.deep.equal(['area 1 -W', 'alias 1 -W', 'flush all (cpa)']);
    expect(scene.splits).to.equal(1);
  });

  it('6.1: pages scattered over three regions cost three splits', () => {
    const frames = [[0x8000, 0x8400, 0x8800].map((frame) => ({ frame, pages: 1 }))];
    const { scene, addr } = areaOf('6.1', 3, { frames });
    scene.call(setMemoryRo, { addr, numpages: 3 });
    expect(scene.splits).to.equal(3);
  });

  it('6.1: a page that is read-only already is neither changed nor flushed', () => {
    const { scene, addr } = areaOf('6.1', 1);
    scene.call(setMemoryRo, { addr, numpages: 1 });
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(0);
    expect(scene.moves).to.deep.equal([]);
  });

  it('6.1: on an alias that lies on a 1G leaf, splits twice: 1G to 2M, 2M to 4K', () => {
    const { scene, addr } = areaOf('6.1', 1, { answers: { leaf: () => 30 } });
    scene.call(setMemoryRo, { addr, numpages: 1 });
    expect(scene.moves).to.deep.equal([
      'area 1 -W',
      'split alias 1G',
      'flush all (split)',
      'split alias 2M',
      'flush all (split)',
      'alias 1 -W',
      'flush all (cpa)',
    ]);
    const { level2Splits, level3Splits } = scene.memory.counters;
    expect([level2Splits, level3Splits]).to.deep.equal([1, 1]);
    expect(scene.alias(FRAME + 512)).to.equal('rw- 2M');
  });
});

describe('set_memory_x and set_memory_nx', () => {
  for (const kernel of BEFORE_6_2)
    it(`${kernel}: never touch the alias, and flush a single page by its address`, () => {
      const { scene, addr } = areaOf(kernel, 1);
      scene.call(setMemoryX, { addr, numpages: 1 });
      expect(scene.moves).to.deep.equal(['area 1 +X', 'flush 1 (cpa)']);
      scene.call(setMemoryNx, { addr, numpages: 1 });
      expect(scene.moves).to.deep.equal(['area 1 -X', 'flush 1 (cpa)']);
      expect(scene.alias(FRAME)).to.equal('rw- 2M');
    });

  it('6.1: flush 33 pages one by one, 34 as everything', () => {
    const { scene, addr } = areaOf('6.1', 40);
    scene.call(setMemoryX, { addr, numpages: 33 });
    expect(scene.moves.at(-1)).to.equal('flush 33 (cpa)');
    scene.call(setMemoryNx, { addr, numpages: 33 });
    scene.call(setMemoryX, { addr, numpages: 34 });
    expect(scene.moves.at(-1)).to.equal('flush all (cpa)');
  });

  for (const kernel of SINCE_6_2)
    it(`${kernel}: visit the alias, which returns with nothing to do, and so flush everything`, () => {
      const { scene, addr } = areaOf(kernel, 1);
      scene.call(setMemoryX, { addr, numpages: 1 });
      expect(scene.moves).to.deep.equal(['area 1 +X', 'flush all (cpa)']);
      expect(scene.alias(FRAME)).to.equal('rw- 2M');
    });

  it('6.1: on a writable page make it writable and executable: the change is applied', () => {
    const { scene, addr } = areaOf('6.1', 1);
    expect(scene.call(setMemoryX, { addr, numpages: 1 })).to.equal(0);
    expect(scene.page(addr.page)).to.equal('rwx 4K');
  });
});

describe('set_memory_rox', () => {
  for (const kernel of SINCE_6_2)
    it(`${kernel}: takes W and D and gives X in one change; the alias loses W and D and stays NX`, () => {
      const { scene, addr } = areaOf(kernel, 2);
      scene.call(setMemoryRox, { addr, numpages: 2 });
      expect(scene.moves).to.deep.equal([
        'area 1 +X-WD',
        'split alias 2M',
        'flush all (split)',
        'alias 1 -WD',
        'area 1 +X-WD',
        'alias 1 -WD',
        'flush all (cpa)',
      ]);
      expect(scene.page(addr.page)).to.equal('r-x 4K');
      expect(scene.alias(FRAME)).to.equal('r-- 4K');
    });
});

describe('a 2M leaf under set_memory_* (5.18-rc3)', () => {
  it('is kept when the range covers it, and its alias too', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512);
    scene.call(setMemoryRo, { addr, numpages: 512 });
    expect(scene.moves).to.deep.equal(['area 512 -W', 'alias 512 -W', 'flush all (cpa)']);
    scene.call(setMemoryX, { addr, numpages: 512 });
    expect(scene.moves).to.deep.equal(['area 512 +X', 'flush all (cpa)']);
    expect(scene.pages(addr.page, 512)).to.deep.equal(['512 × r-x 2M']);
    expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × r-- 2M']);
    expect(scene.splits).to.equal(0);
  });

  it('is split by a smaller range, which no counter shows; then the alias is split, which one shows', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512);
    scene.call(setMemoryRo, { addr: Address.of(addr.page + 7), numpages: 1 });
    expect(scene.moves).to.deep.equal([
      'split area 2M',
      'flush all (split)',
      'area 1 -W',
      'split alias 2M',
      'flush all (split)',
      'alias 1 -W',
      'flush all (cpa)',
    ]);
    expect(scene.pages(addr.page, 512)).to.deep.equal(['7 × rw- 4K', '1 × r-- 4K', '504 × rw- 4K']);
    expect(scene.splits).to.equal(1);
  });

  it('that has the permission already is kept whatever the range', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512);
    scene.call(setMemoryRo, { addr, numpages: 512 });
    scene.call(setMemoryRo, { addr: Address.of(addr.page + 7), numpages: 1 });
    expect(scene.moves).to.deep.equal([]);
    expect(scene.page(addr.page)).to.equal('r-- 2M');
  });

  it('of the alias is changed page by page where it was split before', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512, { answers: { leaf: () => 12 } });
    scene.call(setMemoryRo, { addr, numpages: 512 });
    expect(scene.moves).to.deep.equal(['area 512 -W', '512 × (alias 1 -W)', 'flush all (cpa)']);
  });

  it('of the alias on a 1G leaf is split off once, and kept', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512, { answers: { leaf: () => 30 } });
    scene.call(setMemoryRo, { addr, numpages: 512 });
    expect(scene.moves).to.deep.equal([
      'area 512 -W',
      'split alias 1G',
      'flush all (split)',
      'alias 512 -W',
      'flush all (cpa)',
    ]);
    expect(scene.alias(FRAME)).to.equal('r-- 2M');
  });

  it('is whole in the middle of a range that ends inside the next one: 635 of 1024 pages', () => {
    const { scene, addr } = areaOf('5.18-rc3', 635);
    scene.call(setMemoryRo, { addr, numpages: 635 });
    scene.call(setMemoryX, { addr, numpages: 635 });
    expect(scene.pages(addr.page, 1024)).to.deep.equal(['512 × r-x 2M', '123 × r-x 4K', '389 × rw- 4K']);
    expect(scene.aliases(FRAME, 1024)).to.deep.equal(['512 × r-- 2M', '123 × r-- 4K', '389 × rw- 4K']);
    expect(scene.splits).to.equal(1);
  });
});

describe('a page table that cannot be had', () => {
  it('6.1: −ENOMEM, the pages done stay changed, everything is flushed', () => {
    const frames = [[0x8000, 0x8400].map((frame) => ({ frame, pages: 1 }))];
    let left = 1;
    const { scene, addr } = areaOf('6.1', 2, { frames, answers: { pageTable: () => left-- > 0 } });
    expect(scene.call(setMemoryRo, { addr, numpages: 2 })).to.equal(ENOMEM);
    expect(scene.moves).to.deep.equal([
      'area 1 -W',
      'split alias 2M',
      'flush all (split)',
      'alias 1 -W',
      'area 1 -W',
      'flush all (cpa)',
    ]);
    expect(scene.page(addr.page + 1)).to.equal('r-- 4K');
    expect(scene.alias(0x8400)).to.equal('rw- 2M');
  });

  it('5.18-rc3: a leaf that must be split for a partial range stays as it was', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512, { answers: { pageTable: () => false } });
    expect(scene.call(setMemoryRo, { addr, numpages: 1 })).to.equal(ENOMEM);
    expect(scene.pages(addr.page, 512)).to.deep.equal(['512 × rw- 2M']);
  });

  it('5.18-rc3: is not needed for a range that covers the leaf', () => {
    const { scene, addr } = areaOf('5.18-rc3', 512, { answers: { pageTable: () => false } });
    expect(scene.call(setMemoryRo, { addr, numpages: 512 })).to.equal(0);
  });
});

describe('a page that is not mapped (§4.3)', () => {
  it('6.1: −EFAULT at the guard page, what lies before stays changed', () => {
    const { scene, addr } = areaOf('6.1', 1, { answers: { frame: ({ name }) => name } });
    expect(scene.call(setMemoryRo, { addr, numpages: 2 })).to.equal(-14);
    expect([scene.page(addr.page), scene.page(addr.page + 1)]).to.deep.equal(['r-- 4K', 'none']);
  });
});

describe('a page of an area that nobody recorded (bpf_prog, on 7.2 without image)', () => {
  const page = 0xffffc90000045;
  const pfn = 0x5123;

  it('has the frame that its alias step shows, and is gone when vfree makes the alias invalid', () => {
    const scene = new Scene('7.2', { answers: { frame: () => pfn } });
    expect(scene.call(setMemoryRo, { addr: Address.of(page), numpages: 1 })).to.equal(0);
    expect(scene.page(page)).to.match(/^r-/);
    expect([scene.frame(page), scene.alias(pfn)]).to.deep.equal([pfn, 'r-- 4K']);
    scene.call(setDirectMapInvalid, { page: undefined, pfn });
    expect(scene.page(page)).to.equal('none');
    scene.call(setDirectMapDefault, { page: undefined, pfn });
    expect(scene.alias(pfn)).to.equal('rw- 4K');
  });

  it('may be made read-only again at the same address', () => {
    const scene = new Scene('7.2', { answers: { frame: () => pfn } });
    for (let time = 0; time < 2; time++) {
      scene.call(setMemoryRo, { addr: Address.of(page), numpages: 1 });
      expect(scene.moves.at(-1)).to.equal('flush all (cpa)');
      scene.call(setDirectMapInvalid, { page: undefined, pfn });
      scene.call(setDirectMapDefault, { page: undefined, pfn });
    }
  });
});

describe('every set_memory_* call', () => {
  for (const kernel of ['6.1', '6.12'])
    it(`${kernel}: purges what was freed lazily before it changes anything; the next one finds nothing`, () => {
      const { scene, addr } = areaOf(kernel, 1);
      scene.driver.give(
        { kind: 'area-allocated', start: addr.page + 2, pages: 2, flags: 0, caller: '' },
        { kind: 'area-freed', start: addr.page + 2 },
      );
      scene.call(setMemoryRo, { addr, numpages: 1 });
      expect(scene.moves.slice(0, 3)).to.deep.equal([
        'flush all (purge)',
        'purge',
        SINCE_6_2.includes(kernel) ? 'area 1 -WD' : 'area 1 -W',
      ]);
      scene.call(setMemoryX, { addr, numpages: 1 });
      expect(scene.moves).to.not.include('purge');
    });

  it('6.1: set_memory_rw gives W back to page and alias; the split stays', () => {
    const { scene, addr } = areaOf('6.1', 1);
    scene.call(setMemoryRo, { addr, numpages: 1 });
    scene.call(setMemoryRw, { addr, numpages: 1 });
    expect(scene.moves).to.deep.equal(['area 1 +W', 'alias 1 +W', 'flush all (cpa)']);
    expect([scene.page(addr.page), scene.alias(FRAME)]).to.deep.equal(['rw- 4K', 'rw- 4K']);
  });

  it('6.1: set_direct_map_invalid changes the alias only and flushes nothing but the split', () => {
    const { scene, addr } = areaOf('6.1', 1);
    scene.call(setDirectMapInvalid, { page: undefined, pfn: FRAME });
    expect(scene.moves).to.deep.equal(['split alias 2M', 'flush all (split)', 'alias 1 -PW']);
    expect(scene.page(addr.page)).to.equal('rw- 4K');
  });
});

const rest4K = (title: string, pages: number, options: SceneOptions, before = 0): void => {
  it(title, () => {
    const scene = new Scene('7.2', options);
    if (before > 0) scene.call(moduleAlloc, { size: before * PAGE });
    const addr = scene.call(moduleAlloc, { size: pages * PAGE }) as Address;
    scene.call(setMemoryRox, { addr, numpages: pages });
    expect(scene.pages(addr.page, pages)).to.deep.equal([`${pages} × r-x 4K`]);
  });
};

describe('merging after set_memory_rox (7.2)', () => {
  it('makes one 2M leaf of an aligned, whole, contiguous block, after the flush, and flushes again', () => {
    const { scene, addr } = areaOf('7.2', 512);
    scene.call(setMemoryRox, { addr, numpages: 512 });
    expect(scene.moves).to.deep.equal([
      'area 1 +X-WD',
      'split alias 2M',
      'flush all (split)',
      '511 × (alias 1 -WD, area 1 +X-WD)',
      'alias 1 -WD',
      'flush all (cpa)',
      'merge area 2M',
      'flush all (collapse)',
    ]);
    expect(scene.pages(addr.page, 512)).to.deep.equal(['512 × r-x 2M']);
  });

  it('leaves the direct map as it is: 512 small leaves, one split, no collapse counted', () => {
    const { scene, addr } = areaOf('7.2', 512);
    scene.call(setMemoryRox, { addr, numpages: 512 });
    expect(scene.aliases(FRAME, 512)).to.deep.equal(['512 × r-- 4K']);
    const { level2Splits, level2Collapses } = scene.memory.counters;
    expect([level2Splits, level2Collapses]).to.deep.equal([1, 0]);
  });

  rest4K('does not happen where the area is not aligned', 512, {}, 1);
  rest4K('does not happen where a frame is out of line', 512, {
    frames: [
      [
        { frame: FRAME, pages: 511 },
        { frame: 0x9000, pages: 1 },
      ],
    ],
  });
  rest4K('does not happen where the frames begin beside a 2M boundary', 512, {
    frames: [[{ frame: FRAME + 1, pages: 512 }]],
  });
  rest4K('does not happen for 511 pages', 511, {});

  it('needs equal permission of all 512 pages, also of those outside the range', () => {
    const { scene, addr } = areaOf('7.2', 512);
    scene.call(setMemoryRox, { addr: Address.of(addr.page + 256), numpages: 256 });
    expect(scene.moves).to.not.include('merge area 2M');
    scene.call(setMemoryRox, { addr, numpages: 256 });
    expect(scene.moves).to.include('merge area 2M');
  });

  it('takes the aligned block out of the middle of a larger area', () => {
    const scene = new Scene('7.2', {
      frames: [
        [{ frame: FRAME, pages: 1 }],
        [
          { frame: 0x9000, pages: 510 },
          { frame: 0xa000, pages: 512 },
          { frame: 0xb000, pages: 100 },
        ],
      ],
    });
    scene.call(moduleAlloc, { size: PAGE });
    const addr = scene.call(moduleAlloc, { size: 1122 * PAGE }) as Address;
    scene.call(setMemoryRox, { addr, numpages: 1122 });
    expect(scene.pages(addr.page, 1122)).to.deep.equal(['510 × r-x 4K', '512 × r-x 2M', '100 × r-x 4K']);
  });

  it('is undone by a change of a part, which counts nowhere', () => {
    const { scene, addr } = areaOf('7.2', 512);
    scene.call(setMemoryRox, { addr, numpages: 512 });
    scene.call(setMemoryNx, { addr, numpages: 1 });
    expect(scene.pages(addr.page, 512)).to.deep.equal(['1 × r-- 4K', '511 × r-x 4K']);
    expect(scene.splits).to.equal(1);
  });

  it('does not happen on 6.12', () => {
    const { scene, addr } = areaOf('6.12', 512);
    scene.call(setMemoryRox, { addr, numpages: 512 });
    expect(scene.page(addr.page)).to.equal('r-x 4K');
  });

  it('is no obstacle to freeing: 512 aliases invalid, 512 back', () => {
    const { scene, addr } = areaOf('7.2', 512);
    scene.call(setMemoryRox, { addr, numpages: 512 });
    scene.call(vfree, { addr });
    expect(scene.moves).to.deep.equal([
      'unmap',
      'area lazy',
      '512 × (alias 1 -PWD)',
      'flush all (purge)',
      'purge',
      '512 × (alias 1 +PW)',
      'frames given back',
    ]);
  });
});
