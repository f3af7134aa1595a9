import { aarch64SetDirectMap, aarch64SetMemory, changeMemoryCommon } from '../kernel/arm64/pageattr.js';
import { aarch64TextCopy, aarch64TextInvalidate } from '../kernel/arm64/patching.js';
import type { Change, Profile } from '../profile/profile.js';
import { releaseOf } from '../profile/release.js';
import { Prot } from '../value/prot.js';
import { anyFunction, type Arch } from './arch.js';

/** First release whose JIT takes its memory from packs. */
const PACKS_SINCE = 609;
const EXECMEM_SINCE = 610;
/** The module area grew from 128 MiB to 2 GiB, and vmalloc begins behind it. */
const LARGE_MODULES_SINCE = 605;
const HUGE_VMALLOC_SINCE = 601;
/** Processors with BBML2 split blocks of the linear map that are in use. */
const BLOCKS_SINCE = 617;
const VM_FLUSH_RESET_PERMS = 0x100;

const port = (profile: Profile): Change => {
  const release = releaseOf(profile);
  const packs = release >= PACKS_SINCE;
  return {
    allocator: packs ? profile.allocator : 'binary',
    textCopy: packs ? profile.textCopy : 'weak',
    execAlloc: release >= EXECMEM_SINCE ? 'execmem_alloc' : 'vmalloc',
    areaFlags: release >= EXECMEM_SINCE ? VM_FLUSH_RESET_PERMS : 0,
    setsResetFlag: true,
    hugeVmalloc: release >= HUGE_VMALLOC_SINCE ? profile.hugeVmalloc : 'none',
    asksHuge: false,
    contiguousBacking: profile.contiguousBacking,
    fixesTailCalls: false,
    pokeLocked: false,
    cpa: { clearsDirty: false, invalidClearsDirty: false, collapse: false },
  };
};

/** What probes print otherwise: change_memory_common is behind set_memory_*, __text_poke takes the place of x86's calls. */
const signatures = ({ name }: { readonly name: string }): string => {
  const packs = releaseOf({ name }) >= PACKS_SINCE;
  return `text_poke
  ${packs ? '__text_poke=func addr src len>ret' : '__text_poke'}
  text_poke_copy
  text_poke_copy_locked
  text_poke_set
  text_poke_bp
  smp_text_poke_single
  set_memory_rox
  set_memory_p
  set_memory_np
  set_memory_4k
  change_memory_common=addr numpages set_mask clear_mask>ret
  change_page_attr_set_clr
  __change_page_attr_set_clr
  cpa_flush
  collapse_large_pages
  flush_tlb_kernel_range
  execmem_vmalloc
  bpf_jit_uncharge_modmem=size`;
};

/** log2 of a page, log2 of a block of the next level, first page of vmalloc space and of the modules before it. */
interface Geometry {
  readonly name: string;
  readonly pageShift: number;
  readonly blockShift: number;
  /** A processor with BBML2: the linear map has blocks, which are split when a page of them changes. */
  readonly blocks?: boolean;
}

const MODULES = 0xffff800000000;
const VMALLOC_BEHIND_128M = 0xffff800008000;
const VMALLOC_BEHIND_2G = 0xffff800080000;
/** Where vmalloc ends below the array of struct page, 48-bit addresses and 4K pages. */
const VMALLOC_END_256M = 0xfffffbfff0000;
const VMALLOC_END_8M = 0xfffffdffbf800;

const arm64Of = ({ name, pageShift, blockShift, blocks = false }: Geometry): Arch =>
  Object.freeze({
    name,
    pageSize: 2 ** pageShift,
    leafShifts: [pageShift, blockShift, 2 * blockShift - pageShift],
    // Under rodata=full the linear map is made of pages, unless the processor can split blocks that are in use.
    directLeaf: blocks ? blockShift : pageShift,
    trap: 0xd4202000,
    codeAlignment: (profile) => (releaseOf(profile) >= PACKS_SINCE ? 8 : 4),
    lastPassResizes: true,
    pokePages: 0,
    coherentFetch: false,
    copyFlush: 'whole',
    moduleRange: (profile) =>
      releaseOf(profile) >= LARGE_MODULES_SINCE
        ? [VMALLOC_BEHIND_2G, VMALLOC_END_8M]
        : [VMALLOC_BEHIND_128M, VMALLOC_END_256M],
    modulesOnly: (profile) => [
      MODULES,
      releaseOf(profile) >= LARGE_MODULES_SINCE ? VMALLOC_BEHIND_2G : VMALLOC_BEHIND_128M,
    ],
    protKernel: undefined,
    areaProt: () => Prot.kernel,
    areaAlign: 1,
    framesShown: false,
    ownRange: false,
    mirrorsReadOnly: () => true,
    dispatches: false,
    patchesTailCalls: false,
    directBase: 0xffff000000000,
    vmemmap: { hi: 0xfffffc00, lo: 0 },
    port,
    missing: (profile) =>
      blocks && releaseOf(profile) < BLOCKS_SINCE
        ? 'arm64 keeps blocks in its linear map under rodata=full since 6.17 only'
        : null,
    setMemory: aarch64SetMemory,
    genericRox: true,
    setDirectMap: aarch64SetDirectMap,
    textCopy: aarch64TextCopy,
    textInvalidate: aarch64TextInvalidate,
    ownFunctions: [anyFunction(changeMemoryCommon)],
    shownBy: {
      permissions: ['change_memory_common'],
      directMap: ['change_memory_common'],
      flushes: ['change_memory_common'],
    },
    signatures,
  } satisfies Arch);

/** arm64 with 48-bit addresses, booted with rodata=full as by default, and its page sizes. */
export const arm64 = arm64Of({ name: 'arm64', pageShift: 12, blockShift: 21 });
export const arm64With16K = arm64Of({ name: 'arm64-16k', pageShift: 14, blockShift: 25 });
export const arm64With64K = arm64Of({ name: 'arm64-64k', pageShift: 16, blockShift: 29 });
/** 4K pages on a processor with BBML2, whose linear map keeps its blocks (6.17+). */
export const arm64WithBlocks = arm64Of({ name: 'arm64-bbml2', pageShift: 12, blockShift: 21, blocks: true });
