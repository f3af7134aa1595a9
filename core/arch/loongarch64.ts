/**
 * LoongArch with pages of 16 KiB, as its default is, 4 KiB and 64 KiB. Never recorded: calls are read in source, page-table bits, ranges and the
 * permission of new areas are from memory.
 */
import {
  loongarchSetDirectMap,
  loongarchSetMemory,
  loongarchSetsMemory,
  loongarchTextCopy,
  loongarchTextInvalidate,
  setMemoryMasks,
} from '../kernel/loongarch64.js';
import type { Change, Profile } from '../profile/profile.js';
import { releaseOf } from '../profile/release.js';
import { Prot } from '../value/prot.js';
import { anyFunction, type Arch } from './arch.js';
import { WITHOUT_X86 } from './oldStyle.js';

/** The first kernel with a BPF JIT. */
const JIT_SINCE = 601;
const EXECMEM_SINCE = 610;
/** Text copies came with trampolines, programs in packs later. */
const COPIES_SINCE = 617;
const PACKS_SINCE = 700;
const VM_FLUSH_RESET_PERMS = 0x100;

const port = (profile: Profile): Change => {
  const release = releaseOf(profile);
  return {
    ...(release >= PACKS_SINCE ? {} : { allocator: 'binary' }),
    textCopy: release >= COPIES_SINCE ? profile.textCopy : 'weak',
    areaFlags: release >= EXECMEM_SINCE ? VM_FLUSH_RESET_PERMS : 0,
    setsResetFlag: true,
    hugeVmalloc: 'none',
    asksHuge: false,
    fixesTailCalls: false,
    pokeLocked: false,
    cpa: { clearsDirty: true, invalidClearsDirty: false, collapse: false },
  };
};

/** 256 MiB behind the I/O ports and two pages. */
const MODULES = 0xffff800002000;
const MODULES_PAGES = 0x10000;

const loongarch64Of = (name: string, pageShift: number, blockShift: number): Arch => {
  const unit = 2 ** (pageShift - 12);
  const first = MODULES + 2 * unit;
  return Object.freeze({
    name,
    pageSize: 2 ** pageShift,
    leafShifts: [pageShift, blockShift],
    // A window of the processor: no leaf of it is ever seen or split.
    directLeaf: blockShift,
    // break 0
    trap: 0x002a0000,
    codeAlignment: () => 4,
    lastPassResizes: false,
    pokePages: 0,
    coherentFetch: false,
    copyFlush: 'whole',
    protKernel: undefined,
    // PAGE_KERNEL lacks the bit that forbids execution.
    areaProt: () => Prot.kernel | Prot.executable,
    areaAlign: 1,
    framesShown: false,
    ownRange: true,
    mirrorsReadOnly: () => false,
    moduleRange: () => [first, first + MODULES_PAGES],
    dispatches: false,
    patchesTailCalls: false,
    directBase: 0x9000000000000,
    vmemmap: { hi: 0xfffffdff, lo: 0 },
    port,
    missing: (profile) =>
      releaseOf(profile) < JIT_SINCE
        ? `LoongArch has no BPF JIT before 6.1, and ${profile.name} is older`
        : null,
    setMemory: loongarchSetMemory,
    setDirectMap: loongarchSetDirectMap,
    setsDirectMap: loongarchSetsMemory,
    textCopy: loongarchTextCopy,
    textInvalidate: loongarchTextInvalidate,
    ownFunctions: [anyFunction(setMemoryMasks)],
    shownBy: { permissions: ['__set_memory'], directMap: [], flushes: ['__set_memory'] },
    signatures: () => `${WITHOUT_X86}
  execmem_vmalloc
  __set_memory=addr numpages set_mask clear_mask>ret
  set_memory_p
  set_memory_np
  set_memory_4k`,
  } satisfies Arch);
};

export const loongarch64 = loongarch64Of('loongarch64', 14, 25);
export const loongarch64With4K = loongarch64Of('loongarch64-4k', 12, 21);
export const loongarch64With64K = loongarch64Of('loongarch64-64k', 16, 29);
