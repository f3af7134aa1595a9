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

export const takeContent = (input: Input): SparseMap<PageContent> => {
  const rows = takeTable(input, PAGES);
  const runs = takeTable(input, RUNS);
  const words = takeTable(input, SEEN);
  const pages: PageContent[] = [];
  let run = 0;
  let word = 0;
  for (let i = 0; i < rows.key.length; i++) {
    const uniform = rows.runs[i] === 1 && rows.bytes[i] === 0;
    const cells: number[] = [];
    for (const end = run + (rows.runs[i] as number); run < end; run++) {
      const blocks = runs.blocks[run] ?? Infinity;
      if (cells.length + blocks > BLOCKS_PER_PAGE) damaged(input, 'a page has more than 64 blocks');
      for (let block = 0; block < blocks; block++) cells.push(runs.cell[run] as number);
    }
    if (cells.length !== BLOCKS_PER_PAGE) damaged(input, 'a page has less than 64 blocks');
    if (uniform) cells.length = 1;
    const seen = new Map<number, number>();
    for (const end = word + (rows.seen[i] as number); word < end && word < words.offset.length; word++)
      seen.set(words.offset[word] as number, words.value[word] as number);
    pages.push({
      owner: null,
      uniform,
      cells,
      bytes: rows.bytes[i] === 0 ? null : takeBlocks(input, cells),
      seen: seen.size === 0 ? null : seen,
    });
  }
  return SparseMap.of(rows.key, pages);
};
