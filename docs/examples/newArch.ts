/**
 * A worked example (docs/architectures.md): an invented architecture with 4K pages, whose kernel can change permissions of its areas but has no alias, no
 * packs and no text copies. A test compiles and runs it; in the product the file would be core/arch/NAME.ts and one line in core/arch/arches.ts.
 */
import type { Arch, SetMemoryAction, SetMemoryRange } from '../../core/arch/arch.js';
import { oldStyle, withoutPacks, WITHOUT_X86 } from '../../core/arch/oldStyle.js';
import { Space } from '../../core/event/pages.js';
import { state, type Body, type Kernel } from '../../core/kernel/request.js';
import { Prot } from '../../core/value/prot.js';

const CHANGES: Readonly<Record<SetMemoryAction, { readonly set: number; readonly clear: number }>> = {
  ro: { set: 0, clear: Prot.writable },
  rw: { set: Prot.writable, clear: 0 },
  x: { set: Prot.executable, clear: 0 },
  nx: { set: 0, clear: Prot.executable },
  rox: { set: Prot.executable, clear: Prot.writable },
  np: { set: 0, clear: Prot.present },
};

/** set_memory_*: the pages of the range change, the TLB entries go, nothing else does. */
const setMemory = function* (_k: Kernel, action: SetMemoryAction, range: SetMemoryRange): Body<number> {
  const { page } = range.addr;
  yield* state({ kind: 'permission', space: Space.virtual, page, pages: range.numpages, ...CHANGES[action] });
  yield* state({ kind: 'tlb-flushed', page, pages: range.numpages, why: 'set_memory' });
  return 0;
};

export const newArch: Arch = Object.freeze({
  name: 'example64',
  pageSize: 4096,
  leafShifts: [12, 21],
  directLeaf: 21,
  trap: 0x00000000,
  codeAlignment: () => 4,
  coherentFetch: false,
  ...withoutPacks,
  protKernel: undefined,
  areaProt: () => Prot.kernel,
  areaAlign: 4096,
  framesShown: false,
  ownRange: true,
  mirrorsReadOnly: () => false,
  moduleRange: () => [0xffffffff00000, 0xffffffff80000],
  directBase: 0xff00000000000,
  vmemmap: { hi: 0, lo: 0 },
  port: () => oldStyle,
  missing: () => null,
  setMemory,
  setDirectMap: null,
  ownFunctions: [],
  shownBy: { permissions: ['set_memory_ro', 'set_memory_x', 'set_memory_rox'], directMap: [], flushes: [] },
  signatures: () => WITHOUT_X86,
} satisfies Arch);
