/** s390x: segments of 1 MiB in the direct map, no pack in any version. Its JIT was never recorded: Debian builds its kernels without. */
import { s390SetDirectMap, s390SetMemory, s390SetsDirectMap, setMemoryFlags } from '../kernel/s390x.js';
import { releaseOf } from '../profile/release.js';
import { Prot } from '../value/prot.js';
import { anyFunction, type Arch } from './arch.js';
import { oldStyle, withoutPacks, WITHOUT_X86 } from './oldStyle.js';

/** The kernel image moved to the top of the address space, and the areas with it. */
const MOVED_IN = 610;

export const s390x: Arch = Object.freeze({
  name: 's390x',
  pageSize: 4096,
  leafShifts: [12, 20, 31],
  directLeaf: 20,
  trap: 0,
  codeAlignment: () => 8,
  coherentFetch: true,
  ...withoutPacks,
  protKernel: { hi: 0, lo: 0x13d },
  areaProt: () => Prot.kernel,
  areaAlign: 4096,
  framesShown: false,
  ownRange: false,
  mirrorsReadOnly: s390SetsDirectMap,
  // MODULES_VADDR and 2 GiB from there.
  moduleRange: (profile) =>
    releaseOf(profile) < MOVED_IN ? [0x3ff7fd00, 0x3ffffd00] : [0x3ff60000, 0x3ffe0000],
  directBase: 0,
  vmemmap: { hi: 0x372, lo: 0 },
  port: () => oldStyle,
  missing: () => null,
  setMemory: s390SetMemory,
  setDirectMap: s390SetDirectMap,
  setsDirectMap: s390SetsDirectMap,
  ownFunctions: [anyFunction(setMemoryFlags)],
  shownBy: { permissions: ['__set_memory'], directMap: ['__set_memory'], flushes: ['__set_memory'] },
  signatures: (probes) => `${WITHOUT_X86}
  set_memory_ro
  set_memory_rw
  set_memory_x
  set_memory_nx
  set_memory_rox
  set_memory_p
  set_memory_np
  set_memory_4k
  __set_memory=addr numpages ${releaseOf(probes) < 612 ? 'arg3 arg4' : 'flags'}>ret
  ${s390SetsDirectMap(probes) ? '' : 'set_direct_map_invalid_noflush\n  set_direct_map_default_noflush'}`,
} satisfies Arch);
