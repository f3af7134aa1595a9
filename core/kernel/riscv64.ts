/**
 * Kernel functions of 64-bit RISC-V: __set_memory (arch/riscv/mm/pageattr.c) and patch_text_nosync (arch/riscv/kernel/patch.c).
 *
 * Modelled: the walk over large leaves of the direct map, which changed them whole at first and splits them since 6.8; the alias that gets the same masks
 * from then on, execution included; copies through two fixmap pages. Left out on purpose: levels above 2 MiB, the fixmap itself.
 */
import type { DirectMapPage, SetMemoryAction, SetMemoryRange, TextCopy } from '../arch/arch.js';
import { Space } from '../event/pages.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { releaseOf } from '../profile/release.js';
import { Address, PAGE_SIZE } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { Word } from '../value/words.js';
import { call, choose, kernelFunction, lock, state, unlock, type Body, type Kernel } from './request.js';
import { setMemoryRo, setMemoryX } from './setMemory.js';
import { clearUnknownAliases } from './unknownAliases.js';

const ENOMEM = -12;
const SMALL = 12;

/** The direct map is split instead of changed whole, and follows changes of vmalloc addresses. */
const MIRRORS_FROM = 608;
export const riscvMirrors = (profile: { readonly name: string }): boolean =>
  releaseOf(profile) >= MIRRORS_FROM;

/** Page-table bits. */
const PRESENT = 0x1;
const READ = 0x2;
const WRITE = 0x4;
const EXEC = 0x8;

interface Change {
  readonly set: number;
  readonly clear: number;
}

const protOf = (bits: number): number =>
  (bits & PRESENT ? Prot.present : 0) |
  (bits & WRITE ? Prot.writable : 0) |
  (bits & EXEC ? Prot.executable : 0);

/** Leaf of the direct map at a frame. */
const leafOf = function* (k: Kernel, pfn: number): Body<number> {
  const known = Memory.aliasLeaf(k.memory(), pfn);
  if (known !== 0) return known;
  const shift = yield* choose('leaf', { pfn, covered: false });
  if (shift !== 0) yield* state({ kind: 'leaf-known', page: pfn - (pfn % 512), shift });
  return shift;
};

/** Frames of the direct map. Returns the error. */
const changeDirect = function* (k: Kernel, pfn: number, pages: number, change: Change): Body<number> {
  const splits = riscvMirrors(k.profile);
  for (let at = pfn; at < pfn + pages;) {
    const leaf = yield* leafOf(k, at);
    const inLeaf = leaf > SMALL ? 2 ** (leaf - SMALL) : 1;
    const first = at - (at % inLeaf);
    const covered = first >= pfn && first + inLeaf <= pfn + pages;
    if (inLeaf > 1 && splits && !covered) {
      if (!(yield* choose('pageTable', {}))) return ENOMEM;
      yield* state({ kind: 'split', space: Space.direct, page: first, from: leaf, to: SMALL });
      continue;
    }
    // A leaf that the walk meets is changed whole, also where only a part was asked for.
    yield* state({ kind: 'permission', space: Space.direct, page: first, pages: inLeaf, ...change });
    at = first + inLeaf;
  }
  return 0;
};

/** The alias of each page of a range, page by page. Returns the error. */
const changeAliases = function* (k: Kernel, page: number, pages: number, change: Change): Body<number> {
  let unseen = false;
  for (let i = 0; i < pages; i++) {
    const frame = Memory.page(k.memory(), page + i)?.frame ?? NO_FRAME;
    if (frame >= 0) {
      const error = yield* changeDirect(k, frame, 1, change);
      if (error !== 0) return error;
    } else if (!unseen) {
      yield* clearUnknownAliases(k, change);
      unseen = true;
    }
  }
  return 0;
};

export const setMemoryMasks = kernelFunction(
  '__set_memory',
  function* (
    k: Kernel,
    a: {
      readonly addr: Address | undefined;
      readonly numpages: number;
      readonly set_mask: Word | undefined;
      readonly clear_mask: Word | undefined;
      /** The frame of the direct map that is meant, where it is one; below 0: not known. */
      readonly pfn?: number;
      /** What the masks do, where the line of a call does not say it. */
      readonly set?: number;
      readonly clear?: number;
    },
  ): Body<number> {
    const change: Change = {
      set: a.set ?? protOf(a.set_mask?.lo ?? 0),
      clear: a.clear ?? protOf(a.clear_mask?.lo ?? 0),
    };
    if (a.numpages === 0) return 0;
    let error = 0;
    const base = k.memory().directBase;
    const page = a.addr?.page;
    const direct =
      a.pfn ??
      (page !== undefined &&
      base !== 0 &&
      page >= base &&
      page < k.arch.moduleRange(k.profile)[0] &&
      Memory.areaAt(k.memory(), page) === null
        ? page - base
        : null);
    if (direct !== null) {
      if (direct < 0) yield* clearUnknownAliases(k, change);
      else error = yield* changeDirect(k, direct, a.numpages, change);
    } else if (page !== undefined) {
      if (riscvMirrors(k.profile)) error = yield* changeAliases(k, page, a.numpages, change);
      if (error === 0)
        yield* state({ kind: 'permission', space: Space.virtual, page, pages: a.numpages, ...change });
    }
    // After an error too.
    const whole = riscvMirrors(k.profile) || page === undefined;
    yield* state({
      kind: 'tlb-flushed',
      page: whole ? 0 : page,
      pages: whole ? 0 : a.numpages,
      why: 'set_memory',
    });
    return error;
  },
);

const MASKS: Readonly<Record<Exclude<SetMemoryAction, 'rox'>, readonly [set: number, clear: number]>> = {
  ro: [READ, WRITE],
  rw: [READ | WRITE, 0],
  x: [EXEC, 0],
  nx: [0, EXEC],
  np: [0, PRESENT],
};

const wordOf = (lo: number): Word => ({ hi: 0, lo });

export const riscvSetMemory = function* (
  k: Kernel,
  action: SetMemoryAction,
  { addr, numpages }: SetMemoryRange,
): Body<number> {
  if (action === 'rox') {
    const error = yield* call(setMemoryRo, { addr, numpages });
    return error !== 0 ? error : yield* call(setMemoryX, { addr, numpages });
  }
  const [set, clear] = MASKS[action];
  return yield* call(setMemoryMasks, { addr, numpages, set_mask: wordOf(set), clear_mask: wordOf(clear) });
};

/** One page of the direct map; since 6.8 through __set_memory. */
export const riscvSetDirectMap = function* (
  k: Kernel,
  action: 'invalid' | 'default',
  { pfn }: DirectMapPage,
): Body<number> {
  const change: Change =
    action === 'invalid'
      ? { set: 0, clear: Prot.present }
      : // Where the alias is never executable there is nothing to take.
        { set: Prot.present | Prot.writable, clear: riscvMirrors(k.profile) ? Prot.executable : 0 };
  if (!riscvMirrors(k.profile)) {
    if (pfn < 0) yield* clearUnknownAliases(k, change);
    return pfn < 0 ? 0 : yield* changeDirect(k, pfn, 1, change);
  }
  const base = k.memory().directBase;
  return yield* call(setMemoryMasks, {
    addr: base === 0 || pfn < 0 ? undefined : Address.of(base + pfn),
    numpages: 1,
    set_mask: action === 'invalid' ? Word.zero : undefined,
    clear_mask: wordOf(action === 'invalid' ? PRESENT : EXEC),
    pfn,
    ...change,
  });
};

const WINDOW = 2 * PAGE_SIZE;

/** Through two fixmap pages at a time. */
const pieces = function* (addr: Address, len: number, what: string): Body<undefined> {
  yield* lock('text_mutex');
  for (let done = 0; done < len;) {
    const to = Address.add(addr, done);
    const length = Math.min(WINDOW - to.offset, len - done);
    if (what === 'fill') yield* state({ kind: 'filled', to, length, pattern: 0, way: 'poke' });
    else yield* state({ kind: 'copied', to, length, what, way: 'poke' });
    done += length;
  }
  yield* unlock('text_mutex');
  return undefined;
};

const patchTextNosync = kernelFunction(
  'patch_text_nosync',
  function* (
    _k: Kernel,
    a: {
      readonly addr: Address;
      readonly insns: Address | undefined;
      readonly len: number;
      readonly what: string;
    },
  ): Body<number> {
    yield* pieces(a.addr, a.len, a.what);
    return 0;
  },
);

const patchTextSetNosync = kernelFunction(
  'patch_text_set_nosync',
  function* (
    _k: Kernel,
    a: { readonly addr: Address; readonly c: number; readonly len: number },
  ): Body<number> {
    yield* pieces(a.addr, a.len, 'fill');
    return 0;
  },
);

/** bpf_arch_text_copy of riscv64 (6.6+). */
export const riscvTextCopy = function* (_k: Kernel, a: TextCopy): Body<Address | number> {
  const error = yield* call(patchTextNosync, { addr: a.dst, insns: a.src, len: a.len, what: a.what });
  return error === 0 ? a.dst : error;
};

/** bpf_arch_text_invalidate of riscv64 (6.6+). */
export const riscvTextInvalidate = function* (
  _k: Kernel,
  a: { readonly dst: Address; readonly len: number },
): Body<number> {
  return yield* call(patchTextSetNosync, { addr: a.dst, c: 0, len: a.len });
};
