/**
 * Page permissions on arm64 (arch/arm64/mm/pageattr.c), booted with rodata=full, which is the default.
 *
 * Modelled: the range rule, the alias of read-only pages in the linear map (of the whole area to 6.18, of the range since), page entries, flushes, the
 * split of linear-map blocks (6.17+ with BBML2). Left out on purpose: rodata=on and off, guarded pages (BTI).
 */
import { unitOf, type DirectMapPage, type SetMemoryAction, type SetMemoryRange } from '../../arch/arch.js';
import { Space } from '../../event/pages.js';
import { Memory, NO_FRAME, type Area } from '../../memory/memory.js';
import { releaseOf } from '../../profile/release.js';
import { Address } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import { Word } from '../../value/words.js';
import { vmUnmapAliases } from '../purge.js';
import { call, choose, kernelFunction, state, type Body, type Kernel } from '../request.js';
import { setMemoryRo, setMemoryX } from '../setMemory.js';
import { clearUnknownAliases } from '../unknownAliases.js';

const EINVAL = -22;
const ENOMEM = -12;

/** The alias follows the range, and its result is looked at. */
const ALIAS_OF_RANGE_SINCE = 619;
/** Blocks of the linear map are split on demand. */
const SPLITS_SINCE = 617;

const RDONLY: Word = { hi: 0, lo: 0x80 };
const WRITE: Word = { hi: 0x80000, lo: 0 };
const PXN: Word = { hi: 0x200000, lo: 0 };
const VALID: Word = { hi: 0, lo: 1 };

interface Change {
  readonly set: number;
  readonly clear: number;
}

/** Permissions that become yes. RDONLY and WRITE always change together. */
const granted = (set: Word, clear: Word): number =>
  (set.hi & WRITE.hi ? Prot.writable : 0) |
  (set.lo & VALID.lo ? Prot.present : 0) |
  (clear.hi & PXN.hi ? Prot.executable : 0);

/** What masks do to the permission. */
const changeOf = (set: Word, clear: Word): Change => ({
  set: granted(set, clear),
  clear: granted(clear, set),
});

/** Makes the linear-map entries of `pages` frames pages of their own, where they lie in a block. */
const splitKernelLeafMapping = function* (k: Kernel, pfn: number): Body<number> {
  const [small = 12, block = 21] = k.arch.leafShifts;
  let leaf = Memory.aliasLeaf(k.memory(), pfn);
  if (leaf === 0) {
    leaf = yield* choose('leaf', { pfn, covered: false });
    yield* state({ kind: 'leaf-known', page: pfn - (pfn % 512), shift: leaf });
  }
  if (leaf <= small) return 0;
  if (!(yield* choose('pageTable', {}))) return ENOMEM;
  const pages = 2 ** (block - 12);
  yield* state({ kind: 'split', space: Space.direct, page: pfn - (pfn % pages), from: leaf, to: small });
  return 0;
};

/** Only entries of their own can be changed: where some are, the linear map is made of pages. */
const madeOfPages = function* (k: Kernel, page: number, pages: number): Body<undefined> {
  for (let region = page - (page % 512); region < page + pages; region += 512)
    if (Memory.aliasLeaf(k.memory(), region) === 0)
      yield* state({ kind: 'leaf-known', page: region, shift: k.arch.leafShifts[0] as number });
  return undefined;
};

/** The same change in the linear map. Returns the error. */
const changeAlias = function* (k: Kernel, frames: readonly number[], change: Change): Body<number> {
  const unknown = frames.some((frame) => frame < 0);
  if (unknown) yield* clearUnknownAliases(k, change);
  for (let i = 0; i < frames.length;) {
    const page = frames[i] as number;
    let pages = 1;
    while (i + pages < frames.length && frames[i + pages] === page + pages) pages++;
    i += pages;
    if (page < 0) continue;
    if (releaseOf(k.profile) >= SPLITS_SINCE)
      for (let at = page; at < page + pages; at++) {
        const error = yield* splitKernelLeafMapping(k, at);
        if (error !== 0) return error;
      }
    else yield* madeOfPages(k, page, pages);
    yield* state({ kind: 'permission', space: Space.direct, page, pages, ...change });
    const base = k.memory().directBase;
    if (base !== 0) yield* state({ kind: 'tlb-flushed', page: base + page, pages, why: 'set_memory' });
  }
  return 0;
};

/** Frames of the pages of an area, or of a part of it; unknown ones are below 0. */
const framesOf = (k: Kernel, area: Area, first: number, pages: number): number[] =>
  Array.from(
    { length: pages },
    (_, i) => area.frames?.[first - area.start + i] ?? Memory.page(k.memory(), first + i)?.frame ?? NO_FRAME,
  );

/** Whether a range may be changed: all of it in one area whose mapping is made of pages. */
const refuses = (k: Kernel, area: Area, first: number, pages: number): boolean => {
  if (first + pages > area.start + area.pages) return true;
  const small = k.arch.leafShifts[0] as number;
  for (let page = first; page < first + pages; page++)
    if ((Memory.page(k.memory(), page)?.shift ?? small) > small) return true;
  return false;
};

export const changeMemoryCommon = kernelFunction(
  'change_memory_common',
  function* (
    k: Kernel,
    a: { addr: Address; numpages: number; set_mask: Word; clear_mask: Word },
  ): Body<number> {
    if (a.numpages === 0) return 0;
    const page = a.addr.page;
    const pages = a.numpages * unitOf(k.arch);
    const { set_mask: set, clear_mask: clear } = a;
    const change = changeOf(set, clear);
    const area = Memory.areaAt(k.memory(), page);
    if (area === null) {
      // Older than the recording, or no area at all: the call goes on where there is one.
      if (!(yield* choose('more', { fn: '_vm_unmap_aliases' }))) return EINVAL;
    } else if (refuses(k, area, page, pages)) return EINVAL;
    if (Word.equals(set, RDONLY) || Word.equals(clear, RDONLY)) {
      const ofRange = releaseOf(k.profile) >= ALIAS_OF_RANGE_SINCE;
      const unit = unitOf(k.arch);
      const frames =
        area === null
          ? [NO_FRAME]
          : ofRange
            ? framesOf(k, area, page, pages)
            : framesOf(k, area, area.start, area.pages - unit);
      const error = yield* changeAlias(k, frames, change);
      if (error !== 0 && ofRange) return error;
    }
    yield* call(vmUnmapAliases, {
      start: Address.fromWords(0xffffffff, 0xffffffff),
      end: Address.zero,
      flush: 0,
    });
    yield* state({ kind: 'permission', space: Space.virtual, page, pages, ...change });
    yield* state({ kind: 'tlb-flushed', page, pages, why: 'set_memory' });
    return 0;
  },
);

/** The bit of guarded pages, which changes along with execution where the processor has it (BTI). */
const guarded = function* (): Body<Word> {
  const hi = yield* choose('result', { fn: 'change_memory_common', predicted: 0 });
  return { hi, lo: 0 };
};

export const aarch64SetMemory = function* (
  k: Kernel,
  action: SetMemoryAction,
  { addr, numpages }: SetMemoryRange,
): Body<number> {
  const change = (set_mask: Word, clear_mask: Word) =>
    call(changeMemoryCommon, { addr, numpages, set_mask, clear_mask });
  switch (action) {
    case 'ro':
      return yield* change(RDONLY, WRITE);
    case 'rw':
      return yield* change(WRITE, RDONLY);
    case 'x':
      return yield* change(yield* guarded(), PXN);
    case 'nx':
      return yield* change(PXN, yield* guarded());
    case 'rox': {
      const error = yield* call(setMemoryRo, { addr, numpages });
      return error !== 0 ? error : yield* call(setMemoryX, { addr, numpages });
    }
    case 'np':
      return yield* change(Word.zero, VALID);
  }
};

/** One page of the linear map; an entry of its own is the condition for changing it. */
export const aarch64SetDirectMap = function* (
  k: Kernel,
  action: 'invalid' | 'default',
  { pfn }: DirectMapPage,
): Body<number> {
  const change: Change =
    action === 'invalid' ? { set: 0, clear: Prot.present } : { set: Prot.present | Prot.writable, clear: 0 };
  if (pfn < 0) {
    yield* clearUnknownAliases(k, change);
    return 0;
  }
  if (releaseOf(k.profile) >= SPLITS_SINCE) {
    const error = yield* splitKernelLeafMapping(k, pfn);
    if (error !== 0) return error;
  } else yield* madeOfPages(k, pfn, 1);
  const pages = unitOf(k.arch);
  yield* state({ kind: 'permission', space: Space.direct, page: pfn, pages, ...change });
  return 0;
};
