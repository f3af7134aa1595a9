/** kernel-model.md §2.4 and §2.5, row by row and for each version: what a failed call leaves, and who looks at its result. */
import { expect } from 'chai';
import { bpfDispatcherChangeProg } from '../../../../core/kernel/programs.js';
import { PROFILES } from '../../../../core/profile/profiles.js';
import { Address } from '../../../../core/value/address.js';
import { ALL_KERNELS, COLUMNS } from '../../../models/columns.js';
import { factsOfKind } from '../../../models/drive.js';
import { EINVAL, ENOMEM, faulty, withOne, used, warnings } from '../../../models/faulty.js';
import { Scene, type SceneOptions } from '../../../models/scene.js';

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
