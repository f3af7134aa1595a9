/** kernel-model.md §5.1–5.3: where areas go, what they are mapped with, when their addresses may be used again. */
import { expect } from 'chai';
import { setMemoryRo } from '../../../../core/kernel/setMemory.js';
import { moduleAlloc, vfree } from '../../../../core/kernel/vmalloc.js';
import { Address } from '../../../../core/value/address.js';
import { Scene, type SceneOptions } from '../../../models/scene.js';

const PAGE = 4096;
const NOKASLR = 0xffffffffc0000;
const NO_KASLR_COMPILED_IN = 0xffffffffa0000;

const alloc = (scene: Scene, pages: number): number =>
  (scene.call(moduleAlloc, { size: pages * PAGE }) as Address).page;
const free = (scene: Scene, page: number): void => {
  scene.call(vfree, { addr: Address.of(page) });
};
const given = (kernel: string, options?: SceneOptions): Scene => new Scene(kernel, options);

describe('an area', () => {
  const starts: Readonly<Record<string, number>> = {
    '5.10': NOKASLR,
    '5.18-rc3': NO_KASLR_COMPILED_IN,
    '5.18-rc5': NO_KASLR_COMPILED_IN,
    '6.1': NOKASLR,
    '6.12': NOKASLR,
    '7.2': NOKASLR,
  };
  for (const [kernel, start] of Object.entries(starts))
    it(`${kernel}: the first one lies at the begin of the module range, writable and not executable`, () => {
      const scene = given(kernel);
      expect(alloc(scene, 1)).to.equal(start);
      expect(scene.page(start)).to.equal('rw- 4K');
    });

  it('6.1: of one page takes two, the second is never mapped: the next one lies 8 KiB further', () => {
    const scene = given('6.1');
    const first = alloc(scene, 1);
    expect(alloc(scene, 1)).to.equal(first + 2);
    expect(scene.page(first + 1)).to.equal('none');
    expect(scene.areasNow()[0]?.pages).to.equal(2);
  });

  it('6.1: of 2 MiB has 2,101,248 bytes in vmallocinfo', () => {
    const scene = given('6.1');
    alloc(scene, 512);
    expect((scene.areasNow()[0]?.pages ?? 0) * PAGE).to.equal(2_101_248);
  });

  it('6.1: the second pack lies behind the first one and an ftrace trampoline, at …203000', () => {
    const scene = given('6.1');
    scene.load();
    scene.driver.give({ kind: 'area-allocated', start: NOKASLR + 0x201, pages: 2, flags: 0, caller: '' });
    expect(scene.load(2_097_128).program.chunk.page).to.equal(NOKASLR + 0x203);
  });

  it('6.1: goes into the lowest hole that takes it and its guard page', () => {
    const scene = given('6.1');
    const [one, , three] = [alloc(scene, 1), alloc(scene, 1), alloc(scene, 2), alloc(scene, 1)] as const;
    free(scene, one);
    free(scene, three);
    expect(alloc(scene, 2), 'three pages do not fit the first hole').to.equal(three);
    expect(alloc(scene, 1)).to.equal(one);
  });

  it('6.1: of exactly the size of a hole fills it', () => {
    const scene = given('6.1');
    const hole = alloc(scene, 5);
    const next = alloc(scene, 1);
    free(scene, hole);
    expect(alloc(scene, 5)).to.equal(hole);
    expect(alloc(scene, 1)).to.equal(next + 2);
  });

  it('5.10: whether an exactly fitting hole is used is not predicted', () => {
    const asked: boolean[] = [];
    for (const kernel of ['5.10', '6.1']) {
      const scene = given(kernel, {
        answers: {
          area: ({ predicted, predictable }) => {
            asked.push(predictable);
            return predicted;
          },
        },
      });
      alloc(scene, 1);
    }
    expect(asked).to.deep.equal([false, true]);
  });

  it('6.1: that finds no room is refused, and nothing has changed', () => {
    const scene = given('6.1', { answers: { area: () => null } });
    expect(scene.call(moduleAlloc, { size: PAGE })).to.equal(null);
    expect(scene.moves).to.deep.equal([]);
  });
});

describe('freed addresses', () => {
  it('of an area without the reset flag are used again only after a purge (5.18-rc5)', () => {
    const scene = given('5.18-rc5');
    const [one, two] = [alloc(scene, 1), alloc(scene, 1)];
    free(scene, one);
    expect(alloc(scene, 1)).to.equal(two + 2);
    scene.call(setMemoryRo, { addr: Address.of(two), numpages: 1 });
    expect(alloc(scene, 1)).to.equal(one);
  });

  it('of an area with the flag are used again at once (6.1)', () => {
    const scene = given('6.1');
    const one = alloc(scene, 1);
    alloc(scene, 1);
    free(scene, one);
    expect(alloc(scene, 1)).to.equal(one);
  });

  it('that were given back while a purge was under way wait for the next one', () => {
    let meanwhile = true;
    const scene = given('5.18-rc5', {
      answers: {
        purge: ({ predicted }) => {
          if (meanwhile) scene.driver.give({ kind: 'area-freed', start: second });
          meanwhile = false;
          return predicted ?? 0;
        },
      },
    });
    const first = alloc(scene, 1);
    const second = alloc(scene, 1);
    const other = alloc(scene, 1);
    free(scene, first);
    scene.call(setMemoryRo, { addr: Address.of(other), numpages: 1 });
    expect(scene.areasNow().map(({ start, state }) => [start, state])).to.deep.equal([
      [second, 'lazy'],
      [other, 'live'],
    ]);
    scene.call(setMemoryRo, { addr: Address.of(other), numpages: 1 });
    expect(scene.areasNow().map(({ start }) => start)).to.deep.equal([other]);
  });

  it('of its neighbour without the flag go with the same purge (5.18-rc5)', () => {
    const scene = given('5.18-rc5');
    const program = scene.load();
    const other = alloc(scene, 1);
    free(scene, other);
    scene.free(program);
    expect(scene.areasNow()).to.deep.equal([]);
  });

  it('5.18-rc3: of the trial are free again once the first pack was made read-only', () => {
    const scene = given('5.18-rc3');
    const pack = scene.load().program.chunk.page;
    expect(pack).to.equal(NO_KASLR_COMPILED_IN + 0x400);
    expect(scene.areasNow().map((area) => area.start)).to.deep.equal([pack]);
    expect(alloc(scene, 1)).to.equal(NO_KASLR_COMPILED_IN);
  });
});

describe('2M leaves', () => {
  it('5.18-rc3: every area of 2 MiB gets them, aligned, its size rounded up', () => {
    const scene = given('5.18-rc3');
    alloc(scene, 1);
    const area = alloc(scene, 513);
    expect(area % 512).to.equal(0);
    expect(scene.pages(area, 1024)).to.deep.equal(['1024 × rw- 2M']);
    expect(scene.areasNow().at(-1)?.pages).to.equal(1025);
  });

  it('5.18-rc3: an area below 2 MiB does not', () => {
    const scene = given('5.18-rc3');
    expect(scene.page(alloc(scene, 511))).to.equal('rw- 4K');
  });

  it('5.18-rc3: on two nodes only one of 2 MiB per node does', () => {
    const scene = given('5.18-rc3', { nodes: 2 });
    expect(scene.page(alloc(scene, 1023))).to.equal('rw- 4K');
    expect(scene.page(alloc(scene, 1024))).to.equal('rw- 2M');
  });

  for (const kernel of ['5.10', '5.18-rc5', '5.18-rc5-packv2', '5.18-rc5-packv2-huge', '6.1', '6.12', '7.2'])
    it(`${kernel}: module_alloc does not ask for them`, () => {
      const scene = given(kernel);
      expect(scene.page(alloc(scene, 512))).to.equal('rw- 4K');
    });

  it('5.18-rc5-packv2-huge: a pack asks for them, and gets them', () => {
    const scene = given('5.18-rc5-packv2-huge');
    expect(scene.page(scene.load().program.chunk.page)).to.equal('r-x 2M');
  });
});
