/**
 * kernel-model.md §2.2, §2.6, §2.10, §4.1, §4.5, §7.1: in which kernels each mechanism has which form, seen from outside. `since` and `until` are the first and
 * the last release that has it; `also` and `not` are the kernels with backports that differ from the release they are named after.
 */
import { expect } from 'chai';
import { Memory } from '../../../../core/memory/memory.js';
import { PROFILES } from '../../../../core/profile/profiles.js';
import { Prot } from '../../../../core/value/prot.js';
import { load } from '../../audit/injected.js';
import { factsOfKind } from '../../../models/drive.js';
import {
  calls,
  first,
  freed,
  emptied,
  madeExecutable,
  low,
  area,
  emulated,
  shareOf,
  dispatcherPage,
  unfinished,
  patchedBy,
  symbolEnd,
  fixups,
  argsOf,
} from '../../../models/observed.js';

/** Releases in their order; kernels that were never released, or carry backports, are in no order. */
const RELEASES = [
  '5.17',
  '5.18-rc3',
  '5.18-rc5',
  '5.18.2',
  '5.18.18',
  '5.19',
  '5.19.2',
  '6.0',
  '6.1.0',
  '6.2',
  '6.3',
  '6.5',
  '6.6',
  '6.8',
  '6.9',
  '6.10',
  '6.11',
  '6.12.0',
  '6.13',
  '6.15',
  '6.16',
  '6.19',
  '7.1',
  '7.2',
];
/** The release that the others are like, but for what is said of them. */
const LIKE: Readonly<Record<string, string>> = {
  '5.10': '5.17',
  '5.18-rc3-packv2': '5.18-rc3',
  '5.18-rc5-packv2': '5.18-rc5',
  '5.18-rc5-packv2-huge': '5.18-rc5',
  '6.1': '6.1.0',
  '6.12': '6.12.0',
};

interface Feature {
  readonly what: string;
  readonly since?: string;
  readonly until?: string;
  readonly also?: readonly string[];
  readonly not?: readonly string[];
  readonly seen: (kernel: string) => boolean;
}

const HUGE = ['5.18-rc3', '5.18-rc3-packv2', '5.18-rc5-packv2-huge'];
const SERIES = ['5.18-rc3-packv2', '5.18-rc5-packv2', '5.18-rc5-packv2-huge'];

const FEATURES: readonly Feature[] = [
  { what: 'packs', since: '5.18-rc3', seen: (k) => first(k).memory.packs.length === 1 },
  {
    what: 'a pack of one page',
    since: '5.18-rc5',
    until: '5.19.2',
    not: ['5.18-rc5-packv2-huge'],
    seen: (k) => first(k).memory.packs[0]?.bytes === 4096,
  },
  {
    what: 'packs on 2M leaves, in the frames that the kernel takes',
    since: '6.19',
    also: HUGE,
    seen: (k) => {
      const { memory } = emulated(k);
      return Memory.page(memory, memory.packs[0]?.start ?? 0)?.shift === 21;
    },
  },
  {
    what: 'packs on 2M leaves, where their frames are in a row',
    since: '6.15',
    also: HUGE,
    seen: (k) => {
      const scene = first(k);
      const pack = scene.memory.packs[0];
      return pack !== undefined && scene.page(pack.start).endsWith('2M');
    },
  },
  {
    what: 'new packs are filled before they are executable',
    since: '5.18.2',
    also: SERIES,
    seen: (k) => /FILL .*(?:RO|ROX)\(/.test(first(k).story) && /\{/.test(first(k).story),
  },
  {
    what: 'a freed chunk is filled',
    since: '5.19',
    also: SERIES,
    seen: (k) => freed(k).story.includes('INV('),
  },
  {
    what: 'a pack is on the list before its permissions are set',
    since: '5.18-rc3',
    until: '6.9',
    seen: (k) => /L\+ .*(?:RO|ROX|X)\(/.test(first(k).story),
  },
  { what: 'one set_memory_rox', since: '6.2', seen: (k) => first(k).story.includes('ROX(') },
  {
    what: 'module_alloc',
    until: '6.9',
    not: ['5.18-rc5-packv2-huge'],
    seen: (k) => calls(first(k), 'module_alloc').length > 0,
  },
  {
    what: 'packs come from bpf_jit_alloc_exec',
    since: '6.6',
    also: ['5.10', '5.17'],
    seen: (k) => calls(first(k), 'bpf_jit_alloc_exec').length > 0,
  },
  {
    what: 'execmem_alloc of type 3',
    since: '6.10',
    seen: (k) => calls(first(k), 'execmem_alloc')[0]?.['type'] === 3,
  },
  {
    what: 'the allocation passes VM_FLUSH_RESET_PERMS itself',
    since: '6.2',
    also: ['6.1'],
    seen: (k) => ((area(k)?.['vm_flags'] as number) & 0x100) !== 0,
  },
  {
    what: 'the area is asked for without warnings',
    since: '6.10',
    seen: (k) => area(k)?.['gfp_mask'] === 0x2cc0,
  },
  {
    what: 'a default limit of a quarter of the area',
    until: '6.2',
    not: ['5.10', '6.1'],
    seen: (k) => Math.round(shareOf(k)) === 4,
  },
  {
    what: 'set_memory_ro leaves the dirty bit',
    until: '6.5',
    seen: (k) => {
      const scene = first(k);
      const { start } = scene.areasNow()[0] ?? { start: 0 };
      return Prot.has(Memory.page(scene.memory, start)?.prot ?? 0, Prot.dirty);
    },
  },
  {
    what: 'an alias that goes keeps the dirty bit in its mask',
    until: '6.15',
    not: ['6.12', '5.18-rc5-packv2-huge'],
    seen: (k) => {
      const scene = emptied(k);
      const masks = calls(scene, '__change_page_attr_set_clr').map((args) => low(args, 'mask_clr'));
      return masks.includes(0x3) && !masks.includes(0x43);
    },
  },
  {
    what: 'an X call takes no alias step',
    until: '6.1.0',
    seen: (k) => calls(madeExecutable(k), '__change_page_attr_set_clr').length === 1,
  },
  {
    what: 'set_memory_rox asks for a merge',
    since: '6.15',
    seen: (k) => {
      const scene = first(k);
      return calls(scene, 'change_page_attr_set_clr').some((args) => args['in_flag'] === 0x10);
    },
  },
  {
    what: 'copies go through text_poke_copy_locked',
    since: '6.2',
    seen: (k) => calls(first(k), 'text_poke_copy_locked').length > 0,
  },
  {
    what: 'the JIT blinds itself',
    until: '6.19',
    seen: (k) => calls(first(k), 'bpf_jit_blind_constants').length > 0,
  },
  {
    what: 'the page of the dispatcher is writable and executable',
    until: '6.0',
    seen: (k) => dispatcherPage(k).startsWith('rwx'),
  },
  { what: 'a symbol ends with its page', until: '5.17', seen: (k) => symbolEnd(k) === 'page' },
  {
    what: 'the first of two functions has a symbol beside that of its program',
    until: '6.3',
    not: ['6.1'],
    seen: (k) =>
      emulated(k, load(1, 300, 300)).events.filter(({ kind }) => kind === 'published').length === 3,
  },
  { what: 'tail calls are patched at load', since: '5.18-rc3', seen: fixups },
  {
    what: 'an image is made final before it is freed',
    since: '5.19.2',
    also: ['5.18.18'],
    seen: (k) => calls(unfinished(k), 'bpf_jit_binary_pack_finalize').length > 0,
  },
  { what: 'smp_text_poke_single', since: '6.16', seen: (k) => patchedBy(k) === 'smp_text_poke_single' },
  {
    what: 'probes show bpf_arch_poke_desc_update',
    since: '6.6',
    also: ['6.1'],
    seen: (k) => argsOf(k, 'bpf_arch_poke_desc_update') !== undefined,
  },
  {
    what: 'probes show was_classic',
    since: '7.1',
    also: ['6.12'],
    seen: (k) => argsOf(k, 'bpf_prog_pack_alloc')?.includes('was_classic') === true,
  },
  {
    what: 'probes show pointer and size of a freed chunk',
    since: '6.8',
    seen: (k) => argsOf(k, 'bpf_prog_pack_free')?.includes('ptr') === true,
  },
  {
    what: 'probes show the program of finalize',
    since: '5.18-rc3',
    until: '6.10',
    seen: (k) => argsOf(k, 'bpf_jit_binary_pack_finalize')?.includes('prog') === true,
  },
  {
    what: 'probes show the fill function of a new pack',
    since: '5.18.2',
    also: SERIES,
    seen: (k) => argsOf(k, 'bpf_prog_pack_alloc')?.includes('bpf_fill_ill_insns') === true,
  },
  {
    what: 'probes show the callback of __text_poke',
    since: '5.19',
    also: SERIES,
    seen: (k) => argsOf(k, '__text_poke')?.includes('func') === true,
  },
  {
    what: 'probes show set_memory_rox',
    since: '6.2',
    seen: (k) => argsOf(k, 'set_memory_rox') !== undefined,
  },
  { what: 'probes show execmem_alloc', since: '6.10', seen: (k) => argsOf(k, 'execmem_alloc') !== undefined },
  {
    what: 'probes show collapse_large_pages',
    since: '6.15',
    seen: (k) => argsOf(k, 'collapse_large_pages') !== undefined,
  },
  {
    what: 'a page that becomes writable and executable is warned of',
    since: '6.1.0',
    seen: (k) => factsOfKind(madeExecutable(k).steps, 'warned').length === 1,
  },
];

const expected = ({ since, until, also = [], not = [] }: Feature, kernel: string): boolean => {
  if (also.includes(kernel)) return true;
  if (not.includes(kernel)) return false;
  const at = RELEASES.indexOf(LIKE[kernel] ?? kernel);
  const from = since === undefined ? 0 : RELEASES.indexOf(since);
  const to = until === undefined ? RELEASES.length - 1 : RELEASES.indexOf(until);
  return from <= at && at <= to;
};

it('every profile is a release or like one', () => {
  expect([...RELEASES, ...Object.keys(LIKE)].toSorted()).to.deep.equal(
    PROFILES.map(({ name }) => name).toSorted(),
  );
});

for (const feature of FEATURES)
  it(`${feature.what}: ${feature.since ?? 'ever'} to ${feature.until ?? 'now'}`, () => {
    const kernels = PROFILES.map(({ name }) => name);
    expect(kernels.filter((kernel) => feature.seen(kernel))).to.deep.equal(
      kernels.filter((kernel) => expected(feature, kernel)),
    );
  });
