/**
 * x86 set_memory_* and the change-page-attributes machinery under it (arch/x86/mm/pat/set_memory.c, 5.10 to 7.2).
 *
 * Modelled: the loop over positions, whole or split large leaves, the alias step in the direct map, flushes, the merge after set_memory_rox.
 * Left out on purpose: cache attributes, the kernel image's own mapping, static protections (no BPF or module page has any).
 */
import type { DirectMapPage, SetMemoryAction, SetMemoryRange } from '../arch/arch.js';
import { Space } from '../event/pages.js';
import { unseenAlias } from '../memory/evolve.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { LARGE_RUN, PageTable } from '../memory/pageTable.js';
import { Address } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { Word } from '../value/words.js';
import { isNxOnly, mask, NO_MASK, protChange, PTE, withoutNx } from './masks.js';
import {
  call,
  choose,
  kernelFunction,
  lock,
  state,
  unlock,
  warn,
  type Body,
  type Kernel,
} from './request.js';
import { vmUnmapAliases } from './purge.js';

const LARGE = 21;
const LARGE_PAGES = 512;
const CPA_COLLAPSE = 0x10;
const RWX = Prot.present | Prot.writable | Prot.executable;
const ENOMEM = -12;
const EFAULT = -14;

/** Where a position lies: a virtual page, or a frame seen through the direct map. */
interface Position {
  readonly space: number;
  readonly page: number;
}

interface Change {
  /** Pages done; 0 on an error. */
  readonly pages: number;
  readonly changed: boolean;
  readonly error: number;
}

const protAt = (k: Kernel, at: Position): number | null => {
  const entry =
    at.space === Space.direct ? Memory.alias(k.memory(), at.page) : Memory.page(k.memory(), at.page);
  return entry === null ? (at.space === Space.direct ? unseenAlias(k.memory()) : null) : entry.prot;
};

const leafAt = function* (k: Kernel, at: Position, numpages: number): Body<number> {
  if (at.space === Space.virtual) {
    const entry = Memory.page(k.memory(), at.page);
    if (entry !== null && entry.shift >= 12) return entry.shift;
    return yield* choose('leaf', {
      pfn: -1,
      covered: numpages >= LARGE_PAGES && at.page % LARGE_PAGES === 0,
    });
  }
  const known = Memory.aliasLeaf(k.memory(), at.page);
  if (known !== 0) return known;
  const shift = yield* choose('leaf', {
    pfn: at.page,
    covered: numpages >= LARGE_PAGES && at.page % LARGE_PAGES === 0,
  });
  yield* state({ kind: 'leaf-known', page: at.page - (at.page % LARGE_PAGES), shift });
  return shift;
};

/** Nothing is mapped there for certain: a page of a known area, or of a pack whose area is gone, which shows no page and is not merely unknown. */
const isHole = (k: Kernel, { space, page }: Position): boolean => {
  if (space === Space.direct || Memory.page(k.memory(), page) !== null) return false;
  const area = Memory.areaAt(k.memory(), page);
  if (area === null) return Memory.packAt(k.memory(), page) !== null;
  return area.state === 'lazy' || Memory.page(k.memory(), area.start) !== null;
};

const differs = (prot: number | null, change: { set: number; clear: number }): boolean =>
  prot === null || Prot.change(prot, change.set, change.clear) !== prot;

/** The address that the call line shows for a position. */
const addressOf = (k: Kernel, at: Position): Address | undefined => {
  if (at.space === Space.virtual) return Address.of(at.page);
  const base = k.memory().directBase;
  return base === 0 || at.page < 0 ? undefined : Address.of(base + at.page);
};

interface Cpa {
  readonly space: number;
  readonly page: number;
  readonly numpages: number;
  readonly mask_set: Word;
  readonly mask_clr: Word;
  readonly primary: number;
  readonly [name: string]: number | Word | Address | undefined | string;
}

/** A large leaf is kept and changed as a whole (0), or has to be split (1). */
const shouldSplitLargePage = kernelFunction(
  '__should_split_large_page',
  function* (
    k: Kernel,
    a: {
      address: Address | undefined;
      space: number;
      page: number;
      numpages: number;
      mask_set: Word;
      mask_clr: Word;
      shift: number;
    },
  ) {
    const change = protChange(a.mask_set, a.mask_clr);
    const pages = 2 ** (a.shift - 12);
    const start = a.page - (a.page % pages);
    if (!differs(protAt(k, a), change)) return 0;
    if (start !== a.page || a.numpages < pages) return 1;
    yield* state({
      kind: 'permission',
      space: a.space,
      page: start,
      pages,
      set: change.set,
      clear: change.clear,
    });
    return 0;
  },
);

/** One large leaf becomes 512 smaller ones; needs a page table (−ENOMEM). */
const splitLargePage = kernelFunction(
  '__split_large_page',
  function* (_k: Kernel, a: { address: Address | undefined; space: number; page: number; shift: number }) {
    const pages = 2 ** (a.shift - 12);
    yield* state({
      kind: 'split',
      space: a.space,
      page: a.page - (a.page % pages),
      from: a.shift,
      to: a.shift - 9,
    });
    yield* state({ kind: 'tlb-flushed', page: 0, pages: 0, why: 'split' });
    return 0;
  },
);

/** One position: a 4K entry, a large leaf kept whole, or a split and another try. */
const changePageAttr = kernelFunction(
  '__change_page_attr',
  function* (k: Kernel, a: Cpa): Body<Change> {
    const change = protChange(a.mask_set, a.mask_clr);
    if (a.space === Space.direct && a.page < 0) return { pages: 1, changed: true, error: 0 };
    if (isHole(k, a)) return { pages: 0, changed: false, error: EFAULT };
    let shift = yield* leafAt(k, a, a.numpages);
    for (;;) {
      const prot = protAt(k, a);
      if (shift === 12) {
        const changed = differs(prot, change);
        if (changed)
          yield* state({
            kind: 'permission',
            space: a.space,
            page: a.page,
            pages: 1,
            set: change.set,
            clear: change.clear,
          });
        return { pages: 1, changed, error: 0 };
      }
      const large = { address: addressOf(k, a), space: a.space, page: a.page, shift };
      const changed = differs(prot, change);
      const split = yield* call(shouldSplitLargePage, {
        ...large,
        numpages: a.numpages,
        mask_set: a.mask_set,
        mask_clr: a.mask_clr,
      });
      const pages = 2 ** (shift - 12);
      if (split === 0) return { pages: Math.min(a.numpages, pages - (a.page % pages)), changed, error: 0 };
      // The page table is allocated without the lock: meanwhile another CPU may have split the leaf.
      yield* unlock('cpa_lock');
      const table = yield* choose('pageTable', {});
      yield* lock('cpa_lock');
      if (!table) return { pages: 0, changed: false, error: ENOMEM };
      const now =
        a.space === Space.direct
          ? Memory.aliasLeaf(k.memory(), a.page)
          : (Memory.page(k.memory(), a.page)?.shift ?? 0);
      if (now >= 12 && now < shift) {
        shift = now;
        continue;
      }
      yield* call(splitLargePage, large);
      shift -= 9;
    }
  },
  (result) => ({ ret: result.error }),
);

/** A frame that had only a name, or not even that, got its physical address; a large leaf's whole run with it. */
const identify = function* (k: Kernel, page: number, pfn: number): Body<undefined> {
  const entry = Memory.page(k.memory(), page);
  if (entry === null || entry.frame >= 0 || pfn < 0) return undefined;
  if (entry.frame === NO_FRAME) {
    const frame = k.nameFrames(1);
    yield* state({ kind: 'frames-named', frame, page, pages: 1 });
    yield* state({ kind: 'identified', frame, page: pfn, pages: 1 });
    return undefined;
  }
  // Frames behind a 2M leaf follow each other, also when the leaf has been split since.
  const pages = (entry.mark & LARGE_RUN) !== 0 ? LARGE_PAGES : 1;
  const back = page % pages;
  yield* state({ kind: 'identified', frame: entry.frame + back, page: pfn - back, pages });
  return undefined;
};

/** The same change in the direct map. */
const cpaProcessAlias = kernelFunction('cpa_process_alias', function* (k: Kernel, a: Cpa): Body<number> {
  let frame = Memory.page(k.memory(), a.page)?.frame ?? NO_FRAME;
  if (frame < 0) {
    const pfn = yield* choose('frame', { name: frame, page: a.page });
    yield* identify(k, a.page, pfn);
    if (pfn >= 0) frame = pfn;
  }
  const strip = k.profile.cpa.alias === 'strip-nx';
  const alias: Cpa = {
    space: Space.direct,
    page: frame,
    numpages: a.numpages,
    mask_set: strip ? withoutNx(a.mask_set) : a.mask_set,
    mask_clr: strip ? withoutNx(a.mask_clr) : a.mask_clr,
    primary: 0,
    pfn: frame >= 0 ? frame : undefined,
  };
  return (yield* call(changePageAttrSetClrInner, { ...alias, vaddr: addressOf(k, alias) })) as number;
});

/** Whether a change of this kind is looked at (6.1+): of writing or execution, where code can be. Its first page is told. */
const verifiesRwx = (k: Kernel, a: Cpa): boolean =>
  k.profile.cpa.warnsWx && a.space === Space.virtual && (protChange(a.mask_set, a.mask_clr).set & RWX) !== 0;

const isRwx = (prot: number | null): boolean => prot !== null && (prot & RWX) === RWX;

/** Change of a range, position by position; with `aliases`, each position's alias too. Returns the error. */
const changePageAttrSetClrInner = kernelFunction(
  '__change_page_attr_set_clr',
  function* (k: Kernel, a: Cpa): Body<number> {
    if (a.primary === 0 && Word.isZero(a.mask_set) && Word.isZero(a.mask_clr)) return 0;
    const aliases = a['aliases'] === 1;
    let done = 0;
    let verify = verifiesRwx(k, a);
    while (done < a.numpages) {
      const at = { ...a, page: a.page < 0 ? a.page : a.page + done, numpages: a.numpages - done };
      yield* lock('cpa_lock');
      const one = (yield* call(changePageAttr, at)) as Change;
      yield* unlock('cpa_lock');
      if (one.error !== 0) return one.error;
      if (verify && one.changed && isRwx(protAt(k, at))) {
        verify = false;
        yield* warn(`CPA detected W^X violation: ${Address.toText(Address.of(at.page))}`);
      }
      if (aliases) {
        const error = (yield* call(cpaProcessAlias, { ...at, numpages: one.pages })) as number;
        if (error !== 0) return error;
      }
      done += one.pages;
    }
    return 0;
  },
);

/** Merge of 512 small leaves (7.2): all present, same bits, consecutive aligned frames. Returns how many tables were merged. */
const collapseLargePages = kernelFunction(
  'collapse_large_pages',
  function* (k: Kernel, a: { addr: Address }): Body<number> {
    const start = a.addr.page;
    const node = PageTable.node(k.memory().virtual, start);
    if (node === undefined || node.count < LARGE_PAGES || node.shift[0] !== 12) return 0;
    const first = node.frame[0] as number;
    // Names count down while their frames go up; a run that was never identified is contiguous only by assumption.
    if (first < 0 || first % LARGE_PAGES !== 0) return 0;
    for (let i = 1; i < LARGE_PAGES; i++)
      if (node.shift[i] !== 12 || node.prot[i] !== node.prot[0] || node.frame[i] !== first + i) return 0;
    yield* state({ kind: 'collapsed', space: Space.virtual, page: start, from: 12, to: LARGE });
    yield* state({ kind: 'tlb-flushed', page: 0, pages: 0, why: 'collapse' });
    return 1;
  },
);

const cpaFlush = kernelFunction(
  'cpa_flush',
  function* (
    k: Kernel,
    a: {
      vaddr: Address;
      page: number;
      numpages: number;
      mask_set: Word;
      mask_clr: Word;
      curpage: number;
      pfn: number | undefined;
      collapse: number;
    },
  ): Body<undefined> {
    yield* state({
      kind: 'tlb-flushed',
      page: a.page,
      pages:
        k.profile.cpa.alias === 'not-nx-only' &&
        a.numpages <= 33 &&
        a.mask_clr.lo === 0 &&
        a.mask_set.lo === 0
          ? a.numpages
          : 0,
      why: 'cpa',
    });
    if (a.collapse === 1) {
      const end = a.page + a.numpages;
      for (let page = a.page - (a.page % LARGE_PAGES); page < end; page += LARGE_PAGES)
        yield* call(collapseLargePages, { addr: Address.of(page) });
    }
    return undefined;
  },
);

/** Frame of the last position changed, as cpa_flush shows it: of the page, or of the first page of its large leaf's part. */
const lastPfn = (k: Kernel, page: number, numpages: number): number | undefined => {
  const last = Memory.page(k.memory(), page + numpages - 1);
  if (last === null || last.frame < 0) return undefined;
  if (last.shift !== LARGE) return last.frame;
  return Math.max(last.frame - ((page + numpages - 1) % LARGE_PAGES), last.frame - numpages + 1);
};

export const changePageAttrSetClr = kernelFunction(
  'change_page_attr_set_clr',
  function* (
    k: Kernel,
    a: { vaddr: Address; numpages: number; mask_set: Word; mask_clr: Word; in_flag: number },
  ): Body<number> {
    const page = a.vaddr.page;
    const change = protChange(a.mask_set, a.mask_clr);
    yield* call(vmUnmapAliases, {
      start: Address.fromWords(0xffffffff, 0xffffffff),
      end: Address.zero,
      flush: 0,
    });
    let changed = false;
    for (let i = 0; i < a.numpages && !changed; i++)
      changed = differs(Memory.page(k.memory(), page + i)?.prot ?? null, change);
    const aliases = k.profile.cpa.alias === 'strip-nx' || !isNxOnly(a.mask_set, a.mask_clr);
    const strip = k.profile.cpa.alias === 'strip-nx';
    const error = (yield* call(changePageAttrSetClrInner, {
      space: Space.virtual,
      page,
      vaddr: a.vaddr,
      numpages: a.numpages,
      mask_set: a.mask_set,
      mask_clr: a.mask_clr,
      // Named checkalias to 6.1, primary since 6.2: the same position, another meaning.
      primary: strip ? 1 : aliases ? 1 : 0,
      aliases: aliases ? 1 : 0,
      pfn: 0,
    })) as number;
    if (error !== 0) {
      yield* state({ kind: 'tlb-flushed', page: 0, pages: 0, why: 'cpa' });
      return error;
    }
    if (!changed) return 0;
    // The flush shows the frame of the last position: for a page that is never made read-only the only sight of it.
    const last = page + a.numpages - 1;
    const name = Memory.page(k.memory(), last)?.frame ?? NO_FRAME;
    if (name < NO_FRAME && Memory.page(k.memory(), last)?.shift === 12)
      yield* identify(k, last, yield* choose('frame', { name, page: last }));
    yield* call(cpaFlush, {
      vaddr: a.vaddr,
      page,
      numpages: a.numpages,
      mask_set: a.mask_set,
      mask_clr: a.mask_clr,
      curpage: a.numpages,
      pfn: lastPfn(k, page, a.numpages),
      collapse: a.in_flag & CPA_COLLAPSE ? 1 : 0,
    });
    return 0;
  },
);

const writeBits = (k: Kernel): number => PTE.rw | (k.profile.cpa.clearsDirty ? PTE.dirty : 0);

/** Masks of each call. */
const masksOf = (k: Kernel, action: SetMemoryAction): { set: Word; clr: Word; flag?: number } => {
  switch (action) {
    case 'ro':
      return { set: NO_MASK, clr: mask(writeBits(k)) };
    case 'rw':
      return { set: mask(PTE.rw), clr: NO_MASK };
    case 'x':
      return { set: NO_MASK, clr: mask(0, true) };
    case 'nx':
      return { set: mask(0, true), clr: NO_MASK };
    case 'rox':
      return {
        set: NO_MASK,
        clr: mask(writeBits(k), true),
        flag: k.profile.cpa.collapse ? CPA_COLLAPSE : 0,
      };
    case 'np':
      return { set: NO_MASK, clr: mask(PTE.present) };
  }
};

/** set_memory_* of x86. */
export const cpaSetMemory = function* (k: Kernel, action: SetMemoryAction, a: SetMemoryRange): Body<number> {
  const { set, clr, flag } = masksOf(k, action);
  return (yield* call(changePageAttrSetClr, {
    vaddr: a.addr,
    numpages: a.numpages,
    mask_set: set,
    mask_clr: clr,
    in_flag: flag ?? 0,
  })) as number;
};

/** set_direct_map_invalid_noflush and set_direct_map_default_noflush of x86: one page of the direct map, no flush. */
export const cpaSetDirectMap = function* (
  k: Kernel,
  action: 'invalid' | 'default',
  { pfn }: DirectMapPage,
): Body<number> {
  const invalid = action === 'invalid';
  const at = { space: Space.direct, page: pfn };
  return (yield* call(changePageAttrSetClrInner, {
    ...at,
    vaddr: addressOf(k, at),
    numpages: 1,
    mask_set: invalid ? NO_MASK : mask(PTE.present | PTE.rw),
    mask_clr: invalid
      ? mask(PTE.present | PTE.rw | (k.profile.cpa.invalidClearsDirty ? PTE.dirty : 0))
      : NO_MASK,
    primary: k.profile.cpa.alias === 'strip-nx' ? 1 : 0,
    pfn: 0,
  })) as number;
};
