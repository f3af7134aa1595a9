/**
 * Kernel functions of LoongArch: __set_memory (arch/loongarch/mm/pageattr.c) and larch_insn_text_copy (arch/loongarch/kernel/inst.c).
 *
 * Modelled: changes of the range alone, and copies that make it writable for their duration while every other processor stands still. Left out on
 * purpose: the stop of the processors. Linear addresses go through a window of the processor, not through page tables: always writable.
 */
import { unitOf, type SetMemoryAction, type SetMemoryRange, type TextCopy } from '../arch/arch.js';
import { Space } from '../event/pages.js';
import { releaseOf } from '../profile/release.js';
import { Address } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { Word } from '../value/words.js';
import { call, kernelFunction, lock, state, unlock, type Body, type Kernel } from './request.js';
import { setMemoryRox, setMemoryRw } from './setMemory.js';

const EINVAL = -22;
const INSTRUCTION = 4;

/** Before, set_memory_* is the stub that returns 0. */
const SET_MEMORY_FROM = 612;
export const loongarchSetsMemory = (profile: { readonly name: string }): boolean =>
  releaseOf(profile) >= SET_MEMORY_FROM;

/** Page-table bits. */
const DIRTY_WRITE: Word = { hi: 0, lo: 0x102 };
const NO_EXEC: Word = { hi: 0x40000000, lo: 0 };
const PRESENT: Word = { hi: 0, lo: 0x80 };

/** What bits allow when they are set; NO_EXEC the other way round. */
const granted = (set: Word, clear: Word): number =>
  (set.lo & DIRTY_WRITE.lo ? Prot.writable | Prot.dirty : 0) |
  (set.lo & PRESENT.lo ? Prot.present : 0) |
  (clear.hi & NO_EXEC.hi ? Prot.executable : 0);

export const setMemoryMasks = kernelFunction(
  '__set_memory',
  function* (
    k: Kernel,
    a: {
      readonly addr: Address;
      readonly numpages: number;
      readonly set_mask: Word;
      readonly clear_mask: Word;
    },
  ): Body<number> {
    const { page } = a.addr;
    const pages = a.numpages * unitOf(k.arch);
    if (pages === 0) return 0;
    const set = granted(a.set_mask, a.clear_mask);
    const clear = granted(a.clear_mask, a.set_mask);
    yield* state({ kind: 'permission', space: Space.virtual, page, pages, set, clear });
    yield* state({ kind: 'tlb-flushed', page, pages, why: 'set_memory' });
    return 0;
  },
);

const or = (a: Word, b: Word): Word => ({ hi: a.hi | b.hi, lo: a.lo | b.lo });

const MASKS: Readonly<Record<SetMemoryAction, readonly [set: Word, clear: Word]>> = {
  ro: [Word.zero, DIRTY_WRITE],
  rw: [DIRTY_WRITE, Word.zero],
  x: [Word.zero, NO_EXEC],
  nx: [NO_EXEC, Word.zero],
  rox: [Word.zero, or(DIRTY_WRITE, NO_EXEC)],
  np: [Word.zero, PRESENT],
};

export const loongarchSetMemory = function* (
  k: Kernel,
  action: SetMemoryAction,
  { addr, numpages }: SetMemoryRange,
): Body<number> {
  // Addresses below the mapped range go through the window.
  if (!loongarchSetsMemory(k.profile) || addr.page < k.arch.moduleRange(k.profile)[0]) return 0;
  const [set_mask, clear_mask] = MASKS[action];
  return yield* call(setMemoryMasks, { addr, numpages, set_mask, clear_mask });
};

/** The direct map has no entries that could change. */
export const loongarchSetDirectMap = function* (): Body<number> {
  return 0;
};

/** Code is written where it runs: its pages are writable, and still executable, meanwhile (F38). */
const larchInsnTextCopy = kernelFunction(
  'larch_insn_text_copy',
  function* (
    k: Kernel,
    a: {
      readonly dst: Address;
      readonly src: Address | undefined;
      readonly len: number;
      readonly what: string;
    },
  ): Body<number> {
    if (a.dst.offset % INSTRUCTION !== 0) return EINVAL;
    const unit = unitOf(k.arch);
    const first = a.dst.page - (a.dst.page % unit);
    const last = Address.add(a.dst, a.len - 1).page;
    const range = { addr: Address.of(first), numpages: Math.ceil((last + 1 - first) / unit) };
    const opened = yield* call(setMemoryRw, range);
    if (opened !== 0) return opened;
    if (a.what === 'fill')
      yield* state({ kind: 'filled', to: a.dst, length: a.len, pattern: k.arch.trap, way: 'store' });
    else yield* state({ kind: 'copied', to: a.dst, length: a.len, what: a.what, way: 'store' });
    return yield* call(setMemoryRox, range);
  },
);

const copy = function* (a: TextCopy): Body<number> {
  yield* lock('text_mutex');
  const error = yield* call(larchInsnTextCopy, { dst: a.dst, src: a.src, len: a.len, what: a.what });
  yield* unlock('text_mutex');
  return error;
};

/** bpf_arch_text_copy of LoongArch (trampolines since 6.17, programs since 7.0). */
export const loongarchTextCopy = function* (_k: Kernel, a: TextCopy): Body<Address | number> {
  return (yield* copy(a)) === 0 ? a.dst : EINVAL;
};

/** bpf_arch_text_invalidate of LoongArch. */
export const loongarchTextInvalidate = function* (
  _k: Kernel,
  a: { readonly dst: Address; readonly len: number },
): Body<number> {
  return yield* copy({ dst: a.dst, src: undefined, len: a.len, what: 'fill' });
};
