/** kernel-model.md §2.3.8, §2.4, §2.5, §2.8: limits, allocations and permission calls that fail. */
import { expect } from 'chai';
import { Scene, type SceneOptions } from '../../../models/scene.js';

const ALL = ['5.10', '5.18-rc3', '5.18-rc3-packv2', '5.18-rc5', '5.18-rc5-packv2', '6.1', '6.12', '7.2'];
const NO_TABLE: SceneOptions = { answers: { pageTable: () => false } };

describe('the limit of JIT memory', () => {
  for (const kernel of ALL)
    it(`${kernel}: is passed when the sum is above it, not at it; a refused load leaves nothing`, () => {
      const asked: (boolean | null)[] = [];
      const scene = new Scene(kernel, {
        answers: {
          charge: ({ over }) => {
            asked.push(over);
            return over === true ? -1 : 0;
          },
        },
      });
      const bytes = kernel === '5.10' ? 4096 : 448;
      scene.driver.give({ kind: 'limit-set', bytes: 2 * bytes, charged: 0 });
      expect(scene.compile()).to.not.equal(null);
      expect(scene.compile()).to.not.equal(null);
      const before = scene.memory.packs;
      expect(scene.compile()).to.equal(null);
      expect(asked).to.deep.equal([false, false, true]);
      expect(scene.story).to.equal('');
      expect(scene.memory.packs).to.equal(before);
      expect(scene.memory.charged).to.equal(2 * bytes);
    });

  it('6.1: a capable loader exceeds it, and a smaller program may be refused afterwards', () => {
    const asked: (boolean | null)[] = [];
    const scene = new Scene('6.1', {
      answers: {
        charge: ({ over }) => {
          asked.push(over);
          return 0;
        },
      },
    });
    scene.driver.give({ kind: 'limit-set', bytes: 448, charged: 0 });
    scene.load(4000);
    scene.load(40);
    expect(asked).to.deep.equal([true, true]);
    expect(scene.memory.charged).to.equal(4032 + 64);
  });

  it('6.1: a limit that is not known decides nothing', () => {
    let over: boolean | null = true;
    const scene = new Scene('6.1', {
      answers: {
        charge: (question) => {
          over = question.over;
          return 0;
        },
      },
    });
    scene.load();
    expect(over).to.equal(null);
  });
});

describe('no area for a new pack', () => {
  for (const kernel of ALL)
    it(`${kernel}: the load fails and is uncharged`, () => {
      const scene = new Scene(kernel, { answers: { area: () => null } });
      expect(scene.compile()).to.equal(null);
      const bytes = kernel === '5.10' ? 4096 : 448;
      const lock = kernel === '5.10' ? '' : '{ } ';
      expect(scene.story).to.equal(`CH(${bytes}) ${lock}UC(${bytes})`);
      expect(scene.memory.charged).to.equal(0);
      expect(scene.areasNow()).to.deep.equal([]);
    });
});

describe('set_memory_* that fails while a pack is made', () => {
  for (const kernel of ['5.18-rc5', '5.18-rc5-packv2', '6.1'])
    it(`${kernel}: is not looked at: the program runs from a page whose alias is writable`, () => {
      const scene = new Scene(kernel, NO_TABLE);
      const pack = scene.load().program.chunk.page;
      expect(scene.page(pack)).to.equal('r-x 4K');
      expect(scene.alias(scene.frame(pack))).to.equal('rw- 2M');
    });

  it('6.1: the pages behind the failure stay writable, and become executable', () => {
    const scene = new Scene('6.1', NO_TABLE);
    const pack = scene.load().program.chunk.page;
    expect(scene.pages(pack, 512)).to.deep.equal(['1 × r-x 4K', '511 × rwx 4K']);
  });

  it('5.10: is not looked at either', () => {
    const scene = new Scene('5.10', NO_TABLE);
    const { page } = scene.load().program.chunk;
    expect([scene.page(page), scene.alias(scene.frame(page))]).to.deep.equal(['r-x 4K', 'rw- 2M']);
  });

  it('5.18-rc3: cannot fail on whole 2M leaves', () => {
    const scene = new Scene('5.18-rc3', NO_TABLE);
    const pack = scene.load().program.chunk.page;
    expect(scene.pages(pack, 512)).to.deep.equal(['512 × r-x 2M']);
  });

  for (const kernel of ['6.12', '7.2']) {
    it(`${kernel}: takes the pack back before it is on the list; the load fails and is uncharged`, () => {
      const scene = new Scene(kernel, NO_TABLE);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal('CH(448) { VA+FL(2097152) FILL ROX(512) VF } UC(448)');
      expect(scene.memory.packs).to.deep.equal([]);
      expect(scene.areasNow()).to.deep.equal([]);
    });

    it(`${kernel}: takes back an area larger than a pack too`, () => {
      const scene = new Scene(kernel, NO_TABLE);
      expect(scene.compile(2_597_024)).to.equal(null);
      expect(scene.story).to.equal('CH(2597056) { VA+FL(2600960) FILL ROX(635) VF } UC(2597056)');
    });
  }
});

const refused = (kernel: string): Scene => {
  let left = 1;
  const scene = new Scene(kernel, {
    answers: { buffer: () => (left-- > 0 ? { hi: 0xffff8880, lo: 0x1000 } : null) },
  });
  scene.load();
  expect(scene.compile()).to.equal(null);
  return scene;
};

describe('no buffer for the JIT', () => {
  for (const kernel of ['6.12', '7.2'])
    it(`${kernel}: the chunks are erased and given back, the load is uncharged`, () => {
      const scene = refused(kernel);
      expect(scene.story).to.equal('CH(448) { B+ } KV! { INV(448) B- } UC(448)');
      expect(scene.memory.charged).to.equal(448);
    });

  // §2.4, §2.9: to 6.6 the size is copied into the header of the chunk first, so that pack_free(hdr) finds it.
  for (const [kernel, story] of [
    ['5.18-rc3', 'CH(448) { B+ } KV! CP(4) { B- } UC(448)'],
    ['5.18-rc5-packv2', 'CH(448) { B+ } KV! CP(4) { INV(448) B- } UC(448)'],
    ['6.1', 'CH(448) { B+ } KV! CP(4) { INV(448) B- } UC(448)'],
  ] as const)
    it(`${kernel}: the size is copied into the chunk before it is given back`, () => {
      expect(refused(kernel).story).to.equal(story);
    });
});

describe('the predictor flush (7.1+, 6.12.101) with its static key on', () => {
  const KEY_ON: SceneOptions = { answers: { predictor: () => true } };

  it('7.2: a new pack is dirty, and a classic program in it flushes and cleans every pack', () => {
    const scene = new Scene('7.2', KEY_ON);
    scene.load();
    expect(scene.memory.packs.map((pack) => pack.dirty)).to.deep.equal([true]);
    scene.type = 'classic';
    scene.load();
    expect(scene.memory.packs.map((pack) => pack.dirty)).to.deep.equal([false]);
  });

  it('7.2: a free makes its pack dirty, and the next classic program prefers a clean one', () => {
    const scene = new Scene('7.2', KEY_ON);
    scene.type = 'classic';
    const filler = scene.load(2_000_000);
    const other = scene.load(2_000_000);
    expect(scene.memory.packs.map((pack) => pack.dirty)).to.deep.equal([false, false]);
    scene.free(scene.load(88));
    expect(scene.memory.packs.map((pack) => pack.dirty)).to.deep.equal([true, false]);
    expect(scene.load(88).program.chunk.page >= other.program.chunk.page).to.equal(true);
    expect(filler.program.chunk.offset).to.equal(0);
  });

  it('7.2: with the key off it is plain first fit', () => {
    const scene = new Scene('7.2', { answers: { predictor: () => false } });
    scene.load();
    scene.type = 'classic';
    scene.load();
    expect(scene.memory.packs.map((pack) => pack.dirty)).to.deep.equal([false]);
  });
});
