/**
 * What memory knows of single pages at the end of a segment, as bytes: with it the events of the next segment that concern a page can be followed without
 * the rest of memory.
 */
import { inputOf, takeInt, takeUint, type Input } from '../codec/input.js';
import { newOutput, putBytes, putInt, putUint, type Output } from '../codec/output.js';
import { putSized, takeSized } from './texts.js';
import { BLOCKS_PER_PAGE } from '../memory/content.js';
import { Memory, NO_FRAME, type Area } from '../memory/memory.js';
import type { PageEntry } from '../memory/pageTable.js';
import { SparseMap } from '../memory/sparse.js';

export interface PageImage {
  readonly page: number;
  readonly entry: PageEntry | null;
  /** The frame that its area holds behind it. */
  readonly held: number;
  /** Of the frame behind it. */
  readonly alias: PageEntry | null;
  /** Leaf of the region of the direct map around that frame. */
  readonly leaf: number;
  /** Content of that frame: one cell for all, or one for each block; null: nothing known. */
  readonly cells: readonly number[] | null;
  readonly area: Omit<Area, 'frames'> | null;
  /** Whether the area knows frames at all. */
  readonly backed: boolean;
  /** Numbers of the programs whose memory it holds a part of. */
  readonly programs: readonly number[];
}

/** What the images of a row are told as differences from: the image before. */
interface Before {
  frame: number;
  cause: number;
  aliasCause: number;
  program: number;
}

const ENTRY = 1;
const FRAME = 2;
const ALIAS = 4;
const CONTENT = 8;
const AREA = 16;
const BACKED = 32;
const HELD = 64;
/** Something about the page does not fit an image: it has to be found by replay. */
const ODD = 128;

const before = (): Before => ({ frame: 0, cause: 0, aliasCause: 0, program: 0 });

const putEntry = (out: Output, { prot, shift, mark, cause }: PageEntry, last: number): void => {
  putUint(out, prot);
  putUint(out, shift);
  putUint(out, mark);
  putInt(out, cause - last);
};

const takeEntry = (input: Input, frame: number, last: number): PageEntry => ({
  prot: takeUint(input),
  shift: takeUint(input),
  mark: takeUint(input),
  cause: last + takeInt(input),
  frame,
});

const putCells = (out: Output, cells: readonly number[], last: Before): void => {
  for (let i = 0; i < cells.length;) {
    let end = i + 1;
    while (end < cells.length && cells[end] === cells[i]) end++;
    putUint(out, cells.length === 1 ? BLOCKS_PER_PAGE : end - i);
    putInt(out, (cells[i] as number) - last.program);
    last.program = cells[i] as number;
    i = end;
  }
};

const takeCells = (input: Input, last: Before): readonly number[] => {
  const cells: number[] = [];
  while (cells.length < BLOCKS_PER_PAGE) {
    const count = takeUint(input);
    last.program += takeInt(input);
    for (let i = 0; i < count && cells.length < BLOCKS_PER_PAGE; i++) cells.push(last.program);
  }
  return cells;
};

const putPage = (
  out: Output,
  memory: Memory,
  page: number,
  programs: readonly number[],
  areaAt: (area: Area) => number,
  last: Before,
): void => {
  const entry = Memory.page(memory, page);
  const area = Memory.areaAt(memory, page);
  const held = area?.frames?.[page - area.start] ?? NO_FRAME;
  const mapped = entry?.frame ?? NO_FRAME;
  const frame = mapped === NO_FRAME ? held : mapped;
  const named = frame >= NO_FRAME || SparseMap.get(memory.names, -frame) === page;
  if (!named || (held !== NO_FRAME && held !== frame)) {
    putUint(out, ODD);
    return;
  }
  const alias = Memory.alias(memory, frame);
  const content = Memory.contentOf(memory, frame);
  putUint(
    out,
    (entry === null ? 0 : ENTRY) |
      (mapped === NO_FRAME ? 0 : FRAME) |
      (held === NO_FRAME ? 0 : HELD) |
      (alias === null ? 0 : ALIAS) |
      (content === null ? 0 : CONTENT) |
      (area === null ? 0 : AREA) |
      ((area?.frames ?? null) === null ? 0 : BACKED),
  );
  if (entry !== null) {
    putEntry(out, entry, last.cause);
    last.cause = entry.cause;
  }
  if (frame !== NO_FRAME) {
    putInt(out, frame - last.frame);
    last.frame = frame;
  }
  last.frame++;
  if (alias !== null) {
    putEntry(out, alias, last.aliasCause);
    last.aliasCause = alias.cause;
    putInt(out, alias.frame < 0 ? -1 : alias.frame - page < 0 ? alias.frame - page - 1 : alias.frame - page);
    putUint(out, Memory.aliasLeaf(memory, frame));
  }
  if (content !== null) putCells(out, content.cells, last);
  if (area !== null) putUint(out, areaAt(area));
  putUint(out, programs.length);
  let number = 0;
  for (const program of programs) {
    putInt(out, program - number);
    number = program;
  }
};

const takePage = (
  input: Input,
  page: number,
  areas: readonly Omit<Area, 'frames'>[],
  last: Before,
): PageImage | null => {
  const flags = takeUint(input);
  if ((flags & ODD) !== 0) return null;
  let entry = (flags & ENTRY) === 0 ? null : takeEntry(input, NO_FRAME, last.cause);
  if (entry !== null) last.cause = entry.cause;
  let frame = NO_FRAME;
  if ((flags & (FRAME | HELD)) !== 0) {
    frame = last.frame + takeInt(input);
    last.frame = frame;
  }
  last.frame++;
  if (entry !== null && (flags & FRAME) !== 0) entry = { ...entry, frame };
  let alias: PageEntry | null = null;
  let leaf = 0;
  if ((flags & ALIAS) !== 0) {
    alias = takeEntry(input, NO_FRAME, last.aliasCause);
    last.aliasCause = alias.cause;
    const away = takeInt(input);
    alias = { ...alias, frame: away === -1 ? -1 : page + (away < 0 ? away + 1 : away) };
    leaf = takeUint(input);
  }
  const cells = (flags & CONTENT) === 0 ? null : takeCells(input, last);
  const area = (flags & AREA) === 0 ? null : (areas[takeUint(input)] ?? null);
  const programs: number[] = [];
  let number = 0;
  for (let count = takeUint(input); count > 0; count--) {
    number += takeInt(input);
    programs.push(number);
  }
  return {
    page,
    entry,
    held: (flags & HELD) === 0 ? NO_FRAME : frame,
    alias,
    leaf,
    cells,
    area,
    backed: (flags & BACKED) !== 0,
    programs,
  };
};

const STATES = ['live', 'lazy'] as const;

const putArea = (out: Output, area: Area, first: number): void => {
  putInt(out, area.start - first);
  putUint(out, area.pages);
  putUint(out, area.flags);
  putUint(out, STATES.indexOf(area.state));
  putUint(out, area.since);
  putSized(out, area.caller);
};

const takeArea = (input: Input, first: number): Omit<Area, 'frames'> => ({
  start: first + takeInt(input),
  pages: takeUint(input),
  flags: takeUint(input),
  state: STATES[takeUint(input)] ?? 'live',
  since: takeUint(input),
  caller: takeSized(input),
});

/** Images of pages from `first` on. `slots`: which, as distances from `first`, ascending; `programs`: which programs lie in a page. */
export const encodeImages = (
  memory: Memory,
  first: number,
  slots: readonly number[],
  programs: (page: number) => readonly number[],
): Uint8Array => {
  const areas: Area[] = [];
  const areaAt = (area: Area): number => {
    const known = areas.indexOf(area);
    return known >= 0 ? known : areas.push(area) - 1;
  };
  const pages = newOutput(slots.length * 40);
  const last = before();
  const groups: { slot: number; count: number; from: number; to: number }[] = [];
  for (const slot of slots) {
    const from = pages.at;
    putPage(pages, memory, first + slot, programs(first + slot), areaAt, last);
    const group = groups.at(-1);
    // A page that says of itself what the one before said takes no room of its own.
    if (
      group !== undefined &&
      group.slot + group.count === slot &&
      sameBytes(pages.bytes, group.from, group.to, from, pages.at)
    ) {
      group.count++;
      pages.at = from;
    } else groups.push({ slot, count: 1, from, to: pages.at });
  }
  const out = newOutput(pages.at + groups.length * 4 + areas.length * 40 + 8);
  putUint(out, areas.length);
  for (const area of areas) putArea(out, area, first);
  let next = 0;
  for (const { slot, count, from, to } of groups) {
    putUint(out, slot - next);
    putUint(out, count);
    putBytes(out, pages.bytes.subarray(from, to));
    next = slot + count;
  }
  return out.bytes.slice(0, out.at);
};

const sameBytes = (bytes: Uint8Array, a: number, endOfA: number, b: number, endOfB: number): boolean => {
  if (endOfA - a !== endOfB - b) return false;
  for (let i = 0; i < endOfA - a; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
};

/** The image of one page (`slot` pages after `first`) in bytes of `encodeImages`; null: it has none. */
export const imageIn = (bytes: Uint8Array, first: number, slot: number): PageImage | null => {
  const input = inputOf(bytes);
  const areas: Omit<Area, 'frames'>[] = [];
  for (let count = takeUint(input); count > 0; count--) areas.push(takeArea(input, first));
  const last = before();
  let at = 0;
  while (input.at < input.end && at <= slot) {
    at += takeUint(input);
    const count = takeUint(input);
    const from = input.at;
    for (let i = 0; i < count && at <= slot; i++) {
      input.at = from;
      const image = takePage(input, first + at, areas, last);
      if (at === slot) return image;
      at++;
    }
  }
  return null;
};
