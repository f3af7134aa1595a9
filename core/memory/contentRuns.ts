/** What lies in the pages of a memory, as runs of equal blocks: of those that a snapshot has, none becomes an object. */
import { BLOCKS_PER_PAGE, type PageContent } from './content.js';
import { storedRuns } from './encodeContent.js';
import { SparseMap } from './sparse.js';

export interface ContentRuns {
  /** Place of the page of a frame (`frameKey`) among the pages; -1: nothing is known of it. Quick for keys that follow each other. */
  readonly placeOf: (key: number) => number;
  /** First run of a page; the last one is before the first of the next page. */
  readonly first: Float64Array;
  readonly cell: Float64Array;
  /** Block of the page after the run. */
  readonly end: Uint8Array;
}

/** Place of a key, or -1. */
const placeIn = (keys: Float64Array): ((key: number) => number) => {
  let last = -1;
  return (key) => {
    if (keys[last + 1] === key) return ++last;
    let low = 0;
    let high = keys.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = keys[middle] as number;
      if (found === key) return (last = middle);
      if (found < key) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  };
};

const countRuns = ({ uniform, cells }: PageContent): number => {
  let runs = 1;
  if (!uniform)
    for (let block = 1; block < BLOCKS_PER_PAGE; block++) if (cells[block] !== cells[block - 1]) runs++;
  return runs;
};

/** Puts the runs of a page from place `run` on; gives the place after them. */
const putRuns = (
  { uniform, cells }: PageContent,
  cell: Float64Array,
  end: Uint8Array,
  run: number,
): number => {
  let at = run;
  if (!uniform)
    for (let block = 1; block < BLOCKS_PER_PAGE; block++) {
      if (cells[block] === cells[block - 1]) continue;
      cell[at] = cells[block - 1] as number;
      end[at++] = block;
    }
  cell[at] = cells[uniform ? 0 : BLOCKS_PER_PAGE - 1] as number;
  end[at++] = BLOCKS_PER_PAGE;
  return at;
};

/** The runs of one page. */
export const runsOfPage = (page: PageContent): Pick<ContentRuns, 'cell' | 'end'> => {
  const count = countRuns(page);
  const runs = { cell: new Float64Array(count), end: new Uint8Array(count) };
  putRuns(page, runs.cell, runs.end, 0);
  return runs;
};

export const contentRuns = (content: SparseMap<PageContent>): ContentRuns => {
  const rows = SparseMap.rows(content);
  const stored = storedRuns(rows.source);
  const pages = rows.keys.length;
  /** Where a page is in the stored runs; below 0: only as an object. */
  const storedAt = (i: number): number => (stored === null ? -1 : (rows.indexes[i] as number));
  const first = new Float64Array(pages + 1);
  for (let i = 0; i < pages; i++) {
    const at = storedAt(i);
    const runs = at < 0 || stored === null ? countRuns(rows.value(i)) : (stored.count[at] as number);
    first[i + 1] = (first[i] as number) + runs;
  }
  const cell = new Float64Array(first[pages] as number);
  const end = new Uint8Array(cell.length);
  let run = 0;
  for (let i = 0; i < pages; i++) {
    const at = storedAt(i);
    if (at < 0 || stored === null) {
      run = putRuns(rows.value(i), cell, end, run);
      continue;
    }
    const from = stored.first[at] as number;
    const to = from + (stored.count[at] as number);
    let block = 0;
    for (let r = from; r < to; r++) {
      block += stored.blocks[r] as number;
      cell[run] = stored.cell[r] as number;
      end[run++] = block;
    }
  }
  return { placeOf: placeIn(rows.keys), first, cell, end };
};
