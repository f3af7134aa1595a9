/** Claims C1, C5, C9 and failures F1, F2 of kernel-model.md; captures/FINDINGS-5.18.md, "What lies in the unused part". */
import { expect } from 'chai';
import { bpfDispatcherChangeProg } from '../../../../core/kernel/programs.js';
import { ContentClass, PageContent } from '../../../../core/memory/content.js';
import { Memory } from '../../../../core/memory/memory.js';
import { factsOf, type Step } from '../../../models/drive.js';
import { Scene } from '../../../models/scene.js';

const TWO_MIB = 2_097_152;
const LARGE = 2_597_024;

const headerSeen = (steps: readonly Step[]): unknown => {
  for (const step of steps)
    if (step.step === 'call' && step.name === 'bpf_jit_binary_pack_finalize')
      return step.args['ro_header_size'];
  return 'no finalize';
};

describe('the unused part of a new pack, executable', () => {
  const expected: Readonly<Record<string, readonly [number, Record<string, number>]>> = {
    '5.18-rc3': [TWO_MIB, { program: 7, leftover: 32_761 }],
    '5.18-rc3-packv2': [TWO_MIB, { program: 7, trap: 32_761 }],
    '5.18-rc5': [4096, { program: 7, leftover: 57 }],
    '5.18-rc5-packv2': [4096, { program: 7, trap: 57 }],
    '5.18-rc5-packv2-huge': [TWO_MIB, { program: 7, trap: 32_761 }],
    '6.1': [TWO_MIB, { program: 7, trap: 32_761 }],
    '6.12': [TWO_MIB, { program: 7, trap: 32_761 }],
    '7.2': [TWO_MIB, { program: 7, trap: 32_761 }],
  };
  for (const [kernel, [bytes, contents]] of Object.entries(expected)) {
    const traps = contents['trap'] !== undefined;
    it(`${kernel}: ${traps ? 'holds traps, put there while it was writable and not executable' : 'holds whatever lay there'}`, () => {
      const scene = new Scene(kernel);
      const pack = scene.load().program.chunk.page;
      expect(scene.contents(pack, bytes)).to.deep.equal(contents);
      expect(scene.page(pack)).to.match(/^r-x/);
      const facts = factsOf(scene.steps);
      const fill = facts.findIndex((fact) => fact.kind === 'filled' && fact.way === 'store');
      const protect = facts.findIndex((fact) => fact.kind === 'permission' && fact.space === 0);
      expect(fill >= 0).to.equal(traps);
      if (traps) expect(fill).to.be.lessThan(protect);
    });

    it(`${kernel}: finalize sees ${traps ? '0xcccccccc' : 'nothing that is known'} in the header of the chunk`, () => {
      const scene = new Scene(kernel);
      scene.load();
      expect(headerSeen(scene.steps)).to.equal(traps ? 0xcccccccc : undefined);
    });
  }

  it('5.10: a program is written over traps, and its page holds nothing else', () => {
    const scene = new Scene('5.10');
    const page = scene.load().program.chunk.page;
    expect(scene.contents(page, 4096)).to.deep.equal({ program: 64 });
    const kinds = factsOf(scene.steps).map((fact) => fact.kind);
    expect(kinds.indexOf('filled')).to.be.lessThan(kinds.indexOf('copied'));
    expect(kinds.indexOf('copied')).to.be.lessThan(kinds.indexOf('permission'));
  });
});

describe('the chunks of a freed program, executable as long as its pack is', () => {
  for (const kernel of ['5.18-rc3', '5.18-rc5'])
    it(`${kernel}: keep its code`, () => {
      const scene = new Scene(kernel);
      scene.load();
      const dead = scene.load();
      const { chunk, number } = dead.program;
      scene.free(dead);
      const content = Memory.contentOf(scene.memory, scene.frame(chunk.page));
      if (content === null) throw new Error('no content');
      expect(PageContent.classAt(content, chunk.offset / 64)).to.equal(ContentClass.program);
      expect(PageContent.refAt(content, chunk.offset / 64)).to.equal(number);
      expect(Memory.program(scene.memory, number)).to.equal(null);
      expect(scene.page(chunk.page)).to.match(/^r-x/);
    });

  for (const kernel of ['5.18-rc3-packv2', '5.18-rc5-packv2', '6.1', '6.12', '7.2'])
    it(`${kernel}: hold traps, poked before the chunks are free`, () => {
      const scene = new Scene(kernel);
      scene.load();
      const dead = scene.load();
      scene.free(dead);
      expect(scene.contents(dead.program.chunk.page, 4096)).to.deep.equal({ program: 7, trap: 57 });
      const kinds = factsOf(scene.steps).map((fact) => fact.kind);
      expect(kinds.indexOf('filled')).to.be.lessThan(kinds.indexOf('chunk-freed'));
      scene.load();
      expect(headerSeen(scene.steps)).to.equal(0xcccccccc);
    });

  it('5.18-rc3: dead programs come back executable with a new pack in the same memory', () => {
    const block = [{ frame: 0x8000, pages: 512 }];
    const scene = new Scene('5.18-rc3', { frames: [[{ frame: 0x9000, pages: 512 }], block, block] });
    const programs = Array.from({ length: 20 }, () => scene.load());
    for (const program of programs) scene.free(program);
    const { page } = scene.load().program.chunk;
    expect(scene.contents(page, TWO_MIB)).to.deep.equal({ program: 7, leftover: 32_761 });
    const content = Memory.contentOf(scene.memory, 0x8000);
    const refs = new Set<number>();
    for (let block64 = 7; block64 < 64; block64++)
      if (content !== null) refs.add(PageContent.refAt(content, block64));
    expect(refs).to.include(programs[1]?.program.number);
  });

  it('5.18-rc3-packv2: a freed pack goes back to the page allocator full of traps', () => {
    const scene = new Scene('5.18-rc3-packv2', {
      frames: [[{ frame: 0x9000, pages: 512 }], [{ frame: 0x8000, pages: 512 }]],
    });
    scene.free(scene.load());
    for (const frame of [0x8000, 0x81ff]) {
      const content = Memory.contentOf(scene.memory, frame);
      expect(content?.uniform === true || content !== null).to.equal(true);
      for (let at = 0; at < 64; at++)
        expect(content === null ? 0 : PageContent.classAt(content, at)).to.equal(ContentClass.trap);
    }
  });
});

describe('an area larger than a pack', () => {
  for (const [kernel, rest] of [
    ['5.18-rc3', 'leftover'],
    ['5.18-rc5', 'leftover'],
    ['5.18-rc5-packv2', 'trap'],
    ['6.1', 'trap'],
    ['7.2', 'trap'],
  ] as const)
    it(`${kernel}: is the program's, and behind it ${rest === 'trap' ? 'traps' : 'whatever lay there'}`, () => {
      const scene = new Scene(kernel);
      const { chunk, bytes } = scene.load(LARGE).program;
      expect(scene.contents(chunk.page, 635 * 4096)).to.deep.equal({
        program: bytes / 64,
        [rest]: (635 * 4096 - bytes) / 64,
      });
    });

  it('6.1: is not erased when it is freed', () => {
    const scene = new Scene('6.1');
    const large = scene.load(LARGE);
    const frame = scene.frame(large.program.chunk.page);
    scene.free(large);
    const content = Memory.contentOf(scene.memory, frame);
    expect(content === null ? 0 : PageContent.classAt(content, 0)).to.equal(ContentClass.program);
  });
});

const attach = (kernel: string): Scene => {
  const scene = new Scene(kernel);
  scene.call(bpfDispatcherChangeProg, {
    d: { hi: 0xffffffff, lo: 0x82be1120 },
    from: { hi: 0, lo: 0 },
    to: { hi: 0xffffc900, lo: 0x1000 },
  });
  return scene;
};

describe('the XDP dispatcher', () => {
  for (const kernel of ['5.10', '5.18-rc3', '5.18-rc3-packv2', '5.18-rc5'])
    it(`${kernel}: is one page, writable and executable, its alias writable`, () => {
      const scene = attach(kernel);
      const [area] = scene.areasNow();
      if (area === undefined) throw new Error('no area');
      expect(area.pages).to.equal(2);
      expect(scene.page(area.start)).to.equal('rwx 4K');
      expect(scene.alias(scene.frame(area.start))).to.equal('rw- 2M');
      expect((area.flags & 0x100) !== 0).to.equal(true);
    });

  for (const kernel of ['6.1', '6.12', '7.2'])
    it(`${kernel}: is a chunk of 4,096 bytes in a pack, and a page beside it that stays RW and NX; nothing is charged`, () => {
      const scene = attach(kernel);
      const [pack, page] = scene.areasNow();
      if (pack === undefined || page === undefined) throw new Error('no area');
      expect(scene.memory.packs.map((each) => each.usedChunks)).to.deep.equal([64]);
      expect(scene.page(pack.start)).to.match(/^r-x/);
      expect([page.pages, scene.page(page.start)]).to.deep.equal([2, 'rw- 4K']);
      expect(scene.contents(pack.start, TWO_MIB)).to.deep.equal({ zero: 32_768 });
      expect(scene.memory.charged).to.equal(0);
    });
});
