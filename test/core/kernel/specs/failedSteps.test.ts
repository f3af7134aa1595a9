/** kernel-model.md §2.4 and §2.5, row by row and for each version: what a failed call leaves, and who looks at its result. */
import { expect } from 'chai';
import type { Fact } from '../../../../core/event/event.js';
import { bpfDispatcherChangeProg } from '../../../../core/kernel/programs.js';
import { bpfProgPackAlloc } from '../../../../core/kernel/packs.js';
import { ContentClass } from '../../../../core/memory/content.js';
import { PROFILES } from '../../../../core/profile/profiles.js';
import { Address } from '../../../../core/value/address.js';
import { ALL_KERNELS, COLUMNS } from '../../../models/columns.js';
import { factsOfKind } from '../../../models/drive.js';
import { Scene, type Compiled, type SceneOptions } from '../../../models/scene.js';

const EINVAL = -22;
const ENOMEM = -12;
const TRAPS = 0xcccccccc;

interface Faulty {
  readonly scene: Scene;
  /** Functions that fail from now on, with what. */
  readonly faults: Map<string, number>;
}

const faulty = (kernel: string, options: SceneOptions = {}): Faulty => {
  const faults = new Map<string, number>();
  return { scene: new Scene(kernel, { ...options, fail: (fn) => faults.get(fn) }), faults };
};

/** One program in a pack, so that the next one is not at its start. */
const withOne = (kernel: string, options?: SceneOptions): Faulty => {
  const given = faulty(kernel, options);
  given.scene.load();
  return given;
};

/** Two programs, of which the first is freed: chunk 0 is next, while the second one runs. */
const withHoleAtStart = (kernel: string, options?: SceneOptions): Faulty => {
  const given = faulty(kernel, options);
  const first = given.scene.load();
  given.scene.load();
  given.scene.free(first);
  return given;
};

const used = (scene: Scene): number | undefined => scene.memory.packs[0]?.usedChunks;
const warnings = (scene: Scene): string[] => factsOfKind(scene.steps, 'warned').map(({ text }) => text);
const invalidated = (kernel: string): string =>
  (COLUMNS.invalidates as readonly string[]).includes(kernel) ? 'INV(448) ' : '';

it('the versions that are told apart are all profiles there are', () => {
  expect(ALL_KERNELS.toSorted()).to.deep.equal(PROFILES.map(({ name }) => name).toSorted());
});

describe('§2.4 the charge is refused', () => {
  for (const kernel of ALL_KERNELS)
    it(`${kernel}: nothing is allocated, nothing stays charged, nothing is published`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('bpf_jit_charge_modmem', -1);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal('');
      expect([scene.memory.charged, scene.areasNow().length]).to.deep.equal([0, 0]);
    });
});

describe('§2.4 no area', () => {
  for (const kernel of ALL_KERNELS)
    it(`${kernel}: no program; uncharged`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('__vmalloc_node_range', ENOMEM);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.match(/^CH\((\d+)\) (\{ \} )?UC\(\1\)$/);
      expect(scene.areasNow()).to.deep.equal([]);
      expect(scene.memory.packs).to.deep.equal([]);
    });
});

describe('§2.4, §2.5 a permission call fails', () => {
  for (const kernel of COLUMNS.roThenX) {
    it(`${kernel}: set_memory_ro is not looked at: writable and executable`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('set_memory_ro', ENOMEM);
      const { page } = scene.load().program.chunk;
      expect(scene.page(page)).to.match(/^rwx/);
      expect(scene.alias(scene.frame(page))).to.match(/^rw-/);
      const told = warnings(scene).filter((text) => text.startsWith('CPA detected W^X violation'));
      expect(told).to.have.length((COLUMNS.warnsWx as readonly string[]).includes(kernel) ? 1 : 0);
    });

    it(`${kernel}: set_memory_x is not looked at: a program is published that cannot be run`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('set_memory_x', ENOMEM);
      const { page } = scene.load().program.chunk;
      expect(scene.page(page)).to.match(/^r--/);
      expect(scene.story).to.match(/ PUB$/);
    });
  }

  for (const kernel of COLUMNS.roxUnchecked)
    it(`${kernel}: set_memory_rox is not looked at: the image is copied, and published where it cannot be run`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('set_memory_rox', ENOMEM);
      const { page } = scene.load().program.chunk;
      expect(scene.page(page)).to.match(/^rw-/);
      expect(scene.story).to.match(/CP\(448\) PUB$/);
    });

  for (const kernel of COLUMNS.roxChecked)
    for (const [what, proglen] of [
      ['a new pack', 396],
      ['an area larger than a pack', 2_597_024],
    ] as const)
      it(`${kernel}: set_memory_rox of ${what} is checked: the area goes, the load is uncharged`, () => {
        const { scene, faults } = faulty(kernel);
        faults.set('set_memory_rox', ENOMEM);
        expect(scene.compile(proglen)).to.equal(null);
        expect(scene.story).to.match(/^CH\((\d+)\) \{ VA\+FL\(\d+\) FILL ROX\(\d+\) VF \} UC\(\1\)$/);
        expect([scene.memory.packs.length, scene.areasNow().length]).to.deep.equal([0, 0]);
      });
});

describe('§2.4 a split of the direct map finds no page', () => {
  const NO_TABLE: SceneOptions = { answers: { pageTable: () => false } };
  for (const kernel of ALL_KERNELS) {
    const checked = (COLUMNS.roxChecked as readonly string[]).includes(kernel);
    const huge = (COLUMNS.hugePacks as readonly string[]).includes(kernel);
    it(`${kernel}: ${checked ? 'no program' : huge ? 'no split is needed' : 'the alias stays writable behind code'}`, () => {
      const scene = new Scene(kernel, NO_TABLE);
      const compiled = scene.compile();
      expect(compiled === null).to.equal(checked);
      if (compiled === null) return;
      const alias = scene.alias(scene.frame(compiled.program.chunk.page));
      expect(alias).to.equal(huge ? 'r-- 2M' : 'rw- 2M');
    });
  }
});

describe('§2.4 no buffer for the JIT (kvmalloc)', () => {
  for (const kernel of COLUMNS.copiesSize)
    it(`${kernel}: the size is copied into the chunk first; the chunk is given back by it`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('kvmalloc', ENOMEM);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal(`CH(448) { B+ } KV! CP(4) { ${invalidated(kernel)}B- } UC(448)`);
      expect([used(scene), scene.memory.charged]).to.deep.equal([7, 448]);
    });

  for (const kernel of COLUMNS.copiesSize.filter((name) => !COLUMNS.leftover.includes(name)))
    it(`${kernel}: that the copy failed is not looked at: given back by the traps in the header, so the chunk leaks`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('kvmalloc', ENOMEM).set('bpf_arch_text_copy', EINVAL);
      scene.compile();
      expect(factsOfKind(scene.steps, 'chunk-freed')).to.deep.equal([]);
      expect([used(scene), scene.memory.charged]).to.deep.equal([14, 448]);
      expect(warnings(scene).some((text) => text.startsWith('Trying to vfree() bad address'))).to.equal(true);
    });

  for (const kernel of COLUMNS.passesSize)
    it(`${kernel}: the chunk is given back by pointer and size, without a copy`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('kvmalloc', ENOMEM).set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal('CH(448) { B+ } KV! { INV(448) B- } UC(448)');
      expect([used(scene), scene.memory.charged]).to.deep.equal([7, 448]);
    });
});

describe('§2.4 the JIT gives up after its memory was allocated (do_jit)', () => {
  for (const kernel of COLUMNS.binary)
    it(`${kernel}: the area goes, uncharged`, () => {
      const { scene, faults } = faulty(kernel);
      faults.set('do_jit', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal("CH(4096) VA(4096) FILL VF' UC(4096)");
    });

  for (const kernel of COLUMNS.pack) {
    it(`${kernel}: the size is copied into the chunk, which is given back by it`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('do_jit', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal(`CH(448) { B+ } KV CP(4) { ${invalidated(kernel)}B- } UC(448)`);
      expect([used(scene), scene.memory.charged]).to.deep.equal([7, 448]);
    });

    if (COLUMNS.leftover.includes(kernel)) continue;
    it(`${kernel}: that the copy failed is not looked at (F12): the traps are the size, also of what is uncharged`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('do_jit', EINVAL).set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.match(/KV CP\(4\) \{ .*WARN VF' \} UC\(3435973836\)$/);
      expect([used(scene), scene.memory.charged]).to.deep.equal([14, 2 * 448 - TRAPS]);
    });
  }
});

describe('§2.4 the copy in finalize fails (F11)', () => {
  for (const kernel of COLUMNS.pack.filter((name) => !COLUMNS.leftover.includes(name))) {
    it(`${kernel}: given back by the traps of a fresh chunk: a bad address, chunk and charge leak, the JIT warns`, () => {
      const { scene, faults } = withOne(kernel);
      faults.set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(warnings(scene).map((text) => text.replace(/ \(.*/, ''))).to.deep.equal([
        'Trying to vfree() bad address',
        'bpf_jit_binary_pack_finalize failed',
      ]);
      expect([used(scene), scene.memory.charged]).to.deep.equal([14, 2 * 448]);
    });
  }

  for (const kernel of COLUMNS.invalidates)
    it(`${kernel}: at the start of a pack the whole pack goes, under the program that runs there`, () => {
      const { scene, faults } = withHoleAtStart(kernel);
      const pack = scene.memory.packs[0]?.start ?? 0;
      faults.set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.page(pack)).to.equal('none');
      expect(used(scene), 'the pack is on the list').to.equal(14);
      expect(scene.memory.charged).to.equal(2 * 448);
      // The next load is given chunks of it, and there is no page to write to.
      faults.clear();
      scene.compile();
      expect(scene.story).to.include('BUG');
    });

  for (const kernel of [...COLUMNS.leftover, ...COLUMNS.filledOnly])
    for (const [header, what, chunks] of [
      [0, 'none of its chunks is given back', 14],
      [64, 'one of its seven chunks is given back', 13],
      [0xffffffff, 'the whole pack goes', 14],
    ] as const)
      it(`${kernel}: what lay there before is the size: where that is ${header}, ${what}`, () => {
        const asked: string[] = [];
        const { scene, faults } = withHoleAtStart(kernel, {
          answers: {
            result: ({ fn }) => {
              asked.push(fn);
              return header;
            },
          },
        });
        const pack = scene.memory.packs[0]?.start ?? 0;
        faults.set('bpf_arch_text_copy', EINVAL);
        expect(scene.compile()).to.equal(null);
        expect(asked).to.deep.equal(['header']);
        expect([used(scene), scene.memory.charged]).to.deep.equal([chunks, 2 * 448]);
        expect(scene.page(pack) === 'none').to.equal(header === 0xffffffff);
      });

  for (const kernel of COLUMNS.leftover)
    for (const [how, show] of [
      ['a line', (at: Address): Fact => ({ kind: 'seen', at, value: 128 })],
      [
        'a dump',
        (at: Address, frame: number): Fact => ({
          kind: 'content',
          frame,
          block: at.offset / 64,
          blocks: 1,
          class: ContentClass.bytes,
          ref: 0,
          bytes: Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 128 : 0)),
        }),
      ],
    ] as const)
      it(`${kernel}: what ${how} showed of the chunk is the size: 128 bytes are given back`, () => {
        const { scene, faults } = withOne(kernel, {
          answers: {
            result: () => {
              throw new Error('asked');
            },
          },
        });
        const start = scene.memory.packs[0]?.start ?? 0;
        scene.driver.give(show(Address.of(start, 448), scene.frame(start)));
        faults.set('bpf_arch_text_copy', EINVAL);
        expect(scene.compile()).to.equal(null);
        expect(factsOfKind(scene.steps, 'chunk-freed').map(({ bytes }) => bytes)).to.deep.equal([128]);
        expect(used(scene)).to.equal(12);
      });

  for (const kernel of COLUMNS.dispatcherInPack)
    it(`${kernel}: in a pack that the dispatcher made (zeros) the size is 0: no chunk is given back`, () => {
      const { scene, faults } = faulty(kernel);
      scene.call(bpfProgPackAlloc, { size: 4096, fill: 'zero', was_classic: 0 });
      faults.set('bpf_arch_text_copy', EINVAL);
      expect(scene.compile()).to.equal(null);
      expect(scene.story).to.equal('CH(448) { B+ } KV CP(448) { INV(0) B- } WARN');
      expect([used(scene), scene.memory.charged]).to.deep.equal([64 + 7, 448]);
    });
});

const unfinished = (given: Faulty): Compiled => {
  given.scene.final = false;
  const compiled = given.scene.compile();
  if (compiled === null) throw new Error('not compiled');
  given.faults.set('bpf_arch_text_copy', EINVAL);
  return compiled;
};

describe('§2.5 finalize in bpf_jit_free fails', () => {
  for (const kernel of COLUMNS.finalizesBeforeFree) {
    it(`${kernel}: nobody looks: given back twice by the traps in the header, uncharged by them too`, () => {
      const given = withOne(kernel);
      given.scene.free(unfinished(given));
      expect(given.scene.story).to.equal("CP(448) { WARN VF' } { WARN VF' } UC(3435973836)");
      expect([used(given.scene), given.scene.memory.charged]).to.deep.equal([14, 2 * 448 - TRAPS]);
    });
    if (!COLUMNS.invalidates.includes(kernel)) continue;
    it(`${kernel}: at the start of a pack the whole pack goes, and its header cannot be read any more`, () => {
      const given = withHoleAtStart(kernel);
      given.scene.free(unfinished(given));
      expect(given.scene.story).to.match(/^CP\(448\) \{ .*VF'? \} BUG$/);
    });
  }
});

describe('§2.4 the copy of the dispatcher fails', () => {
  for (const kernel of COLUMNS.dispatcherInPack)
    it(`${kernel}: the half in use stays in use: nothing is patched`, () => {
      let image: Address | null = null;
      const patched: string[] = [];
      const { scene, faults } = faulty(kernel, {
        answers: {
          patch: ({ fn }) => {
            if (fn !== 'arch_prepare_bpf_dispatcher') {
              patched.push(fn);
              return null;
            }
            return image === null ? null : { at: Address.add(image, 2048), length: 2048 };
          },
        },
      });
      const change = { d: { hi: 0xffffffff, lo: 0x82000000 }, from: { hi: 0, lo: 0 }, to: { hi: 0, lo: 1 } };
      scene.call(bpfDispatcherChangeProg, change);
      image = factsOfKind(scene.steps, 'program-allocated')[0]?.chunk ?? null;
      const before = scene.contents(image?.page ?? 0, 4096);
      patched.length = 0;
      faults.set('bpf_arch_text_copy', EINVAL);
      scene.call(bpfDispatcherChangeProg, change);
      expect(scene.story).to.equal('CP(2048)');
      expect(patched).to.deep.equal([]);
      expect(scene.contents(image?.page ?? 0, 4096)).to.deep.equal(before);
      faults.clear();
      scene.call(bpfDispatcherChangeProg, change);
      expect(patched).to.include('bpf_dispatcher_change_prog');
    });
});

describe('§2.4, §2.5 the fill of a freed chunk fails', () => {
  for (const kernel of COLUMNS.invalidates)
    it(`${kernel}: it warns, and the chunk is free with its old code, executable`, () => {
      const { scene, faults } = withOne(kernel);
      const second = scene.load();
      faults.set('bpf_arch_text_invalidate', EINVAL);
      scene.free(second);
      expect(scene.story).to.equal('UNP { INV(448) WARN B- } UC(448)');
      expect(used(scene)).to.equal(7);
      expect(scene.page(second.program.chunk.page)).to.match(/^r-x/);
      expect(scene.contents(second.program.chunk.page, 4096)['program']).to.equal(14);
    });
});

describe('§2.5 set_direct_map_* in vfree fails', () => {
  for (const kernel of ALL_KERNELS.filter((name) => name !== '5.18-rc5-packv2-huge'))
    it(`${kernel}: nobody looks: the memory goes back read-only (F9)`, () => {
      const { scene, faults } = faulty(kernel);
      const program = scene.load();
      const frame = scene.frame(program.program.chunk.page);
      faults.set('set_direct_map_invalid_noflush', ENOMEM).set('set_direct_map_default_noflush', ENOMEM);
      scene.free(program);
      expect(scene.alias(frame)).to.match(/^r--/);
      expect(scene.moves).to.include('frames given back');
    });
});

const loaded = (kernel: string, key: boolean): string => {
  const scene = new Scene(kernel, { answers: { predictor: () => key } });
  scene.type = 'classic';
  scene.load(2_597_024);
  return scene.story;
};

describe('§2.3.8 a classic program larger than a pack', () => {
  for (const kernel of ['6.12', '7.1', '7.2'])
    it(`${kernel}: gets no predictor flush, and a warning, where there is one to be had`, () => {
      expect(loaded(kernel, true)).to.include('WARN');
      expect(loaded(kernel, false)).to.not.include('WARN');
    });
  it('6.12.0, 6.19: no warning', () => {
    for (const kernel of ['6.12.0', '6.19']) expect(loaded(kernel, true)).to.not.include('WARN');
  });
});
