/**
 * Architectures whose set_memory_* are stubs that return 0: nothing is ever made read-only, and where vmalloc's memory can be executed an image stays
 * writable and executable for as long as it lives. Ranges, fills and alignments are from memory.
 */
import type { Body } from '../kernel/request.js';
import { releaseOf } from '../profile/release.js';
import { Prot } from '../value/prot.js';
import type { Arch } from './arch.js';
import { oldStyle, withoutPacks, WITHOUT_X86 } from './oldStyle.js';

const WX = Prot.kernel | Prot.executable;

const stubs: Omit<
  Arch,
  'name' | 'pageSize' | 'leafShifts' | 'directLeaf' | 'trap' | 'moduleRange' | 'directBase'
> = {
  ...withoutPacks,
  codeAlignment: () => 4,
  coherentFetch: false,
  protKernel: { hi: 0, lo: 0 },
  areaProt: () => WX,
  areaAlign: 4096,
  framesShown: false,
  ownRange: false,
  mirrorsReadOnly: () => false,
  vmemmap: { hi: 0, lo: 0 },
  port: () => oldStyle,
  missing: () => null,
  *setMemory(): Body<number> {
    return 0;
  },
  setDirectMap: null,
  ownFunctions: [],
  shownBy: { permissions: [], directMap: [], flushes: [] },
  signatures: () => `${WITHOUT_X86}
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
  flush_icache_range=start stop`,
};

/** PAGE_KERNEL_RWX for images; the zero word is a break. */
export const parisc: Arch = Object.freeze({
  ...stubs,
  name: 'parisc',
  pageSize: 4096,
  leafShifts: [12],
  directLeaf: 12,
  trap: 0,
  moduleRange: () => [0x8, 0x40000],
  directBase: 0x40000000,
  missing: (profile) => (releaseOf(profile) < 606 ? 'parisc has a BPF JIT since 6.6' : null),
} satisfies Arch);

/** Without the XI bit of newer processors whatever is mapped can be executed. Little endian; the fill is a `break`. */
export const mips: Arch = Object.freeze({
  ...stubs,
  name: 'mips',
  pageSize: 4096,
  leafShifts: [12],
  directLeaf: 12,
  trap: 0x000c000d,
  moduleRange: () => [0xffffffffc0000, 0xffffffffe0000],
  directBase: 0x9800000000000,
} satisfies Arch);

/** PAGE_KERNEL may be executed. Big endian: the fill `ta 5` (0x91d02005) as memory holds it. */
export const sparc64: Arch = Object.freeze({
  ...stubs,
  name: 'sparc64',
  pageSize: 8192,
  leafShifts: [13, 23, 31],
  directLeaf: 23,
  trap: 0x0520d091,
  areaAlign: 8192,
  moduleRange: () => [0x10000, 0xf0000],
  directBase: 0xfffff80000000,
} satisfies Arch);
