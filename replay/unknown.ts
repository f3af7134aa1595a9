import { Space } from '../core/event/pages.js';
import { Memory } from '../core/memory/memory.js';
import { NODE_PAGES, PageTable, type PageNode } from '../core/memory/pageTable.js';
import { Address, PAGE_SIZE, pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';
import { whole } from '../core/value/whole.js';
import { isWhole, knownPrograms, programs, type KnownPrograms, type ShownProgram } from './programs.js';
import { hasGuard, shownRuns, type PageRun } from './ranges.js';

/** Pages of which something that matters is not known. */
export interface UnknownRange {
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  readonly why: string;
}

const MATTERS = Prot.unknown(Prot.present | Prot.writable | Prot.executable);
const NEVER_WHOLE = 'only a change of its permission was seen';
const NEVER_SEEN = 'programs lie here, but how it is mapped was never seen';
const NO_MEMORY = 'a program older than the recording: only its symbol is known';
const NO_ENTRY = 'memory of a program: where its code begins in it is not known yet';
const NO_ENTRY_GIVEN =
  'memory of a program older than the recording: where its code begins in it is not known';
const NO_BASE = 'direct map: where it begins is not known';

interface Run {
  readonly page: number;
  pages: number;
  readonly why: string;
}

/** Adds a page to the last run, or begins one. Pages come in order. */
const addPage = (runs: Run[], page: number, why: string): void => {
  const last = runs.at(-1);
  if (last !== undefined && last.page + last.pages === page && last.why === why) last.pages++;
  else runs.push({ page, pages: 1, why });
};

/** Why a page was forgotten, and when; the latest time counts. */
const whyAt = (memory: Memory, page: number): { readonly why: string; readonly seq: number } | null =>
  memory.unknown.findLast((u) => page >= u.page && page < u.page + u.pages) ?? null;

/** Pages that were forgotten, of which nothing was observed since, and whose area still lives. */
const blankPages = (memory: Memory): ReadonlyMap<number, string> => {
  const blank = new Map<number, string>();
  for (const { page, pages, why } of memory.unknown)
    for (const area of areasIn(memory, page, pages)) {
      if (area.state !== 'live') continue;
      const end = Math.min(page + pages, area.start + area.pages - (hasGuard(area.flags) ? 1 : 0));
      for (let at = Math.max(page, area.start); at < end; at++)
        if (PageTable.get(memory.virtual, at) === null) blank.set(at, why);
    }
  return blank;
};

function* areasIn(memory: Memory, page: number, pages: number) {
  const first = Memory.areaAt(memory, page);
  if (first !== null) yield first;
  for (const area of Memory.areas(memory)) if (area.start > page && area.start < page + pages) yield area;
}

/** Pages that hold a program or its symbol and that no line said anything of: they are executed all the same. */
const hostPages = (memory: Memory, { placed, older }: KnownPrograms): ReadonlySet<number> => {
  const hosts = new Set<number>();
  let seen = -1;
  const add = (page: number, offset: number, length: number): void => {
    const last = page + Math.floor((offset + Math.max(length, 1) - 1) / PAGE_SIZE);
    for (let at = page; at <= last; at++) {
      if (at !== seen && !PageTable.has(memory.virtual, at)) hosts.add(at);
      seen = at;
    }
  };
  for (let i = 0; i < placed.count; i++)
    add(whole(placed.page[i]), whole(placed.offset[i]), whole(placed.bytes[i]));
  for (const { start, end } of older) add(start.page, start.offset, Address.minus(end, start));
  return hosts;
};

/** Pages of whose permission something that matters is not known. */
const partlySeen = ({ keys, nodes }: PageTable): readonly number[] => {
  const pages: number[] = [];
  for (const [index, key] of keys.entries()) {
    const { shift, prot } = nodes[index] as PageNode;
    for (let slot = 0; slot < NODE_PAGES; slot++)
      if (shift[slot] !== 0 && ((prot[slot] as number) & MATTERS) !== 0) pages.push(key * NODE_PAGES + slot);
  }
  return pages;
};

/** What is not known, as maximal ranges with the reason. */
export const unknownRanges = (memory: Memory, known = knownPrograms(memory)): readonly UnknownRange[] => {
  const pages = new Map(blankPages(memory));
  for (const page of hostPages(memory, known))
    if (!pages.has(page)) pages.set(page, whyAt(memory, page)?.why ?? NEVER_SEEN);
  for (const page of partlySeen(memory.virtual)) pages.set(page, whyAt(memory, page)?.why ?? NEVER_WHOLE);
  const runs: Run[] = [];
  for (const [page, why] of [...pages].sort(([a], [b]) => a - b)) addPage(runs, page, why);
  return runs.map((run) => ({
    start: pageText(run.page),
    end: pageText(run.page + run.pages),
    why: run.why,
  }));
};

const after = (start: string, bytes: number): string =>
  Address.toText(Address.add(Address.parse(start) ?? Address.zero, bytes));

const programRange = ({ chunk, chunk_len, start, len, state }: ShownProgram): UnknownRange => {
  if (chunk !== null)
    return {
      start: chunk,
      end: after(chunk, chunk_len ?? 1),
      why: state === 'allocated' ? NO_ENTRY : NO_ENTRY_GIVEN,
    };
  const at = start ?? Address.toText(Address.zero);
  return { start: at, end: after(at, len ?? 1), why: NO_MEMORY };
};

/** Pages whose alias is known, but not where it is mapped: as the mapping they back, else as physical memory. */
const aliasRange = ({ page, pages, frame }: PageRun): UnknownRange => {
  const start = frame < 0 ? page : frame;
  return {
    start: pageText(start),
    end: pageText(start + pages),
    why: frame < 0 ? `physical pages; ${NO_BASE}` : `their ${NO_BASE}`,
  };
};

/** Programs and ranges of the direct map that are known in part only. */
export const partlyKnown = (memory: Memory): readonly UnknownRange[] => [
  ...programs(memory)
    .filter((program) => !isWhole(program))
    .map(programRange),
  ...(memory.directBase === 0 ? Array.from(shownRuns(memory, Space.direct), aliasRange) : []),
];
