/** kernel-model.md §2.1, §2.3.3–2.3.8, §5.4, §6: chunks, packs, their pages, text copies. */
import { expect } from 'chai';
import { bpfProgPackAlloc, bpfProgPackFree } from '../../../../core/kernel/packs.js';
import { bpfArchTextCopy } from '../../../../core/kernel/textPoke.js';
import { Memory } from '../../../../core/memory/memory.js';
import { Address } from '../../../../core/value/address.js';
import { factsOfKind } from '../../../models/drive.js';
import { Scene } from '../../../models/scene.js';

const PACKED = ['5.18-rc3', '5.18-rc3-packv2', '5.18-rc5-packv2-huge', '6.1', '6.12', '7.2'];
const ONE_PAGE = ['5.18-rc5', '5.18-rc5-packv2'];
const WHOLE_PACK = 2_097_152 - 24;

const offsetIn = (scene: Scene, at: Address, pack = 0): number =>
  Address.minus(at, Address.of(scene.memory.packs[pack]?.start ?? 0));

describe('the memory of a program', () => {
  const sizes = [
    [88, 128],
    [100, 128],
    [160, 192],
    [240, 320],
    [260, 320],
    [396, 448],
    [564, 640],
    [63_120, 63_168],
  ] as const;
  for (const kernel of ['6.1', '7.2'])
    it(`${kernel}: is its image, 24 bytes, rounded up to 64: ${sizes.map(([a, b]) => `${a} → ${b}`).join(', ')}`, () => {
      const scene = new Scene(kernel);
      expect(sizes.map(([proglen]) => scene.load(proglen).program.bytes)).to.deep.equal(
        sizes.map(([, bytes]) => bytes),
      );
    });

  it('5.10: is its image, 136 bytes, rounded up to pages', () => {
    const scene = new Scene('5.10');
    expect([88, 3960, 3961].map((proglen) => scene.load(proglen).program.bytes)).to.deep.equal([
      4096, 4096, 8192,
    ]);
  });

  it('is charged as it is rounded, and given back the same', () => {
    for (const kernel of ['5.10', '5.18-rc3', '5.18-rc5', '6.1', '7.2']) {
      const scene = new Scene(kernel);
      const one = scene.load(88);
      const two = scene.load(2_597_024);
      expect(scene.memory.charged, kernel).to.equal(one.program.bytes + two.program.bytes);
      scene.free(one);
      scene.free(two);
      expect(scene.memory.charged, kernel).to.equal(0);
    }
  });
});

describe('chunks', () => {
  for (const kernel of PACKED)
    it(`${kernel}: a pack has 32,768 of 64 bytes, taken from the lowest on`, () => {
      const scene = new Scene(kernel);
      const places = [88, 396, 88].map((proglen) => offsetIn(scene, scene.load(proglen).program.chunk));
      expect(places).to.deep.equal([0, 128, 576]);
      expect(scene.memory.packs.map((pack) => pack.bytes / 64)).to.deep.equal([32_768]);
    });

  for (const kernel of ONE_PAGE)
    it(`${kernel}: a pack is one page of 64; nine programs of seven chunks fill it, the tenth takes another page`, () => {
      const scene = new Scene(kernel);
      for (let i = 0; i < 9; i++) scene.load(396);
      expect(scene.memory.packs.map((pack) => pack.usedChunks)).to.deep.equal([63]);
      scene.load(396);
      expect(scene.memory.packs.map((pack) => pack.usedChunks)).to.deep.equal([63, 7]);
    });

  it('40 programs of 448 bytes: 40 areas on 5.10, five packs on 5.18-rc5, one on 6.1', () => {
    const areas = ['5.10', '5.18-rc5', '6.1'].map((kernel) => {
      const scene = new Scene(kernel);
      for (let i = 0; i < 40; i++) scene.load(396);
      return scene.areasNow().length;
    });
    expect(areas).to.deep.equal([40, 5, 1]);
  });

  it('6.1: a program goes into the lowest hole that is long enough', () => {
    const scene = new Scene('6.1');
    const [one, , three] = [scene.load(88), scene.load(88), scene.load(396), scene.load(88)] as const;
    scene.free(one);
    scene.free(three);
    expect(offsetIn(scene, scene.load(240).program.chunk), 'five chunks').to.equal(256);
    expect(offsetIn(scene, scene.load(40).program.chunk), 'one chunk').to.equal(0);
    expect(offsetIn(scene, scene.load(88).program.chunk), 'two: one is left at 64, two behind 576').to.equal(
      576,
    );
  });

  it('6.1: the first pack on the list is tried first for ever, though another one has more room', () => {
    const scene = new Scene('6.1');
    const first = scene.load(WHOLE_PACK);
    const hole = scene.load(WHOLE_PACK);
    scene.free(hole);
    scene.load(88);
    const second = scene.load(88);
    expect(second.program.chunk.page).to.not.equal(first.program.chunk.page);
    scene.free(first);
    expect(scene.memory.packs).to.have.length(1);
  });

  it('6.1: packs are never compacted: room for a program in pieces is no room', () => {
    const scene = new Scene('6.1');
    const programs = [scene.load(699_000), scene.load(699_000), scene.load(699_000)] as const;
    scene.free(programs[0]);
    scene.free(programs[2]);
    scene.load(1_000_000);
    expect(scene.memory.packs).to.have.length(2);
  });

  for (const kernel of [...PACKED, ...ONE_PAGE]) {
    const page = ONE_PAGE.includes(kernel);
    it(`${kernel}: a program of exactly a pack fills one; a chunk more gets an area of its own`, () => {
      const scene = new Scene(kernel);
      const bytes = page ? 4096 : 2_097_152;
      scene.load(bytes - 24);
      expect(scene.memory.packs.map((pack) => pack.usedChunks)).to.deep.equal([bytes / 64]);
      const larger = scene.load(bytes - 23);
      expect(scene.memory.packs).to.have.length(1);
      expect(larger.program.chunk.offset).to.equal(0);
      expect(larger.program.bytes).to.equal(bytes + 64);
    });

    it(`${kernel}: an empty pack is not kept: every load alone makes one, every free takes it away`, () => {
      const scene = new Scene(kernel);
      scene.free(scene.load());
      expect(scene.memory.packs).to.deep.equal([]);
      scene.free(scene.load());
      expect(scene.memory.packs).to.deep.equal([]);
      expect(scene.story).to.match(/B- L- .*VF/);
    });
  }
});

describe('the pages of the first pack', () => {
  const leaves: Readonly<Record<string, readonly [string, string, number]>> = {
    '5.18-rc3': ['512 × r-x 2M', '512 × r-- 2M', 0],
    '5.18-rc3-packv2': ['512 × r-x 2M', '512 × r-- 2M', 0],
    '5.18-rc5-packv2-huge': ['512 × r-x 2M', '512 × r-- 2M', 0],
    '6.1': ['512 × r-x 4K', '512 × r-- 4K', 1],
    '6.12': ['512 × r-x 4K', '512 × r-- 4K', 1],
    '7.2': ['512 × r-x 2M', '512 × r-- 4K', 1],
  };
  for (const [kernel, [code, alias, splits]] of Object.entries(leaves))
    it(`${kernel}: ${code.slice(6)}; direct map ${alias.slice(6)}; splits ${splits}`, () => {
      const scene = new Scene(kernel);
      const pack = scene.load().program.chunk.page;
      expect(scene.pages(pack, 512)).to.deep.equal([code]);
      expect(scene.aliases(scene.frame(pack), 512)).to.deep.equal([alias]);
      expect(scene.splits).to.equal(splits);
    });

  for (const kernel of ONE_PAGE)
    it(`${kernel}: one 4K page, one 4K alias, one split`, () => {
      const scene = new Scene(kernel);
      const pack = scene.load().program.chunk.page;
      expect(scene.page(pack)).to.equal('r-x 4K');
      expect(scene.aliases(scene.frame(pack), 512)).to.deep.equal(['1 × r-- 4K', '511 × rw- 4K']);
      expect(scene.splits).to.equal(1);
    });

  it('5.10: of two programs: a page each, read-only and executable, aliases read-only', () => {
    const scene = new Scene('5.10');
    const one = scene.load().program.chunk.page;
    const two = scene.load().program.chunk.page;
    expect(two - one).to.equal(2);
    expect([scene.page(one), scene.page(two)]).to.deep.equal(['r-x 4K', 'r-x 4K']);
    expect(scene.alias(scene.frame(two))).to.equal('r-- 4K');
  });

  it('7.2: of a second pack, not aligned: small leaves though its frames are in a row', () => {
    const scene = new Scene('7.2');
    scene.load();
    const second = scene.load(WHOLE_PACK).program.chunk.page;
    expect(second % 512).to.not.equal(0);
    expect(scene.pages(second, 512)).to.deep.equal(['512 × r-x 4K']);
  });
});

describe('two NUMA nodes', () => {
  it('5.18-rc3: a pack of 4 MiB lies on two 2M leaves', () => {
    const scene = new Scene('5.18-rc3', { nodes: 2 });
    const pack = scene.load().program.chunk.page;
    expect(scene.pages(pack, 1024)).to.deep.equal(['1024 × r-x 2M']);
  });

  for (const kernel of ['5.18-rc3', '5.18-rc3-packv2', '5.18-rc5-packv2-huge'])
    it(`${kernel}: the pack of a program in its second half is not found: nothing is freed or erased, but uncharged`, () => {
      const scene = new Scene(kernel, { nodes: 2 });
      scene.load(WHOLE_PACK);
      const high = scene.load();
      expect(offsetIn(scene, high.program.chunk)).to.equal(2_097_152);
      scene.free(high);
      expect(scene.story).to.equal('UNP { WARN } UC(448)');
      expect(scene.memory.packs[0]?.usedChunks).to.equal(32_768 + 7);
    });

  it('5.18-rc3: so the pack stays when all programs are gone, executable', () => {
    const scene = new Scene('5.18-rc3', { nodes: 2 });
    const programs = [scene.load(WHOLE_PACK), scene.load()];
    for (const program of programs) scene.free(program);
    expect(scene.memory.packs).to.have.length(1);
    expect(scene.page(scene.memory.packs[0]?.start ?? 0)).to.equal('r-x 2M');
  });

  for (const kernel of ['6.1', '7.2'])
    it(`${kernel}: the pack is found by its range, and freed`, () => {
      const scene = new Scene(kernel, { nodes: 2 });
      const programs = [scene.load(WHOLE_PACK), scene.load()];
      for (const program of programs) scene.free(program);
      expect(scene.memory.packs).to.deep.equal([]);
    });
});

const pokes = (scene: Scene): number[] =>
  scene.steps.flatMap((step) =>
    step.step === 'call' && step.name === '__text_poke' ? [step.args['len'] as number] : [],
  );

/** Whether a load copies through text_poke_copy_locked. */
const through = (kernel: string): boolean => {
  const scene = new Scene(kernel);
  scene.load();
  return scene.steps.some((step) => step.step === 'call' && step.name === 'text_poke_copy_locked');
};

describe('a text copy', () => {
  for (const kernel of ['5.18-rc3', '6.1', '7.2'])
    it(`${kernel}: of 63,168 bytes from …640 on: to the end of the second page, then two pages at a time`, () => {
      const scene = new Scene(kernel);
      scene.load(1576);
      const large = scene.load(63_120);
      expect(offsetIn(scene, large.program.chunk)).to.equal(0x640);
      expect(pokes(scene)).to.deep.equal([6592, 8192, 8192, 8192, 8192, 8192, 8192, 7424]);
    });

  it('6.1: that fits two pages is one poke', () => {
    const scene = new Scene('6.1');
    const { program } = scene.load(8192 - 24);
    expect(pokes(scene)).to.deep.equal([8192]);
    scene.call(bpfArchTextCopy, {
      dst: Address.add(program.chunk, 4095),
      src: undefined,
      len: 4097,
      what: 'code',
    });
    expect(pokes(scene)).to.deep.equal([4097]);
  });

  for (const kernel of ['5.18-rc3-packv2', '6.1', '6.12'])
    it(`${kernel}: an erased chunk is poked in the same pieces`, () => {
      const scene = new Scene(kernel);
      scene.load(1576);
      const large = scene.load(20_000);
      scene.free(large);
      expect(pokes(scene)).to.deep.equal([6592, 8192, 20_032 - 6592 - 8192]);
    });

  it('goes through text_poke_copy_locked from 6.2 on', () => {
    expect(['5.18-rc3', '6.1', '6.12', '7.2'].map(through)).to.deep.equal([false, false, true, true]);
  });
});

describe('a program of several functions (6.1)', () => {
  it('takes the memory of all functions first, and writes them in a second pass', () => {
    const scene = new Scene('6.1');
    scene.final = false;
    const functions = [88, 396].map((proglen) => scene.compile(proglen));
    expect(scene.story).to.equal('CH(448) { B+ } KV');
    expect(functions.map((fn) => fn?.program.state)).to.deep.equal(['allocated', 'allocated']);
    scene.final = true;
    for (const fn of functions) {
      if (fn === null) throw new Error('not compiled');
      const again = scene.compile(undefined, fn);
      expect(scene.story).to.equal(`CP(${fn.program.bytes})`);
      expect(again?.program.chunk).to.deep.equal(fn.program.chunk);
      expect(again?.program.state).to.equal('written');
    }
  });
});

describe('the XDP dispatcher', () => {
  it('6.1: takes 64 chunks of a pack; a pack made for it is zero, not traps, and is never freed', () => {
    const scene = new Scene('6.1');
    const at = scene.call(bpfProgPackAlloc, { size: 4096, fill: 'zero', was_classic: 0 });
    expect(factsOfKind(scene.steps, 'filled').map((fact) => fact.pattern)).to.deep.equal([0]);
    expect(at?.offset).to.equal(0);
    expect(scene.memory.packs[0]?.usedChunks).to.equal(64);
    scene.free(scene.load());
    expect(scene.memory.packs).to.have.length(1);
  });

  it('6.1: in a pack that exists, its chunks are not filled at all', () => {
    const scene = new Scene('6.1');
    scene.load();
    scene.call(bpfProgPackAlloc, { size: 4096, fill: 'zero', was_classic: 0 });
    expect(factsOfKind(scene.steps, 'filled')).to.deep.equal([]);
  });
});

describe('locks', () => {
  it('pack_mutex is taken once by an allocation', () => {
    for (const kernel of PACKED) {
      const scene = new Scene(kernel);
      scene.free(scene.load());
      expect(scene.driver.lockFaults(), kernel).to.deep.equal([]);
    }
  });

  it('are all given back; a chunk of a pack and a poke are each under their lock', () => {
    const scene = new Scene('6.1');
    scene.load();
    const kept = scene.driver.lockFaults().filter((fault) => fault.includes('keeps'));
    expect(kept).to.deep.equal([]);
    const held = new Set<string>();
    for (const step of scene.steps) {
      if (step.step === 'lock') held[step.taken ? 'add' : 'delete'](step.lock);
      if (step.step === 'fact' && step.fact.kind === 'chunk-allocated')
        expect([...held]).to.include('pack_mutex');
      if (step.step === 'fact' && step.fact.kind === 'copied')
        expect([...held]).to.deep.equal(['text_mutex']);
    }
  });
});

describe('a free of memory that no pack holds', () => {
  it('6.1: larger than a pack: its area goes, packs stay', () => {
    const scene = new Scene('6.1');
    scene.load();
    const large = scene.load(2_597_024);
    scene.call(bpfProgPackFree, { ptr: large.program.chunk, size: large.program.bytes });
    expect(Memory.areaAt(scene.memory, large.program.chunk.page)).to.equal(null);
    expect(scene.memory.packs).to.have.length(1);
  });
});
