import { whole } from '../value/whole.js';
import { damaged, takeBytes, type Input } from '../codec/input.js';
import { putBytes, type Output } from '../codec/output.js';
import { PAGE_SIZE } from '../value/address.js';
import { BLOCK, BLOCKS_PER_PAGE, Cell, ContentClass, type PageContent } from './content.js';
import { SparseMap } from './sparse.js';
import { HALF, UINT, putTable, takeTable } from './table.js';

/** `runs`: of equal blocks; one where the page is of one kind. `bytes`: 1 where bytes of its blocks of that class follow. `seen`: how many words were. */
const PAGES = { key: UINT, runs: UINT, bytes: UINT, seen: UINT };
const RUNS = { cell: UINT, blocks: UINT };
const SEEN = { offset: UINT, value: HALF };

const isBytes = (cell: number): boolean => Cell.class(cell) === ContentClass.bytes;

interface Run {
  readonly cell: number;
  blocks: number;
}

interface Row {
  readonly key: number;
  readonly content: PageContent;
  readonly runs: readonly Run[];
  /** Known bytes, where there is a block that has some. */
  readonly bytes: Uint8Array | null;
}

const runsOf = ({ uniform, cells }: PageContent): readonly Run[] => {
  if (uniform) return [{ cell: cells[0] as number, blocks: BLOCKS_PER_PAGE }];
  let run: Run = { cell: cells[0] as number, blocks: 0 };
  const runs = [run];
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
    const cell = cells[block] as number;
    if (cell !== run.cell) runs.push((run = { cell, blocks: 0 }));
    run.blocks++;
  }
  return runs;
};

const rowOf = (key: number, content: PageContent): Row => {
  const runs = runsOf(content);
  const bytes = content.bytes !== null && runs.some(({ cell }) => isBytes(cell)) ? content.bytes : null;
  return { key, content, runs, bytes };
};

export const putContent = (out: Output, content: SparseMap<PageContent>): void => {
  const rows = Array.from(SparseMap.entries(content), ([key, page]) => rowOf(key, page));
  putTable(out, PAGES, rows, {
    key: (row) => row.key,
    runs: (row) => row.runs.length,
    bytes: (row) => (row.bytes === null ? 0 : 1),
    seen: (row) => row.content.seen?.size ?? 0,
  });
  const runs = rows.flatMap((row) => row.runs);
  putTable(out, RUNS, runs, { cell: (run) => run.cell, blocks: (run) => run.blocks });
  const words = rows.flatMap((row) => (row.content.seen === null ? [] : [...row.content.seen]));
  putTable(out, SEEN, words, { offset: ([offset]) => offset, value: ([, value]) => value });
  for (const row of rows) {
    if (row.bytes === null) continue;
    let block = 0;
    for (const { cell, blocks } of row.runs) {
      if (isBytes(cell)) putBytes(out, row.bytes.subarray(block * BLOCK, (block + blocks) * BLOCK));
      block += blocks;
    }
  }
};

const takeBlocks = (input: Input, cells: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(PAGE_SIZE);
  for (let block = 0; block < BLOCKS_PER_PAGE; block++)
    if (isBytes(cells[block % cells.length] as number)) bytes.set(takeBytes(input, BLOCK), block * BLOCK);
  return bytes;
};

type Source = (index: number) => PageContent;

/** Pages as runs of equal blocks. */
export interface StoredRuns {
  /** Of each page its first run. */
  readonly first: Uint32Array;
  /** Of each page how many runs. */
  readonly count: Float64Array;
  readonly cell: Float64Array;
  readonly blocks: Float64Array;
}

const STORED = new WeakMap<Source, StoredRuns>();

/** The runs that the values of a map are made from. */
export const storedRuns = (source: Source | null): StoredRuns | null =>
  source === null ? null : (STORED.get(source) ?? null);

export const takeContent = (input: Input, owner: object | null): SparseMap<PageContent> => {
  const rows = takeTable(input, PAGES);
  const runs = takeTable(input, RUNS);
  const words = takeTable(input, SEEN);
  const count = rows.key.length;
  // Where the runs, the words and the bytes of each page begin.
  const firstRun = new Uint32Array(count);
  const firstWord = new Uint32Array(count);
  const bytes = new Map<number, Uint8Array>();
  let run = 0;
  let word = 0;
  for (let i = 0; i < count; i++) {
    firstRun[i] = run;
    firstWord[i] = word;
    const end = run + (rows.runs[i] as number);
    if (end > runs.cell.length) damaged(input, 'a page has more runs than there are');
    let blocks = 0;
    for (let r = run; r < end; r++) blocks += runs.blocks[r] as number;
    if (blocks !== BLOCKS_PER_PAGE) damaged(input, 'a page has not 64 blocks');
    run = end;
    word += rows.seen[i] as number;
    if (word > words.offset.length) damaged(input, 'a page has more words than there are');
  }
  const cellsOf = (i: number): number[] => {
    const first = firstRun[i] as number;
    const end = first + (rows.runs[i] as number);
    const cells = new Array<number>(BLOCKS_PER_PAGE);
    let block = 0;
    for (let r = first; r < end; r++) {
      const cell = whole(runs.cell[r]);
      for (let left = runs.blocks[r] as number; left > 0; left--) cells[block++] = cell;
    }
    return cells;
  };
  for (let i = 0; i < count; i++) if (rows.bytes[i] !== 0) bytes.set(i, takeBlocks(input, cellsOf(i)));
  const seenOf = (i: number): PageContent['seen'] => {
    const first = firstWord[i] as number;
    const end = first + (rows.seen[i] as number);
    if (end === first) return null;
    const seen = new Map<number, number>();
    for (let w = first; w < end; w++) seen.set(whole(words.offset[w]), whole(words.value[w]));
    return seen;
  };
  const pageAt = (i: number): PageContent => {
    const known = bytes.get(i) ?? null;
    const uniform = rows.runs[i] === 1 && known === null;
    return {
      owner,
      uniform,
      cells: uniform ? [whole(runs.cell[firstRun[i] as number])] : cellsOf(i),
      bytes: known,
      seen: seenOf(i),
    };
  };
  STORED.set(pageAt, { first: firstRun, count: rows.runs, cell: runs.cell, blocks: runs.blocks });
  return SparseMap.of(rows.key, pageAt, owner);
};
