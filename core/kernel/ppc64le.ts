/**
 * Kernel functions of powerpc on book3s64 with radix page tables: change_memory_attr (arch/powerpc/mm/pageattr.c) and patch_instructions
 * (arch/powerpc/lib/code-patching.c).
 *
 * Modelled: one page at a time with a flush of its own, the refusal of areas with huge pages, copies through a temporary alias page by page. Left out on
 * purpose: hash page tables, the temporary mm itself. The direct map is never changed.
 */
import { unitOf, type SetMemoryAction, type SetMemoryRange, type TextCopy } from '../arch/arch.js';
import { Space } from '../event/pages.js';
import { Memory } from '../memory/memory.js';
import { PageTable } from '../memory/pageTable.js';
import { Address } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { call, kernelFunction, lock, state, unlock, warn, type Body, type Kernel } from './request.js';
import { flushIcacheRange } from './textPoke.js';

const EINVAL = -22;

/** Numbers of the actions, as change_memory_attr is given them. */
const ACTIONS: Readonly<Record<SetMemoryAction, number>> = { ro: 0, rw: 1, nx: 2, x: 3, np: 4, rox: 6 };
const PRESENT = 5;

/** What an action does to an entry: the difference of two named protections. RO keeps the dirty bit, RW sets it. */
const CHANGES: Readonly<Record<number, { readonly set: number; readonly clear: number }>> = {
  [ACTIONS.ro]: { set: 0, clear: Prot.writable },
  [ACTIONS.rw]: { set: Prot.writable | Prot.dirty, clear: 0 },
  [ACTIONS.nx]: { set: 0, clear: Prot.executable },
  [ACTIONS.x]: { set: Prot.executable, clear: 0 },
  [ACTIONS.np]: { set: 0, clear: Prot.present },
  [PRESENT]: { set: Prot.present, clear: 0 },
  [ACTIONS.rox]: { set: Prot.executable, clear: Prot.writable },
};

/** is_vm_area_hugepages: the area was mapped with leaves larger than a page. */
const isHuge = (k: Kernel, page: number): boolean =>
  (Memory.page(k.memory(), page)?.shift ?? 0) > (k.arch.leafShifts[0] as number);

/** First pages of the entries that a range has: where nothing is mapped there is none. Of memory that nothing is known of: all. */
const entriesOf = (k: Kernel, first: number, end: number): readonly number[] => {
  const unit = unitOf(k.arch);
  const memory = k.memory();
  const pages: number[] = [];
  const known =
    Memory.page(memory, first) ?? Memory.areaAt(memory, first) ?? Memory.packAt(memory, first) ?? null;
  if (known === null) for (let page = first; page < end; page += unit) pages.push(page);
  else
    for (const [page] of PageTable.pages(memory.virtual, first)) {
      if (page >= end) break;
      if (page % unit === 0) pages.push(page);
    }
  return pages;
};

export const changeMemoryAttr = kernelFunction(
  'change_memory_attr',
  function* (
    k: Kernel,
    a: { readonly addr: Address; readonly numpages: number; readonly action: number },
  ): Body<number> {
    const unit = unitOf(k.arch);
    const first = a.addr.page - (a.addr.page % unit);
    const change = CHANGES[a.action];
    if (a.numpages === 0 || change === undefined) return 0;
    // No entry is changed.
    if (isHuge(k, first)) {
      yield* warn('change_memory_attr: the area has huge pages');
      return EINVAL;
    }
    for (const page of entriesOf(k, first, first + a.numpages * unit)) {
      if (isHuge(k, page)) return EINVAL;
      yield* state({ kind: 'permission', space: Space.virtual, page, pages: unit, ...change });
      yield* state({ kind: 'tlb-flushed', page, pages: unit, why: 'set_memory' });
    }
    return 0;
  },
);

export const ppcSetMemory = function* (k: Kernel, action: SetMemoryAction, a: SetMemoryRange): Body<number> {
  return yield* call(changeMemoryAttr, { addr: a.addr, numpages: a.numpages, action: ACTIONS[action] });
};

/** Of the temporary alias: which user-space page it is is drawn at boot; its offset in the page is that of the code. */
const POKING_PAGE = 0x1f8ea4b66;

/** Code, or one instruction again and again (`fill`), through an alias in a temporary mm: page by page, each flushed from the caches by its alias. */
const patchInstructions = kernelFunction(
  'patch_instructions',
  function* (
    k: Kernel,
    a: { readonly addr: Address; readonly len: number; readonly what: string },
  ): Body<number> {
    const { pageSize } = k.arch;
    for (let done = 0; done < a.len;) {
      const at = Address.add(a.addr, done);
      const within = Address.minus(at, Address.alignDown(at, pageSize));
      const length = Math.min(pageSize - within, a.len - done);
      if (a.what === 'fill')
        yield* state({ kind: 'filled', to: at, length, pattern: k.arch.trap, way: 'poke' });
      else yield* state({ kind: 'copied', to: at, length, what: a.what, way: 'poke' });
      const start = Address.of(POKING_PAGE, at.offset);
      yield* call(flushIcacheRange, { start, stop: Address.add(start, length), at, length });
      done += length;
    }
    return 0;
  },
);

/** bpf_arch_text_copy of powerpc (6.8+). */
export const ppcTextCopy = function* (_k: Kernel, a: TextCopy): Body<Address | number> {
  yield* lock('text_mutex');
  const error = yield* call(patchInstructions, { addr: a.dst, len: a.len, what: a.what });
  yield* unlock('text_mutex');
  return error === 0 ? a.dst : error;
};

/** bpf_arch_text_invalidate of powerpc (6.8+). */
export const ppcTextInvalidate = function* (
  _k: Kernel,
  a: { readonly dst: Address; readonly len: number },
): Body<number> {
  yield* lock('text_mutex');
  const error = yield* call(patchInstructions, { addr: a.dst, len: a.len, what: 'fill' });
  yield* unlock('text_mutex');
  return error;
};
