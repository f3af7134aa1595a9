/** 32-bit ARM: PAGE_KERNEL_EXEC, writable and executable until set_memory_ro. Ranges, fill and order are from memory. */
import { Space } from '../event/pages.js';
import { call, kernelFunction, state, type Body, type Kernel } from '../kernel/request.js';
import { setMemoryRo, setMemoryX } from '../kernel/setMemory.js';
import type { Address } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { anyFunction, type Arch, type SetMemoryAction, type SetMemoryRange } from './arch.js';
import { oldStyle, withoutPacks, WITHOUT_X86 } from './oldStyle.js';

const EINVAL = -22;

const CHANGES: Readonly<
  Record<Exclude<SetMemoryAction, 'rox'>, { readonly set: number; readonly clear: number }>
> = {
  ro: { set: 0, clear: Prot.writable },
  rw: { set: Prot.writable, clear: 0 },
  x: { set: Prot.executable, clear: 0 },
  nx: { set: 0, clear: Prot.executable },
  np: { set: 0, clear: Prot.present },
};

/** Page by page, only inside the module or vmalloc range; one flush at the end. No alias is touched. */
const changeMemoryCommon = kernelFunction(
  'change_memory_common',
  function* (
    k: Kernel,
    a: {
      readonly addr: Address;
      readonly numpages: number;
      readonly action: Exclude<SetMemoryAction, 'rox'>;
    },
  ): Body<number> {
    const [first, end] = k.arch.moduleRange(k.profile);
    const { page } = a.addr;
    if (a.numpages === 0) return 0;
    if (page < first || page + a.numpages > end) return EINVAL;
    yield* state({ kind: 'permission', space: Space.virtual, page, pages: a.numpages, ...CHANGES[a.action] });
    yield* state({ kind: 'tlb-flushed', page, pages: a.numpages, why: 'set_memory' });
    return 0;
  },
);

export const arm32: Arch = Object.freeze({
  name: 'arm32',
  pageSize: 4096,
  leafShifts: [12, 20],
  directLeaf: 20,
  // UDF 0xe7fddef1.
  trap: 0xe7fddef1,
  codeAlignment: () => 4,
  coherentFetch: false,
  ...withoutPacks,
  protKernel: { hi: 0, lo: 0 },
  areaProt: () => Prot.kernel | Prot.executable,
  areaAlign: 1,
  framesShown: false,
  ownRange: false,
  mirrorsReadOnly: () => false,
  // MODULES_VADDR: 16 MiB below PAGE_OFFSET.
  moduleRange: () => [0xbf000, 0xc0000],
  directBase: 0xc0000,
  vmemmap: { hi: 0, lo: 0 },
  port: () => oldStyle,
  missing: () => null,
  *setMemory(_k: Kernel, action: SetMemoryAction, a: SetMemoryRange): Body<number> {
    // The generic set_memory_rox: two calls, and what the first one returned is looked at.
    if (action === 'rox') {
      const error = yield* call(setMemoryRo, { ...a });
      return error === 0 ? yield* call(setMemoryX, { ...a }) : error;
    }
    return yield* call(changeMemoryCommon, { addr: a.addr, numpages: a.numpages, action });
  },
  setDirectMap: null,
  ownFunctions: [anyFunction(changeMemoryCommon)],
  shownBy: { permissions: ['change_memory_common'], directMap: [], flushes: ['change_memory_common'] },
  signatures: () => `${WITHOUT_X86}
  set_memory_rox
  set_memory_p
  set_memory_np
  set_memory_4k
  set_direct_map_invalid_noflush
  set_direct_map_default_noflush
  flush_icache_range=start stop`,
} satisfies Arch);
