/**
 * What differs between two memories, as a value that can be applied and turned round: applying the diff of a and b to a gives b. Costs what differs:
 * nodes and leaves that two memories share are not looked at.
 */
import { BLOCKS_PER_PAGE, ContentClass, PageContent, BLOCK } from '../core/memory/content.js';
import {
  frameKey,
  frameOfKey,
  lazyOf,
  NO_FRAME,
  type Area,
  type KernelSymbol,
  type Memory,
  type Pack,
  type Program,
} from '../core/memory/memory.js';
import { NODE_PAGES, PageTable, type PageEntry, type PageNode } from '../core/memory/pageTable.js';
import { SparseMap } from '../core/memory/sparse.js';
import { Address } from '../core/value/address.js';
import { Word } from '../core/value/words.js';

/** What differs in one kind of thing, by its key. */
export interface EntityDiff<V> {
  readonly added: ReadonlyMap<number, V>;
  readonly removed: ReadonlyMap<number, V>;
  readonly changed: ReadonlyMap<number, readonly [from: V, to: V]>;
}

/** Values of memory that are there once. */
const SINGLE = [
  'seq',
  'time',
  'lowestName',
  'counters',
  'charged',
  'limit',
  'unknown',
  'directBase',
  'vmemmap',
  'lost',
  'lostAt',
] as const;
type SingleKey = (typeof SINGLE)[number];
export type SingleDiff = { readonly [K in SingleKey]?: readonly [from: Memory[K], to: Memory[K]] };

export interface MemoryDiff {
  /** By virtual page. */
  readonly pages: EntityDiff<PageEntry>;
  /** Direct map, by pfn. */
  readonly direct: EntityDiff<PageEntry>;
  /** Leaf size of regions of the direct map, by first pfn. */
  readonly leaves: EntityDiff<number>;
  /** By frame: pfn, or name below 0. */
  readonly content: EntityDiff<PageContent>;
  /** Virtual page of a frame without address, by minus its name. */
  readonly names: EntityDiff<number>;
  /** By first page. */
  readonly areas: EntityDiff<Area>;
  /** By first page. */
  readonly packs: EntityDiff<Pack>;
  /** First pages of the packs in the order of the list, where that differs. */
  readonly packOrder: readonly [from: readonly number[], to: readonly number[]] | null;
  /** By number. */
  readonly programs: EntityDiff<Program>;
  /** Numbers of programs, by the page of their chunk and of their struct bpf_prog. */
  readonly byChunk: EntityDiff<readonly number[]>;
  readonly byPointer: EntityDiff<readonly number[]>;
  /** By the page they begin in. */
  readonly symbols: EntityDiff<readonly KernelSymbol[]>;
  readonly single: SingleDiff;
}

type Equal<V> = (a: V, b: V) => boolean;

interface Gathering<V> {
  readonly added: Map<number, V>;
  readonly removed: Map<number, V>;
  readonly changed: Map<number, readonly [V, V]>;
}

const gathering = <V>(): Gathering<V> => ({ added: new Map(), removed: new Map(), changed: new Map() });

const note = <V>(
  into: Gathering<V>,
  key: number,
  from: V | undefined | null,
  to: V | undefined | null,
  equal: Equal<V>,
): void => {
  const before = from ?? null;
  const after = to ?? null;
  if (before === null && after === null) return;
  if (before === null) into.added.set(key, after as V);
  else if (after === null) into.removed.set(key, before);
  else if (!equal(before, after)) into.changed.set(key, [before, after]);
};

const sameEntry: Equal<PageEntry> = (a, b) =>
  a.prot === b.prot && a.shift === b.shift && a.frame === b.frame && a.cause === b.cause && a.mark === b.mark;

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

const holdsNone = (frames: Float64Array | null): boolean =>
  frames === null || frames.every((frame) => frame === NO_FRAME);

/** An area that holds no frame may have a list of none. */
const sameFrames = (a: Float64Array | null, b: Float64Array | null): boolean =>
  a === b || (a !== null && b !== null && sameNumbers(a, b)) || (holdsNone(a) && holdsNone(b));

const sameArea: Equal<Area> = (a, b) =>
  a.start === b.start &&
  a.pages === b.pages &&
  a.flags === b.flags &&
  a.caller === b.caller &&
  a.state === b.state &&
  a.since === b.since &&
  sameFrames(a.frames, b.frames);

const samePack: Equal<Pack> = (a, b) =>
  a.bytes === b.bytes && a.partial === b.partial && a.dirty === b.dirty && sameNumbers(a.used, b.used);

const sameAddress = (a: Address | null, b: Address | null): boolean =>
  a === b || (a !== null && b !== null && Address.equals(a, b));

const sameProgram: Equal<Program> = (a, b) =>
  Word.equals(a.pointer, b.pointer) &&
  Address.equals(a.chunk, b.chunk) &&
  a.bytes === b.bytes &&
  a.proglen === b.proglen &&
  a.type === b.type &&
  sameAddress(a.start, b.start) &&
  a.length === b.length &&
  (a.name ?? '') === (b.name ?? '') &&
  a.id === b.id &&
  a.symbols === b.symbols &&
  a.state === b.state;

export const sameSymbol: Equal<KernelSymbol> = (a, b) =>
  Address.equals(a.start, b.start) &&
  Address.equals(a.end, b.end) &&
  a.name === b.name &&
  Word.equals(a.ksym, b.ksym) &&
  a.program === b.program;

const sameSymbols: Equal<readonly KernelSymbol[]> = (a, b) =>
  a.length === b.length && a.every((symbol, i) => sameSymbol(symbol, b[i] as KernelSymbol));

const sameBytes = (a: PageContent, b: PageContent, block: number): boolean => {
  if (a.bytes === null || b.bytes === null) return a.bytes === b.bytes;
  const from = block * BLOCK;
  return sameNumbers(a.bytes.subarray(from, from + BLOCK), b.bytes.subarray(from, from + BLOCK));
};

const sameBlock = (a: PageContent, b: PageContent, block: number): boolean => {
  const cls = PageContent.classAt(a, block);
  return (
    cls === PageContent.classAt(b, block) &&
    PageContent.refAt(a, block) === PageContent.refAt(b, block) &&
    (cls !== ContentClass.bytes || sameBytes(a, b, block))
  );
};

const sameContent: Equal<PageContent> = (a, b) => {
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) if (!sameBlock(a, b, block)) return false;
  const seen = [...(a.seen ?? [])];
  const other = [...(b.seen ?? [])];
  return (
    seen.length === other.length &&
    seen.every(([offset, value], i) => offset === other[i]?.[0] && value === other[i]?.[1])
  );
};

const same = <V>(a: V, b: V): boolean => a === b;

const sameJson = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

const sparseDiff = <V>(
  a: SparseMap<V>,
  b: SparseMap<V>,
  equal: Equal<V>,
  keyOf: (key: number) => number = (key) => key,
): EntityDiff<V> => {
  const diff = gathering<V>();
  for (const [key, from, to] of SparseMap.changes(a, b)) note(diff, keyOf(key), from, to, equal);
  return diff;
};

const entryAt = (node: PageNode | undefined, slot: number): PageEntry | null =>
  node === undefined || node.shift[slot] === 0
    ? null
    : {
        prot: node.prot[slot] as number,
        shift: node.shift[slot] as number,
        frame: node.frame[slot] as number,
        cause: node.cause[slot] as number,
        mark: node.mark[slot] as number,
      };

/** Whether two nodes say the same of a slot: cheaper than making both entries. */
const sameSlot = (a: PageNode | undefined, b: PageNode | undefined, slot: number): boolean => {
  const from = a?.shift[slot] ?? 0;
  if (from !== (b?.shift[slot] ?? 0)) return false;
  return (
    from === 0 ||
    (a?.prot[slot] === b?.prot[slot] &&
      a?.frame[slot] === b?.frame[slot] &&
      a?.cause[slot] === b?.cause[slot] &&
      a?.mark[slot] === b?.mark[slot])
  );
};

const tableDiff = (a: PageTable, b: PageTable) => {
  const entries = gathering<PageEntry>();
  const leaves = gathering<number>();
  for (const [first, from, to] of PageTable.changedNodes(a, b)) {
    for (let slot = 0; slot < NODE_PAGES; slot++)
      if (!sameSlot(from, to, slot))
        note(entries, first + slot, entryAt(from, slot), entryAt(to, slot), sameEntry);
    note(leaves, first, from?.leaf || null, to?.leaf || null, same);
  }
  return { entries, leaves };
};

export const packDiff = (a: Memory, b: Memory): EntityDiff<Pack> => {
  const diff = gathering<Pack>();
  const before = new Map(a.packs.map((pack) => [pack.start, pack]));
  const after = new Map(b.packs.map((pack) => [pack.start, pack]));
  for (const start of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(start), after.get(start)];
    if (from !== to) note(diff, start, from, to, samePack);
  }
  return diff;
};

const orderOf = (memory: Memory): readonly number[] => memory.packs.map(({ start }) => start);

const singleDiff = (a: Memory, b: Memory): SingleDiff =>
  Object.fromEntries(SINGLE.filter((key) => !sameJson(a[key], b[key])).map((key) => [key, [a[key], b[key]]]));

export const diffStates = (a: Memory, b: Memory): MemoryDiff => {
  const virtual = tableDiff(a.virtual, b.virtual);
  const direct = tableDiff(a.direct, b.direct);
  const [from, to] = [orderOf(a), orderOf(b)];
  return {
    pages: virtual.entries,
    direct: direct.entries,
    leaves: direct.leaves,
    content: sparseDiff(a.content, b.content, sameContent, frameOfKey),
    names: sparseDiff(a.names, b.names, same),
    areas: sparseDiff(a.areas, b.areas, sameArea),
    packs: packDiff(a, b),
    packOrder: sameNumbers(from, to) ? null : [from, to],
    programs: sparseDiff(a.programs, b.programs, sameProgram),
    byChunk: sparseDiff(a.programsByChunk, b.programsByChunk, sameNumbers),
    byPointer: sparseDiff(a.programsByPointer, b.programsByPointer, sameNumbers),
    symbols: sparseDiff(a.symbols, b.symbols, sameSymbols),
    single: singleDiff(a, b),
  };
};

const reverseEntity = <V>({ added, removed, changed }: EntityDiff<V>): EntityDiff<V> => ({
  added: removed,
  removed: added,
  changed: new Map(Array.from(changed, ([key, [from, to]]) => [key, [to, from]])),
});

/** The diff the other way round. */
export const reverseDiff = (diff: MemoryDiff): MemoryDiff => ({
  pages: reverseEntity(diff.pages),
  direct: reverseEntity(diff.direct),
  leaves: reverseEntity(diff.leaves),
  content: reverseEntity(diff.content),
  names: reverseEntity(diff.names),
  areas: reverseEntity(diff.areas),
  packs: reverseEntity(diff.packs),
  packOrder: diff.packOrder === null ? null : [diff.packOrder[1], diff.packOrder[0]],
  programs: reverseEntity(diff.programs),
  byChunk: reverseEntity(diff.byChunk),
  byPointer: reverseEntity(diff.byPointer),
  symbols: reverseEntity(diff.symbols),
  single: Object.fromEntries(Object.entries(diff.single).map(([key, [from, to]]) => [key, [to, from]])),
});

/** Keys and what they are to be afterwards; undefined: gone. */
function* outcomes<V>({ added, removed, changed }: EntityDiff<V>): Generator<[number, V | undefined]> {
  for (const key of removed.keys()) yield [key, undefined];
  for (const [key, value] of added) yield [key, value];
  for (const [key, [, to]] of changed) yield [key, to];
}

const applySparse = <V>(
  map: SparseMap<V>,
  token: object,
  diff: EntityDiff<V>,
  keyOf: (key: number) => number = (key) => key,
): SparseMap<V> => {
  let result = map;
  for (const [key, value] of outcomes(diff)) result = SparseMap.set(result, token, keyOf(key), value);
  return result;
};

const applyTable = (
  table: PageTable,
  token: object,
  entries: EntityDiff<PageEntry>,
  leaves: EntityDiff<number> | null,
): PageTable => {
  const own = PageTable.own(table, token);
  for (const [page, entry] of outcomes(entries)) {
    const node = PageTable.writable(own, token, page, true) as PageNode;
    const slot = page % NODE_PAGES;
    node.count += (entry === undefined ? 0 : 1) - (node.shift[slot] === 0 ? 0 : 1);
    node.shift[slot] = entry?.shift ?? 0;
    node.prot[slot] = entry?.prot ?? 0;
    node.frame[slot] = entry?.frame ?? -1;
    node.cause[slot] = entry?.cause ?? 0;
    node.mark[slot] = entry?.mark ?? 0;
  }
  if (leaves !== null)
    for (const [page, leaf] of outcomes(leaves))
      (PageTable.writable(own, token, page, true) as PageNode).leaf = leaf ?? 0;
  return own;
};

const applyPacks = (memory: Memory, { packs, packOrder }: MemoryDiff): readonly Pack[] => {
  const after = new Map(memory.packs.map((pack) => [pack.start, pack]));
  for (const [start, pack] of outcomes(packs)) {
    if (pack === undefined) after.delete(start);
    else after.set(start, pack);
  }
  const order = packOrder?.[1] ?? orderOf(memory);
  return order.map((start) => after.get(start)).filter((pack) => pack !== undefined);
};

/** The memory that differs from `memory` by this diff: `applyDiff(diffStates(a, b), a)` equals b. */
export const applyDiff = (diff: MemoryDiff, memory: Memory): Memory => {
  const token = {};
  const areas = applySparse(memory.areas, token, diff.areas);
  return {
    ...memory,
    ...Object.fromEntries(Object.entries(diff.single).map(([key, [, to]]) => [key, to])),
    owner: null,
    virtual: applyTable(memory.virtual, token, diff.pages, null),
    direct: applyTable(memory.direct, token, diff.direct, diff.leaves),
    content: applySparse(memory.content, token, diff.content, frameKey),
    names: applySparse(memory.names, token, diff.names),
    areas,
    lazy: lazyOf(areas, null),
    packs: applyPacks(memory, diff),
    programs: applySparse(memory.programs, token, diff.programs),
    programsByChunk: applySparse(memory.programsByChunk, token, diff.byChunk),
    programsByPointer: applySparse(memory.programsByPointer, token, diff.byPointer),
    symbols: applySparse(memory.symbols, token, diff.symbols),
  };
};

const isEmptyEntity = ({ added, removed, changed }: EntityDiff<unknown>): boolean =>
  added.size + removed.size + changed.size === 0;

/** True where nothing differs but the moment. */
export const isEmptyDiff = (diff: MemoryDiff): boolean =>
  [
    diff.pages,
    diff.direct,
    diff.leaves,
    diff.content,
    diff.names,
    diff.areas,
    diff.packs,
    diff.programs,
    diff.symbols,
  ].every(isEmptyEntity) &&
  diff.packOrder === null &&
  Object.keys(diff.single).every((key) => key === 'seq' || key === 'time');
