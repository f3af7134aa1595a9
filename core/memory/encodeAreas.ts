import { damaged, type Input } from '../codec/input.js';
import type { Output } from '../codec/output.js';
import { NO_FRAME, type Area, type Unknown } from './memory.js';
import { SparseMap } from './sparse.js';
import {
  INT,
  PAGE,
  UINT,
  putNumbers,
  putTable,
  takeNumbers,
  takeTable,
  textRange,
  type TextNumbers,
  type Texts,
} from './table.js';

const AREAS = { start: PAGE, pages: UINT, flags: UINT, caller: UINT, lazy: UINT, since: UINT, frames: UINT };

/** Frames of the area's pages; none where it is said of no page what is behind it. */
const framesOf = ({ frames }: Area): Float64Array | readonly number[] =>
  frames === null || frames.every((frame) => frame === NO_FRAME) ? [] : frames;

export const putAreas = (out: Output, areas: SparseMap<Area>, texts: TextNumbers): void => {
  const rows = Array.from(SparseMap.entries(areas), ([, area]) => area);
  putTable(out, AREAS, rows, {
    start: (area) => area.start,
    pages: (area) => area.pages,
    flags: (area) => area.flags,
    caller: (area) => texts.of(area.caller),
    lazy: (area) => (area.state === 'lazy' ? 1 : 0),
    since: (area) => area.since,
    frames: (area) => framesOf(area).length,
  });
  putNumbers(
    out,
    rows.flatMap((area) => Array.from(framesOf(area))),
    INT,
  );
};

export const takeAreas = (input: Input, texts: Texts, owner: object | null): SparseMap<Area> => {
  const columns = takeTable(input, { ...AREAS, caller: textRange(texts) });
  const all = takeNumbers(input, INT);
  let at = 0;
  const areas = Array.from(columns.start, (start, i): Area => {
    const count = columns.frames[i] as number;
    const frames = count === 0 ? null : all.slice(at, at + count);
    at += count;
    if (at > all.length) damaged(input, 'an area has more frames than there are');
    return {
      start,
      pages: columns.pages[i] as number,
      flags: columns.flags[i] as number,
      caller: texts.at(columns.caller[i] as number),
      state: columns.lazy[i] === 0 ? 'live' : 'lazy',
      frames,
      since: columns.since[i] as number,
    };
  });
  return SparseMap.of(columns.start, (i) => areas[i] as Area, owner);
};

const UNKNOWN = { page: PAGE, pages: UINT, why: UINT, seq: UINT };

export const putUnknown = (out: Output, unknown: readonly Unknown[], texts: TextNumbers): void =>
  putTable(out, UNKNOWN, unknown, {
    page: (u) => u.page,
    pages: (u) => u.pages,
    why: (u) => texts.of(u.why),
    seq: (u) => u.seq,
  });

export const takeUnknown = (input: Input, texts: Texts): readonly Unknown[] => {
  const columns = takeTable(input, { ...UNKNOWN, why: textRange(texts) });
  return Array.from(columns.page, (page, i) => ({
    page,
    pages: columns.pages[i] as number,
    why: texts.at(columns.why[i] as number),
    seq: columns.seq[i] as number,
  }));
};
