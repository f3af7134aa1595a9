/** 64-bit RISC-V with Sv39 page tables. Of its recording only the order of calls is known: what the calls were given is read in source or inferred. */
import {
  riscvMirrors,
  riscvSetDirectMap,
  riscvSetMemory,
  riscvTextCopy,
  riscvTextInvalidate,
  setMemoryMasks,
} from '../kernel/riscv64.js';
import type { Change, Profile } from '../profile/profile.js';
import { releaseOf } from '../profile/release.js';
import { Prot } from '../value/prot.js';
import { anyFunction, type Arch } from './arch.js';
import { WITHOUT_X86 } from './oldStyle.js';

/** First release whose JIT takes its memory from packs. */
const PACKS_SINCE = 606;
/** First release whose trampolines lie in packs. */
const TRAMPOLINES_SINCE = 611;
const EXECMEM_SINCE = 610;
const HUGE_VMALLOC_SINCE = 602;
const VM_FLUSH_RESET_PERMS = 0x100;

const port = (profile: Profile): Change => {
  const release = releaseOf(profile);
  const packs = release >= PACKS_SINCE;
  const execmem = release >= EXECMEM_SINCE;
  return {
    ...(packs ? {} : { allocator: 'binary', textCopy: 'weak' }),
    ...(profile.trampoline === 'pack' && release < TRAMPOLINES_SINCE ? { trampoline: 'page' } : {}),
    execAlloc: execmem ? 'execmem_alloc' : 'vmalloc',
    areaFlags: execmem ? VM_FLUSH_RESET_PERMS : 0,
    setsResetFlag: true,
    hugeVmalloc: release >= HUGE_VMALLOC_SINCE ? profile.hugeVmalloc : 'none',
    asksHuge: false,
    fixesTailCalls: false,
    pokeLocked: false,
    cpa: { clearsDirty: false, invalidClearsDirty: false, collapse: false },
  };
};

/** BPF_JIT_REGION: 128 MiB below the kernel image, the end of the modules' range. */
const REGION = 0xffffffff78000;
const REGION_END = 0xffffffff80000;
/** The modules' range begins 2 GiB below the end of the image; how large that is depends on the kernel. */
const MODULES = 0xffffffff02000;

export const riscv64: Arch = Object.freeze({
  name: 'riscv64',
  pageSize: 4096,
  leafShifts: [12, 21, 30],
  directLeaf: 21,
  // A parcel of zeroes is defined to be an illegal instruction.
  trap: 0,
  codeAlignment: () => 4,
  lastPassResizes: false,
  pokePages: 2,
  coherentFetch: false,
  copyFlush: 'whole',
  protKernel: undefined,
  areaProt: () => Prot.kernel,
  areaAlign: 4096,
  framesShown: false,
  ownRange: true,
  mirrorsReadOnly: riscvMirrors,
  moduleRange: () => [REGION, REGION_END],
  modulesOnly: () => [MODULES, REGION],
  dispatches: false,
  patchesTailCalls: false,
  directBase: 0xffffffd600000,
  vmemmap: { hi: 0xffffffc5, lo: 0 },
  port,
  missing: () => null,
  setMemory: riscvSetMemory,
  genericRox: true,
  setDirectMap: riscvSetDirectMap,
  textCopy: riscvTextCopy,
  textInvalidate: riscvTextInvalidate,
  ownFunctions: [anyFunction(setMemoryMasks)],
  shownBy: { permissions: ['__set_memory'], directMap: ['__set_memory'], flushes: ['__set_memory'] },
  signatures: (probes) => `${WITHOUT_X86}
  set_memory_rox
  set_memory_p
  set_memory_np
  set_memory_4k
  execmem_vmalloc
  __set_memory=addr numpages set_mask clear_mask>ret
  patch_text_nosync=addr insns len>ret
  ${releaseOf(probes) >= PACKS_SINCE ? 'patch_text_set_nosync=addr c len>ret' : 'patch_text_set_nosync'}`,
} satisfies Arch);
