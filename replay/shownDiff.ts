/** The diff of two memories as people and programs are shown it: ranges, chunks and programs; without causes, which are no state. */
import { BLOCK, BLOCKS_PER_PAGE, CONTENT_CLASSES, PageContent } from '../core/memory/content.js';
import { CHUNK } from '../core/memory/evolvePacks.js';
import { Memory, NO_FRAME, type KernelSymbol, type Pack } from '../core/memory/memory.js';
import type { PageEntry } from '../core/memory/pageTable.js';
import { SparseMap } from '../core/memory/sparse.js';
import { Address, pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';
import { diffStates, sameSymbol, type EntityDiff, type MemoryDiff } from './diffStates.js';
import { packs, type ShownPack } from './packs.js';
import { programs, type ShownProgram } from './programs.js';
import { sizeOf } from './ranges.js';
import { shownArea, type ShownArea } from './state.js';
import { unknownRanges, type UnknownRange } from './unknown.js';

/** What is shown of a page. */
export interface ShownPage {
  readonly page_size: number | null;
  readonly prot: string;
  readonly phys: string | null;
  /** Of the direct map: the virtual address it backs. */
  readonly backs?: string | null;
}

/** Pages that changed in the same way. `start` of a direct-map range is its physical address. */
export interface ChangedRange {
  readonly start: string;
  readonly end: string;
  /** Null: there was nothing. */
  readonly from: ShownPage | null;
  /** Null: there is nothing any more. */
  readonly to: ShownPage | null;
}

export interface ChunkRange {
  readonly start: string;
  readonly bytes: number;
}

export interface ChangedPack {
  readonly start: string;
  readonly from: ShownPack | null;
  readonly to: ShownPack | null;
  readonly taken: readonly ChunkRange[];
  readonly freed: readonly ChunkRange[];
}

/** Bytes of virtual memory whose content became another. */
export interface ChangedContent {
  readonly start: string;
  readonly bytes: number;
  readonly from: string;
  readonly to: string;
}

export interface ShownSymbol {
  readonly start: string;
  readonly end: string;
  readonly name: string;
}

export interface Changed<T> {
  readonly from: T | null;
  readonly to: T | null;
}

export interface ShownDiff {
  /** How many entries all lists have together. */
  readonly differences: number;
  readonly mappings: readonly ChangedRange[];
  readonly direct_map: readonly ChangedRange[];
  readonly areas: readonly Changed<ShownArea>[];
  readonly packs: readonly ChangedPack[];
  readonly programs: readonly Changed<ShownProgram>[];
  readonly symbols: { readonly added: readonly ShownSymbol[]; readonly removed: readonly ShownSymbol[] };
  readonly content: readonly ChangedContent[];
  readonly unknown: { readonly added: readonly UnknownRange[]; readonly removed: readonly UnknownRange[] };
  /** Counters and single values by name. */
  readonly counters: Readonly<Record<string, readonly [from: number | null, to: number | null]>>;
}

export interface ShownDiffOptions {
  /** Physical addresses count: true for two moments of one trace, false for those of two (another boot, other frames). */
  readonly physical?: boolean;
}

/** What became of each key: [before, after], null where there is nothing. In the order of the keys. */
const pairsOf = <V>({
  added,
  removed,
  changed,
}: EntityDiff<V>): readonly (readonly [key: number, from: V | null, to: V | null])[] =>
  [
    ...Array.from(added, ([key, value]) => [key, null, value] as const),
    ...Array.from(removed, ([key, value]) => [key, value, null] as const),
    ...Array.from(changed, ([key, [from, to]]) => [key, from, to] as const),
  ].sort(([a], [b]) => a - b);

interface Run {
  readonly page: number;
  pages: number;
  readonly from: PageEntry | null;
  readonly to: PageEntry | null;
}

interface Look {
  readonly direct: boolean;
  readonly physical: boolean;
}

/** Frame (or page backed) as far as it is shown. */
const frameOf = (entry: PageEntry, look: Look): number =>
  look.direct || look.physical ? Math.max(entry.frame, NO_FRAME) : NO_FRAME;

/** Whether `b`, `pages` pages after `a`, looks as the continuation of `a` (pages 0: as the same page). */
const alike = (a: PageEntry | null, b: PageEntry | null, pages: number, look: Look): boolean => {
  if (a === null || b === null) return a === b;
  const frame = frameOf(a, look);
  return (
    a.shift === b.shift &&
    Prot.toText(a.prot) === Prot.toText(b.prot) &&
    frameOf(b, look) === (frame < 0 ? NO_FRAME : frame + pages)
  );
};

const shownPage = (page: number, entry: PageEntry | null, look: Look): ShownPage | null => {
  if (entry === null) return null;
  const frame = frameOf(entry, look);
  const common = { page_size: sizeOf(entry.shift), prot: Prot.toText(entry.prot) };
  const text = frame < 0 ? null : pageText(frame);
  return look.direct ? { ...common, phys: pageText(page), backs: text } : { ...common, phys: text };
};

/** Runs of pages that changed in the same way. */
export const changedRanges = (diff: EntityDiff<PageEntry>, look: Look): readonly ChangedRange[] => {
  const runs: Run[] = [];
  for (const [page, from, to] of pairsOf(diff)) {
    if (alike(from, to, 0, look)) continue;
    const last = runs.at(-1);
    if (
      last !== undefined &&
      last.page + last.pages === page &&
      alike(last.from, from, last.pages, look) &&
      alike(last.to, to, last.pages, look)
    )
      last.pages++;
    else runs.push({ page, pages: 1, from, to });
  }
  return runs.map(({ page, pages, from, to }) => ({
    start: pageText(page),
    end: pageText(page + pages),
    from: shownPage(page, from, look),
    to: shownPage(page, to, look),
  }));
};

const isUsed = (pack: Pack | null, chunk: number): boolean =>
  pack !== null &&
  chunk < pack.bytes / CHUNK &&
  ((pack.used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0;

/** Chunks that are taken in `to` and not in `from`, as ranges. */
const takenChunks = (from: Pack | null, to: Pack | null): readonly ChunkRange[] => {
  if (to === null) return [];
  const ranges: ChunkRange[] = [];
  const isNew = (chunk: number): boolean => isUsed(to, chunk) && !isUsed(from, chunk);
  for (let chunk = 0; chunk < to.bytes / CHUNK; chunk++) {
    if (!isNew(chunk)) continue;
    const first = chunk;
    while (isNew(chunk)) chunk++;
    const start = Address.add(Address.of(to.start), first * CHUNK);
    ranges.push({ start: Address.toText(start), bytes: (chunk - first) * CHUNK });
  }
  return ranges;
};

const packsByStart = (memory: Memory): ReadonlyMap<string, ShownPack> =>
  new Map(packs(memory).map((pack) => [pack.start, pack]));

const changedPacks = (a: Memory, b: Memory, diff: EntityDiff<Pack>): readonly ChangedPack[] => {
  const pairs = pairsOf(diff);
  if (pairs.length === 0) return [];
  const [before, after] = [packsByStart(a), packsByStart(b)];
  return pairs.map(([page, from, to]) => {
    const start = pageText(page);
    return {
      start,
      from: before.get(start) ?? null,
      to: after.get(start) ?? null,
      taken: takenChunks(from, to),
      freed: takenChunks(to, from),
    };
  });
};

const sameShown = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What a program is, whatever number the trace gave it. */
const identityOf = ({ chunk, start, tag }: ShownProgram): string => `${chunk ?? start} ${tag ?? ''}`;

/** Programs by what they are, not by the number a trace gave them. */
const changedPrograms = (a: Memory, b: Memory, diff: MemoryDiff): readonly Changed<ShownProgram>[] => {
  const { programs: own, symbols } = diff;
  const parts = [own.added, own.removed, own.changed, symbols.added, symbols.removed, symbols.changed];
  if (parts.every(({ size }) => size === 0)) return [];
  const before = new Map(programs(a).map((program) => [identityOf(program), program]));
  const list: Changed<ShownProgram>[] = [];
  for (const program of programs(b)) {
    const from = before.get(identityOf(program)) ?? null;
    before.delete(identityOf(program));
    if (from === null || !sameShown(from, program)) list.push({ from, to: program });
  }
  // A program that was only allocated had no tag yet.
  for (const from of before.values()) {
    const at = list.findIndex(
      ({ from: known, to }) => known === null && to?.chunk === from.chunk && from.tag === null,
    );
    const later = at < 0 ? undefined : list[at];
    if (later === undefined) list.push({ from, to: null });
    else list[at] = { from, to: later.to };
  }
  return list;
};

const shownSymbol = ({ start, end, name }: KernelSymbol): ShownSymbol => ({
  start: Address.toText(start),
  end: Address.toText(end),
  name,
});

const without = (
  list: readonly KernelSymbol[] | null,
  other: readonly KernelSymbol[] | null,
): readonly ShownSymbol[] =>
  (list ?? []).filter((symbol) => !(other ?? []).some((o) => sameSymbol(symbol, o))).map(shownSymbol);

const symbolTexts = (list: readonly ShownSymbol[]): ReadonlySet<string> =>
  new Set(list.map((symbol) => JSON.stringify(symbol)));

const changedSymbols = (diff: EntityDiff<readonly KernelSymbol[]>): ShownDiff['symbols'] => {
  const pairs = pairsOf(diff);
  const added = pairs.flatMap(([, from, to]) => without(to, from));
  const removed = pairs.flatMap(([, from, to]) => without(from, to));
  const [before, after] = [symbolTexts(removed), symbolTexts(added)];
  return {
    added: added.filter((symbol) => !before.has(JSON.stringify(symbol))),
    removed: removed.filter((symbol) => !after.has(JSON.stringify(symbol))),
  };
};

/** What lies in a block, in a word; a program that is gone leaves a leftover. */
const classText = (memory: Memory, content: PageContent | null, block: number): string => {
  if (content === null) return 'unknown';
  const name = CONTENT_CLASSES[PageContent.classAt(content, block)] ?? 'unknown';
  if (name !== 'program') return name;
  return Memory.program(memory, PageContent.refAt(content, block)) === null ? 'leftover' : 'program';
};

/** Virtual page at which a frame is mapped; null: nowhere. */
const pageOf = (memory: Memory, frame: number): number | null => {
  const page = frame < 0 ? SparseMap.get(memory.names, -frame) : Memory.alias(memory, frame)?.frame;
  return page === undefined || page < 0 || Memory.page(memory, page)?.frame !== frame ? null : page;
};

/** Pages of the later memory in which something may lie that did not lie there before. */
const touchedPages = (b: Memory, diff: MemoryDiff): ReadonlySet<number> => {
  const pages = new Set<number>();
  for (const part of [diff.content.added, diff.content.changed])
    for (const frame of part.keys()) {
      const page = pageOf(b, frame);
      if (page !== null) pages.add(page);
    }
  for (const page of diff.pages.added.keys()) pages.add(page);
  for (const [page, [from, to]] of diff.pages.changed) if (from.frame !== to.frame) pages.add(page);
  // Programs that went turn what they wrote into leftovers.
  for (const { chunk, bytes } of diff.programs.removed.values()) {
    const last = Address.add(chunk, bytes - 1).page;
    for (let page: number = chunk.page; page <= last; page++) pages.add(page);
  }
  return pages;
};

const contentAt = (memory: Memory, page: number): PageContent | null => {
  const entry = Memory.page(memory, page);
  return entry === null ? null : Memory.contentOf(memory, entry.frame);
};

/** Virtual memory in which something of another kind lies than before. Pages that are not mapped any more are left out. */
export const changedContent = (a: Memory, b: Memory, diff: MemoryDiff): readonly ChangedContent[] => {
  const ranges: { start: Address; bytes: number; from: string; to: string }[] = [];
  for (const page of [...touchedPages(b, diff)].sort((x, y) => x - y)) {
    const after = contentAt(b, page);
    if (after === null) continue;
    const isNew = Memory.page(a, page) === null;
    const before = contentAt(a, page);
    if (before === after && diff.programs.removed.size === 0) continue;
    for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
      const from = isNew ? 'not mapped' : classText(a, before, block);
      const to = classText(b, after, block);
      if (from === to) continue;
      const at = Address.of(page, block * BLOCK);
      const last = ranges.at(-1);
      if (
        last !== undefined &&
        last.from === from &&
        last.to === to &&
        Address.minus(at, last.start) === last.bytes
      )
        last.bytes += BLOCK;
      else ranges.push({ start: at, bytes: BLOCK, from, to });
    }
  }
  return ranges.map(({ start, bytes, from, to }) => ({ start: Address.toText(start), bytes, from, to }));
};

const missingIn = (other: readonly UnknownRange[], list: readonly UnknownRange[]): readonly UnknownRange[] =>
  list.filter((range) => !other.some((o) => sameShown(range, o)));

const changedUnknown = (a: Memory, b: Memory): ShownDiff['unknown'] => {
  const [before, after] = [unknownRanges(a), unknownRanges(b)];
  return { added: missingIn(before, after), removed: missingIn(after, before) };
};

const SPLITS = /^direct_map_/;

const singleValues = ({ counters, charged, limit }: Memory): Readonly<Record<string, number | null>> => ({
  direct_map_level2_splits: counters.level2Splits,
  direct_map_level3_splits: counters.level3Splits,
  direct_map_level2_collapses: counters.level2Collapses,
  direct_map_level3_collapses: counters.level3Collapses,
  jit_charged: charged,
  jit_limit: limit,
});

const changedCounters = (a: Memory, b: Memory): ShownDiff['counters'] => {
  const [before, after] = [singleValues(a), singleValues(b)];
  return Object.fromEntries(
    Object.keys(before)
      // What was lost may have been splits: the counters then prove nothing.
      .filter((name) => before[name] !== after[name] && !(SPLITS.test(name) && a.lost + b.lost > 0))
      .map((name) => [name, [before[name] ?? null, after[name] ?? null]]),
  );
};

/** What differs from memory `a` to memory `b`, as shown. */
export const shownDiff = (a: Memory, b: Memory, { physical = true }: ShownDiffOptions = {}): ShownDiff => {
  const diff = diffStates(a, b);
  const lists = {
    mappings: changedRanges(diff.pages, { direct: false, physical }),
    direct_map: physical ? changedRanges(diff.direct, { direct: true, physical }) : [],
    areas: pairsOf(diff.areas)
      .map(([, from, to]) => ({
        from: from === null ? null : shownArea(from),
        to: to === null ? null : shownArea(to),
      }))
      .filter(({ from, to }) => from === null || to === null || !sameShown(from, to)),
    packs: changedPacks(a, b, diff.packs),
    programs: changedPrograms(a, b, diff),
    symbols: changedSymbols(diff.symbols),
    content: changedContent(a, b, diff),
    unknown: changedUnknown(a, b),
    counters: changedCounters(a, b),
  };
  const { symbols, unknown, counters, ...plain } = lists;
  const differences =
    Object.values(plain).reduce((sum, list) => sum + list.length, 0) +
    symbols.added.length +
    symbols.removed.length +
    unknown.added.length +
    unknown.removed.length +
    Object.keys(counters).length;
  return { differences, ...lists };
};
