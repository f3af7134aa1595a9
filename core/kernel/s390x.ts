/**
 * Kernel functions of s390: __set_memory (arch/s390/mm/pageattr.c) and what calls it.
 *
 * Modelled: a change page by page with a flush of each entry (CRDTE, IDTE), segments of 1 MiB that are split where they are not covered, the direct map that
 * follows RO and RW since 6.4 (from memory: 6.1 was recorded without, 6.6 read with it). Left out on purpose: regions of 2 GiB, the mutex.
 */
import type { DirectMapPage, SetMemoryAction, SetMemoryRange } from '../arch/arch.js';
import { Space } from '../event/pages.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { releaseOf } from '../profile/release.js';
import { Address } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { clearUnknownAliases } from './unknownAliases.js';
import { call, choose, kernelFunction, state, type Body, type Kernel } from './request.js';

const ENOMEM = -12;
const EINVAL = -22;

/** SET_MEMORY_* flags. */
const RO = 0x1;
const RW = 0x2;
const NX = 0x4;
const X = 0x8;
const INV = 0x20;
const DEF = 0x40;

const FLAGS: Readonly<Record<SetMemoryAction, number>> = {
  ro: RO,
  rw: RW,
  x: X,
  nx: NX,
  rox: RO | X,
  np: INV,
};

interface Bits {
  readonly set: number;
  readonly clear: number;
}

const CHANGES: readonly (readonly [flag: number, bits: Bits])[] = [
  [RO, { set: 0, clear: Prot.writable }],
  [RW, { set: Prot.writable, clear: 0 }],
  [NX, { set: 0, clear: Prot.executable }],
  [X, { set: Prot.executable, clear: 0 }],
  [INV, { set: 0, clear: Prot.present }],
  [DEF, { set: Prot.present | Prot.writable, clear: Prot.executable }],
];

const bitsOf = (flags: number): Bits => {
  let [set, clear] = [0, 0];
  for (const [flag, bits] of CHANGES)
    if ((flags & flag) !== 0) {
      set |= bits.set;
      clear |= bits.clear;
    }
  return { set, clear };
};

/** Since when the direct map follows, and set_direct_map_* exists. */
const DIRECT_MAP_FROM = 604;
export const s390SetsDirectMap = (profile: { readonly name: string }): boolean =>
  releaseOf(profile) >= DIRECT_MAP_FROM;

const SEGMENT = 20;
const SEGMENT_PAGES = 256;

/** Leaf of the direct map at a frame. */
const leafOf = function* (k: Kernel, pfn: number): Body<number> {
  const known = Memory.alias(k.memory(), pfn)?.shift ?? 0;
  if (known >= 12) return known;
  const region = Memory.aliasLeaf(k.memory(), pfn);
  if (region !== 0) return region;
  const shift = yield* choose('leaf', { pfn, covered: false });
  if (shift !== 0) yield* state({ kind: 'leaf-known', page: pfn - (pfn % 512), shift });
  return shift;
};

/** One frame of the direct map; a larger leaf is split first. Returns the error. */
const changeDirect = function* (k: Kernel, pfn: number, bits: Bits): Body<number> {
  const leaf = yield* leafOf(k, pfn);
  if (leaf >= SEGMENT) {
    if (!(yield* choose('pageTable', {}))) return ENOMEM;
    const page = pfn - (pfn % SEGMENT_PAGES);
    yield* state({ kind: 'split', space: Space.direct, page, from: SEGMENT, to: 12 });
  }
  yield* state({ kind: 'permission', space: Space.direct, page: pfn, pages: 1, ...bits });
  yield* state({ kind: 'tlb-flushed', page: k.memory().directBase + pfn, pages: 1, why: 'set_memory' });
  return 0;
};

/** Nothing is mapped there: a page of a known area that shows none. */
const isHole = (k: Kernel, page: number): boolean => {
  if (Memory.page(k.memory(), page) !== null) return false;
  const area = Memory.areaAt(k.memory(), page);
  return area !== null && (area.state === 'lazy' || Memory.page(k.memory(), area.start) !== null);
};

/** Frame behind an address of the direct map; null: it is none. */
const directFrame = (k: Kernel, { page }: Address): number | null => {
  const pfn = page - k.memory().directBase;
  const mapped = Memory.areaAt(k.memory(), page) !== null || Memory.page(k.memory(), page) !== null;
  return mapped || pfn < 0 || page >= k.arch.moduleRange(k.profile)[0] || pfn >= 2 ** 30 ? null : pfn;
};

export const setMemoryFlags = kernelFunction(
  '__set_memory',
  function* (
    k: Kernel,
    a: {
      readonly addr: Address | undefined;
      readonly numpages: number;
      readonly flags: number;
      /** The frame of the direct map that is meant, where it is one. */
      readonly pfn?: number;
    },
  ): Body<number> {
    const bits = bitsOf(a.flags);
    const pfn = a.pfn ?? (a.addr === undefined ? null : directFrame(k, a.addr));
    if (pfn !== null) {
      if (pfn < 0) {
        yield* clearUnknownAliases(k, bits);
        return 0;
      }
      for (let i = 0; i < a.numpages; i++) {
        const error = yield* changeDirect(k, pfn + i, bits);
        if (error !== 0) return error;
      }
      return 0;
    }
    const first = (a.addr as Address).page;
    for (let page: number = first; page < first + a.numpages; page++) {
      if (isHole(k, page)) return EINVAL;
      yield* state({ kind: 'permission', space: Space.virtual, page, pages: 1, ...bits });
      yield* state({ kind: 'tlb-flushed', page, pages: 1, why: 'set_memory' });
    }
    const mirrored = a.flags & (RO | RW);
    if (!s390SetsDirectMap(k.profile) || mirrored === 0) return 0;
    const frameAt = (page: number): number => Memory.page(k.memory(), page)?.frame ?? NO_FRAME;
    // No line shows which frame a named one is: its alias may be any that nobody else has.
    let unseen = false;
    for (let page: number = first; page < first + a.numpages; page++) {
      const frame = frameAt(page);
      if (frame < 0 && !unseen) yield* clearUnknownAliases(k, bitsOf(mirrored));
      unseen ||= frame < 0;
      if (frame < 0) continue;
      const error = yield* changeDirect(k, frame, bitsOf(mirrored));
      if (error !== 0) return error;
    }
    return 0;
  },
);

export const s390SetMemory = function* (k: Kernel, action: SetMemoryAction, a: SetMemoryRange): Body<number> {
  return yield* call(setMemoryFlags, { addr: a.addr, numpages: a.numpages, flags: FLAGS[action] });
};

export const s390SetDirectMap = function* (
  k: Kernel,
  action: 'invalid' | 'default',
  { pfn }: DirectMapPage,
): Body<number> {
  const addr = pfn < 0 ? undefined : Address.of(k.memory().directBase + pfn);
  return yield* call(setMemoryFlags, { addr, numpages: 1, flags: action === 'invalid' ? INV : DEF, pfn });
};
