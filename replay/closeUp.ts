/**
 * Memory around a subject alone, from the images that the derived tables keep of its pages, without the rest of memory: what a question about one page
 * needs, whatever the length of the trace. Where the tables do not say all, all of memory is sought.
 */
import type { PageImage } from '../core/history/pageImage.js';
import type { ProgramImage } from '../core/history/programImage.js';
import { Cell, PageContent } from '../core/memory/content.js';
import { chunkBlock, frameKey, nothing, NO_FRAME, type Area, type Memory } from '../core/memory/memory.js';
import { PageTable, type PageEntry, type PageNode } from '../core/memory/pageTable.js';
import { SparseMap } from '../core/memory/sparse.js';
import { ok, type Result } from '../core/value/failure.js';
import { closeFollower, follower, type Follower } from './follower.js';
import type { TraceView } from './log.js';
import type { Subject } from './subjects.js';
import { pagesOf, wholePages } from './touches.js';
import type { TraceIndex } from './traceIndex.js';

/** Of more pages all of memory is sought: each takes rows of its own. */
const MOST_PAGES = 16;

const put = (table: PageTable, token: object, page: number, entry: PageEntry | null, leaf: number): void => {
  const node = PageTable.writable(table, token, page, true) as PageNode;
  if (leaf !== 0) node.leaf = leaf;
  if (entry === null) return;
  const slot = page % node.shift.length;
  if (node.shift[slot] === 0) node.count++;
  node.shift[slot] = entry.shift;
  node.prot[slot] = entry.prot;
  node.frame[slot] = entry.frame;
  node.cause[slot] = entry.cause;
  node.mark[slot] = entry.mark;
};

const contentOf = (cells: readonly number[]): PageContent => {
  const [first = 0] = cells;
  return cells.every((cell) => cell === first)
    ? PageContent.uniform(Cell.class(first), Cell.ref(first))
    : { owner: null, uniform: false, cells, bytes: null, seen: null };
};

type Draft = { -readonly [K in keyof Memory]: Memory[K] };

const putPage = (draft: Draft, token: object, image: PageImage): void => {
  const { page, entry, held, alias, leaf, cells, area } = image;
  const frame = (entry?.frame ?? NO_FRAME) === NO_FRAME ? held : (entry?.frame ?? NO_FRAME);
  put(draft.virtual, token, page, entry, 0);
  if (frame >= 0) put(draft.direct, token, frame, alias, leaf);
  if (frame < NO_FRAME) draft.names = SparseMap.set(draft.names, token, -frame, page);
  if (cells !== null && frame !== NO_FRAME)
    draft.content = SparseMap.set(draft.content, token, frameKey(frame), contentOf(cells));
  if (area === null) return;
  const known = SparseMap.get(draft.areas, area.start)?.frames ?? null;
  const frames = image.backed ? (known ?? new Float64Array(area.pages).fill(NO_FRAME)) : null;
  if (frames !== null) frames[page - area.start] = held;
  draft.areas = SparseMap.set<Area>(draft.areas, token, area.start, { ...area, frames });
  if (area.state === 'lazy') draft.lazy = SparseMap.set(draft.lazy, token, area.start, area.start);
};

const putProgram = (draft: Draft, token: object, { program, symbols }: ProgramImage): void => {
  draft.programs = SparseMap.set(draft.programs, token, program.number, program);
  const { page } = program.chunk;
  const there = SparseMap.get(draft.programsByChunk, page) ?? [];
  const chunk = [...there, program.number, chunkBlock(program.chunk)];
  draft.programsByChunk = SparseMap.set<readonly number[]>(draft.programsByChunk, token, page, chunk);
  for (const symbol of symbols) {
    const list = SparseMap.get(draft.symbols, symbol.start.page) ?? [];
    draft.symbols = SparseMap.set(draft.symbols, token, symbol.start.page, [...list, symbol]);
  }
};

/** Memory around some pages after the segments that begin before event `before`; null: the tables do not tell. */
const imaged = (
  trace: TraceView,
  index: TraceIndex,
  subject: Subject,
  before: number,
): Result<Memory | null> => {
  const { first, end } = pagesOf(subject);
  const images: PageImage[] = [];
  let untouched = 0;
  for (let page = first; page < end; page++) {
    const image = index.page(page, before);
    if (!image.ok) return image;
    if (image.value === null) return ok(null);
    if (image.value === 'untouched') untouched++;
    else images.push(image.value);
  }
  if (untouched === end - first) return trace.start();
  if (untouched > 0) return ok(null);
  const token = {};
  const draft: Draft = {
    ...nothing,
    virtual: PageTable.own(PageTable.empty, token),
    direct: PageTable.own(PageTable.empty, token),
  };
  for (const image of images) putPage(draft, token, image);
  for (const number of new Set(images.flatMap(({ programs }) => programs))) {
    const image = index.programImage(number, before);
    if (!image.ok) return image;
    // A program that the trace began with, and that nothing changed since.
    if (image.value === null) return ok(null);
    putProgram(draft, token, image.value);
  }
  return ok(draft);
};

/** The tables of a trace where memory can be followed around a subject alone; null: all of it has to be. */
const closeIndex = (trace: TraceView, subject: Subject, seq: number): Result<TraceIndex | null> => {
  const { first, end } = pagesOf(subject);
  const index = trace.index();
  if (!index.ok || index.value === null || subject.kind === 'pack' || end - first > MOST_PAGES)
    return index.ok ? ok(null) : index;
  // Where events were lost, what is known of everything else counts, too.
  const lost = index.value.allTouchedBefore(seq + 1);
  return lost.ok ? ok(lost.value === null ? index.value : null) : lost;
};

/** Follows a subject from before event `first`, the first of a segment. */
export const closeUpBefore = (trace: TraceView, subject: Subject, first: number): Result<Follower> => {
  const index = closeIndex(trace, subject, first - 1);
  if (!index.ok) return index;
  const memory = index.value === null ? ok(null) : imaged(trace, index.value, subject, first);
  if (!memory.ok) return memory;
  if (memory.value !== null) return ok(closeFollower(trace, subject, { ...memory.value, seq: first - 1 }));
  const all = trace.at(first - 1);
  return all.ok ? ok(follower(trace, subject, all.value)) : all;
};

/** Follows a subject from after an event. */
export const beginAfter = (trace: TraceView, subject: Subject, seq: number): Result<Follower> => {
  const index = closeIndex(trace, subject, seq);
  if (!index.ok) return index;
  if (index.value === null) {
    const all = trace.at(seq);
    return all.ok ? ok(follower(trace, subject, all.value)) : all;
  }
  const { first, end } = pagesOf(subject);
  const run = index.value.touchedBefore(wholePages(first, end), seq + 1);
  if (!run.ok) return run;
  // The segment that the event lies in counts up to it.
  const within = run.value !== null && run.value.last > seq ? run.value.first : seq + 1;
  const follow = closeUpBefore(trace, subject, within);
  if (!follow.ok) return follow;
  if (within > seq) return follow;
  for (const item of follow.value.through(seq, Infinity)) if (!item.ok) return item;
  const at = follow.value.memory();
  return ok(closeFollower(trace, subject, { ...at, seq }));
};
