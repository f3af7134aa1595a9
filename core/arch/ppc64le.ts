/**
 * powerpc64, little endian, radix page tables, with pages of 4 KiB and of 64 KiB.
 *
 * A range for code of its own does not exist: images lie among all other vmalloc areas. Nothing ever changes the direct map, so every image has a
 * writable alias.
 */
import { Prot } from '../value/prot.js';
import { changeMemoryAttr, ppcSetMemory, ppcTextCopy, ppcTextInvalidate } from '../kernel/ppc64le.js';
import { flushIcacheRange } from '../kernel/textPoke.js';
import type { Change, Profile } from '../profile/profile.js';
import { releaseOf } from '../profile/release.js';
import { anyFunction, type Arch } from './arch.js';

/** The JIT takes its memory from packs since 6.8. */
const PACKS_FROM = 608;
/** Its trampolines since 6.13. */
const TRAMPOLINES_IN_PACKS_FROM = 613;
/** VM_FLUSH_RESET_PERMS, and where huge mappings are the default the request to have none: permissions are those of pages. */
const AREA_FLAGS = 0x100;
const VM_NO_HUGE_VMAP = 0x400;

const port = (profile: Profile): Change => ({
  ...(releaseOf(profile) < PACKS_FROM ? { allocator: 'binary', textCopy: 'weak' } : {}),
  ...(profile.trampoline === 'pack' && releaseOf(profile) < TRAMPOLINES_IN_PACKS_FROM
    ? { trampoline: 'page' }
    : {}),
  areaFlags: AREA_FLAGS | (profile.hugeVmalloc === 'opt-out' ? VM_NO_HUGE_VMAP : 0),
  fixesTailCalls: false,
  cpa: { alias: 'not-nx-only', clearsDirty: false, invalidClearsDirty: false, collapse: false },
});

/** What probes print otherwise: the generic calls of x86 that lie behind set_memory_* are not there, change_memory_attr is. */
const signatures = (profile: { readonly name: string }): string => {
  const release = releaseOf(profile);
  return `text_poke
  __text_poke
  text_poke_copy
  text_poke_copy_locked
  text_poke_set
  text_poke_bp
  smp_text_poke_single
  set_memory_ro
  set_memory_rw
  set_memory_x
  set_memory_nx
  set_memory_rox
  set_memory_p
  set_memory_np
  set_memory_4k
  set_direct_map_invalid_noflush
  set_direct_map_default_noflush
  change_page_attr_set_clr
  __change_page_attr_set_clr
  cpa_flush
  collapse_large_pages
  flush_tlb_kernel_range
  execmem_vmalloc
  __vmalloc_node_range=size align start end gfp_mask prot vm_flags node>ret
  change_memory_attr=addr numpages action>ret
  flush_icache_range=start stop${release < 612 ? '>ret' : ''}
  bpf_jit_uncharge_modmem`;
};

const ppc64le = (name: string, pageShift: number): Arch =>
  Object.freeze({
    name,
    pageSize: 2 ** pageShift,
    leafShifts: [pageShift, 21, 30],
    directLeaf: 21,
    trap: 0x7fe00008,
    codeAlignment: () => 4,
    lastPassResizes: false,
    pokePages: 1,
    coherentFetch: false,
    copyFlush: 'piecewise',
    protKernel: { hi: 0x80000000, lo: 0x18e },
    areaProt: () => Prot.kernel,
    areaAlign: 1,
    framesShown: false,
    ownRange: false,
    mirrorsReadOnly: () => false,
    // VMALLOC_START to VMALLOC_END.
    moduleRange: () => [0xc008000000000, 0xc00a000000000],
    dispatches: false,
    patchesTailCalls: false,
    directBase: 0xc000000000000,
    vmemmap: { hi: 0xc00c0000, lo: 0 },
    port,
    missing: () => null,
    setMemory: ppcSetMemory,
    setDirectMap: null,
    textCopy: ppcTextCopy,
    textInvalidate: ppcTextInvalidate,
    ownFunctions: [anyFunction(changeMemoryAttr), anyFunction(flushIcacheRange)],
    shownBy: {
      permissions: ['change_memory_attr'],
      directMap: [],
      flushes: ['change_memory_attr'],
      pokes: ['patch_instructions'],
    },
    signatures,
  } satisfies Arch);

export const ppc64le_4k = ppc64le('ppc64le', 12);
/** Without STRICT_MODULE_RWX the module allocator gives memory that is writable and executable, as its callers then expect (C30). */
export const ppc64le_rwx: Arch = Object.freeze({
  ...ppc64le_4k,
  name: 'ppc64le-rwx',
  areaProt: () => Prot.kernel | Prot.executable,
} satisfies Arch);
export const ppc64le_64k = ppc64le('ppc64le-64k', 16);
