import { damaged, type Input } from '../codec/input.js';
import type { Output } from '../codec/output.js';
import { Address } from '../value/address.js';
import type { KernelSymbol, Program, ProgramState } from './memory.js';
import { SparseMap } from './sparse.js';
import { HALF, INT, PAGE, UINT, putNumbers, putTable, takeNumbers, takeTable, textAt } from './table.js';
import type { TextNumbers } from './table.js';

/** What is not known of a program is 0 and has a bit in `absent`. */
const PROGRAMS = {
  number: UINT,
  pointerHi: HALF,
  pointerLo: HALF,
  page: PAGE,
  offset: UINT,
  bytes: UINT,
  proglen: UINT,
  type: UINT,
  absent: UINT,
  /** From the chunk. */
  startPage: INT,
  startOffset: UINT,
  length: UINT,
  name: UINT,
  id: UINT,
  symbols: INT,
  state: UINT,
};

const NO_START = 1;
const NO_LENGTH = 2;
const NO_NAME = 4;
const NO_ID = 8;
const STATES: readonly ProgramState[] = ['allocated', 'written', 'live', 'closing'];

export const putPrograms = (out: Output, programs: SparseMap<Program>, texts: TextNumbers): void => {
  const rows = Array.from(SparseMap.entries(programs), ([, program]) => program);
  putTable(out, PROGRAMS, rows, {
    number: (p) => p.number,
    pointerHi: (p) => p.pointer.hi,
    pointerLo: (p) => p.pointer.lo,
    page: (p) => p.chunk.page,
    offset: (p) => p.chunk.offset,
    bytes: (p) => p.bytes,
    proglen: (p) => p.proglen,
    type: (p) => texts.of(p.type),
    absent: (p) =>
      (p.start === null ? NO_START : 0) |
      (p.length === null ? NO_LENGTH : 0) |
      (p.name === null ? NO_NAME : 0) |
      (p.id === null ? NO_ID : 0),
    startPage: (p) => (p.start === null ? 0 : p.start.page - p.chunk.page),
    startOffset: (p) => p.start?.offset ?? 0,
    length: (p) => p.length ?? 0,
    name: (p) => (p.name === null ? 0 : texts.of(p.name)),
    id: (p) => p.id ?? 0,
    symbols: (p) => p.symbols,
    state: (p) => STATES.indexOf(p.state),
  });
};

export const takePrograms = (input: Input, texts: readonly string[]): SparseMap<Program> => {
  const c = takeTable(input, PROGRAMS);
  const programs: Program[] = [];
  for (let i = 0; i < c.number.length; i++) {
    const absent = c.absent[i] as number;
    const page = c.page[i] as number;
    programs.push({
      number: c.number[i] as number,
      pointer: { hi: c.pointerHi[i] as number, lo: c.pointerLo[i] as number },
      chunk: Address.of(page, c.offset[i]),
      bytes: c.bytes[i] as number,
      proglen: c.proglen[i] as number,
      type: textAt(input, texts, c.type[i] as number),
      start: absent & NO_START ? null : Address.of(page + (c.startPage[i] as number), c.startOffset[i]),
      length: absent & NO_LENGTH ? null : (c.length[i] as number),
      name: absent & NO_NAME ? null : textAt(input, texts, c.name[i] as number),
      id: absent & NO_ID ? null : (c.id[i] as number),
      symbols: c.symbols[i] as number,
      state: STATES[c.state[i] as number] ?? damaged(input, 'a program is in no known state'),
    });
  }
  return SparseMap.of(c.number, programs);
};

const LISTS = { key: UINT, items: UINT };

/** Lists of numbers by key (a page), as the indexes of programs are. */
export const putIndex = (out: Output, index: SparseMap<readonly number[]>): void => {
  const lists = [...SparseMap.entries(index)];
  putTable(out, LISTS, lists, { key: ([key]) => key, items: ([, list]) => list.length });
  putNumbers(
    out,
    lists.flatMap(([, list]) => list),
    UINT,
  );
};

export const takeIndex = (input: Input): SparseMap<readonly number[]> => {
  const columns = takeTable(input, LISTS);
  const numbers = takeNumbers(input, UINT);
  let at = 0;
  const lists: (readonly number[])[] = [];
  for (let i = 0; i < columns.items.length; i++) {
    const end = at + (columns.items[i] as number);
    if (end > numbers.length) damaged(input, 'a list is longer than what there is');
    const list: number[] = [];
    for (; at < end; at++) list.push(numbers[at] as number);
    lists.push(list);
  }
  return SparseMap.of(columns.key, lists);
};

const SYMBOLS = {
  page: PAGE,
  offset: UINT,
  /** From the start. */
  endPage: INT,
  endOffset: UINT,
  name: UINT,
  ksymHi: HALF,
  ksymLo: HALF,
  program: UINT,
};

export const putSymbols = (
  out: Output,
  symbols: SparseMap<readonly KernelSymbol[]>,
  texts: TextNumbers,
): void => {
  const rows = Array.from(SparseMap.entries(symbols), ([, list]) => list).flat();
  putTable(out, SYMBOLS, rows, {
    page: (s) => s.start.page,
    offset: (s) => s.start.offset,
    endPage: (s) => s.end.page - s.start.page,
    endOffset: (s) => s.end.offset,
    name: (s) => texts.of(s.name),
    ksymHi: (s) => s.ksym.hi,
    ksymLo: (s) => s.ksym.lo,
    program: (s) => s.program,
  });
};

/** Symbols stand under the page of their start. */
export const takeSymbols = (input: Input, texts: readonly string[]): SparseMap<readonly KernelSymbol[]> => {
  const c = takeTable(input, SYMBOLS);
  const pages: number[] = [];
  const lists: KernelSymbol[][] = [];
  for (let i = 0; i < c.page.length; i++) {
    const page = c.page[i] as number;
    const symbol: KernelSymbol = {
      start: Address.of(page, c.offset[i]),
      end: Address.of(page + (c.endPage[i] as number), c.endOffset[i]),
      name: textAt(input, texts, c.name[i] as number),
      ksym: { hi: c.ksymHi[i] as number, lo: c.ksymLo[i] as number },
      program: c.program[i] as number,
    };
    if (pages.at(-1) === page) lists.at(-1)?.push(symbol);
    else {
      pages.push(page);
      lists.push([symbol]);
    }
  }
  return SparseMap.of(pages, lists);
};
