/** kernel-model.md §2.3.7: memory of trampolines, made, replaced and let go. */
import { expect } from 'chai';
import { bpfTrampImageFree, bpfTrampolineUpdate } from '../../../../core/kernel/trampolines.js';
import type { Arch } from '../../../../core/arch/arch.js';
import { archNamed } from '../../../../core/arch/arches.js';
import { portOf } from '../../../../core/arch/port.js';
import { x86_64 } from '../../../../core/arch/x86_64.js';
import { Memory, type Program } from '../../../../core/memory/memory.js';
import { PROFILES } from '../../../../core/profile/profiles.js';
import type { Word } from '../../../../core/value/words.js';
import { COLUMNS } from '../../../models/columns.js';
import { factsOfKind } from '../../../models/drive.js';
import { Scene } from '../../../models/scene.js';

const IMAGE: Word = { hi: 0xffffc900, lo: 0x7000 };
const SIZE = 200;
const ENOMEM = -12;
const EINVAL = -22;

const TO_6_0 = [...COLUMNS.binary, ...COLUMNS.pack.slice(0, COLUMNS.pack.indexOf('6.1.0'))];
const RO_X = ['6.1.0', '6.1'];
const ROX = ['6.2', '6.3', '6.5', '6.6'];
const IN_PACKS = COLUMNS.passesSize;

const made = (
  kernel: string,
  faults: Readonly<Record<string, number>> = {},
): { scene: Scene; error: number } => {
  const scene = new Scene(kernel, { fail: (fn) => faults[fn] });
  return { scene, error: scene.call(bpfTrampolineUpdate, { im: IMAGE, size: SIZE }) };
};
const imageOf = (scene: Scene): Program => {
  const program = Memory.programByPointer(scene.memory, IMAGE);
  if (program === null) throw new Error('no image');
  return program;
};
/** What nobody put back: charge, areas, packs, programs, symbols. */
const left = (scene: Scene): unknown[] => [
  scene.memory.charged,
  scene.areasNow().filter(({ state }) => state === 'live').length,
  scene.memory.packs.length,
  [...Memory.programs(scene.memory)].length,
  [...Memory.symbols(scene.memory)].length,
];
const NOTHING = [0, 0, 0, 0, 0];

describe('a trampoline', () => {
  for (const kernel of TO_6_0)
    it(`${kernel}: is a page that stays writable and executable`, () => {
      const { scene, error } = made(kernel);
      expect(error).to.equal(0);
      expect(scene.page(imageOf(scene).chunk.page)).to.match(/^rwx/);
      expect(scene.story).to.match(/^CH\(4096\) VA\(4096\)( FL)? X\(1\) PUB ST$/);
      expect(scene.memory.charged).to.equal(4096);
    });

  for (const [kernels, protect] of [
    [RO_X, 'RO\\(1\\) X\\(1\\)'],
    [ROX, 'ROX\\(1\\)'],
  ] as const)
    for (const kernel of kernels)
      it(`${kernel}: is a page that is written, then read-only and executable`, () => {
        const { scene } = made(kernel);
        expect(scene.page(imageOf(scene).chunk.page)).to.match(/^r-x/);
        expect(scene.story).to.match(
          new RegExp(`^CH\\(4096\\) VA(\\+FL)?\\(4096\\) PUB ST( FL)? ${protect}$`),
        );
      });

  for (const kernel of IN_PACKS)
    it(`${kernel}: takes chunks of a pack, and is copied there`, () => {
      const scene = new Scene(kernel);
      scene.load();
      scene.call(bpfTrampolineUpdate, { im: IMAGE, size: SIZE });
      expect(scene.story).to.equal('CH(200) { B+ } PUB KV CP(200)');
      expect(scene.memory.packs[0]?.usedChunks).to.equal(7 + 4);
    });

  for (const kernel of [...TO_6_0, ...RO_X, ...ROX, ...IN_PACKS])
    it(`${kernel}: leaves nothing when it goes`, () => {
      const { scene } = made(kernel);
      scene.call(bpfTrampImageFree, { im: IMAGE });
      expect(left(scene)).to.deep.equal(NOTHING);
      expect(scene.story).to.match(/^UNP .*VF.* UC\((4096|200)\)$/);
    });
});

describe('a trampoline that cannot be made', () => {
  for (const kernel of [...TO_6_0, ...RO_X, ...ROX, ...IN_PACKS]) {
    it(`${kernel}: the charge is refused, or there is no area: nothing is left`, () => {
      const refused = made(kernel, { bpf_jit_charge_modmem: -1 });
      expect([refused.error, ...left(refused.scene)]).to.deep.equal([-1, ...NOTHING]);
      const none = made(kernel, { __vmalloc_node_range: ENOMEM });
      expect([none.error, ...left(none.scene)]).to.deep.equal([ENOMEM, ...NOTHING]);
    });
  }

  for (const kernel of IN_PACKS)
    it(`${kernel}: the copy is checked: chunks, charge and symbol are given back`, () => {
      const { scene, error } = made(kernel, { bpf_arch_text_copy: EINVAL });
      expect([error, ...left(scene)]).to.deep.equal([EINVAL, ...NOTHING]);
    });

  for (const kernel of ROX)
    it(`${kernel}: set_memory_rox is not looked at: a page that is published and cannot be run`, () => {
      const { scene, error } = made(kernel, { set_memory_rox: ENOMEM });
      expect(error).to.equal(0);
      expect(scene.page(imageOf(scene).chunk.page)).to.match(/^rw-/);
      expect(factsOfKind(scene.steps, 'unpublished')).to.deep.equal([]);
    });
});

/** First profile whose trampolines take chunks of packs; null: none does. */
const first = (arch: Arch): string | null =>
  PROFILES.find((profile) => {
    const port = portOf(profile, arch);
    return port.trampoline === 'pack' && port.allocator === 'pack';
  })?.name ?? null;

describe('where the trampolines of other architectures lie', () => {
  for (const [arch, since] of [
    ['x86_64', '6.8'],
    ['arm64', '6.9'],
    ['riscv64', '6.11'],
    ['ppc64le', '6.13'],
    ['s390x', null],
  ] as const)
    it(`${arch}: in packs ${since === null ? 'never' : `from ${since} on`}`, () => {
      expect(first(archNamed(arch) ?? x86_64)).to.equal(since);
    });
});
