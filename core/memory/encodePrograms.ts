import { damaged, takeUpTo, type Input } from '../codec/input.js';
import { putUint, type Output } from '../codec/output.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { chunkBlock, type Program, type ProgramState } from './memory.js';
import { SparseMap } from './sparse.js';
import { HALF, INT, PAGE, UINT, putNumbers, putTable, takeNumbers, takeTable, textAt } from './table.js';
import type { TextNumbers } from './table.js';

/** What is not known of a program is 0 and has a bit in `absent`. Places are counted from the chunk's, lengths from `proglen`: mostly small numbers. */
const PROGRAMS = {
  number: UINT,
  pointerHi: HALF,
  pointerLo: HALF,
  page: PAGE,
  offset: UINT,
  proglen: UINT,
  bytes: INT,
  type: UINT,
  absent: UINT,
  startPage: INT,
  startOffset: INT,
  length: INT,
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
    proglen: (p) => p.proglen,
    bytes: (p) => p.bytes - p.proglen,
    type: (p) => texts.of(p.type),
    absent: (p) =>
      (p.start === null ? NO_START : 0) |
      (p.length === null ? NO_LENGTH : 0) |
      (p.name === null ? NO_NAME : 0) |
      (p.id === null ? NO_ID : 0),
    startPage: (p) => (p.start === null ? 0 : p.start.page - p.chunk.page),
    startOffset: (p) => (p.start === null ? 0 : p.start.offset - p.chunk.offset),
    length: (p) => (p.length === null ? 0 : p.length - p.proglen),
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
    const offset = c.offset[i] as number;
    const proglen = c.proglen[i] as number;
    programs.push({
      number: c.number[i] as number,
      pointer: { hi: c.pointerHi[i] as number, lo: c.pointerLo[i] as number },
      chunk: Address.of(page, offset),
      bytes: proglen + (c.bytes[i] as number),
      proglen,
      type: textAt(input, texts, c.type[i] as number),
      start:
        absent & NO_START
          ? null
          : Address.of(page + (c.startPage[i] as number), offset + (c.startOffset[i] as number)),
      length: absent & NO_LENGTH ? null : proglen + (c.length[i] as number),
      name: absent & NO_NAME ? null : textAt(input, texts, c.name[i] as number),
      id: absent & NO_ID ? null : (c.id[i] as number),
      symbols: c.symbols[i] as number,
      state: STATES[c.state[i] as number] ?? damaged(input, 'a program is in no known state'),
    });
  }
  return SparseMap.of(c.number, programs);
};

type Index = SparseMap<readonly number[]>;

const indexOf = (lists: ReadonlyMap<number, readonly number[]>): Index => {
  const keys = Float64Array.from(lists.keys()).sort();
  const values: (readonly number[])[] = [];
  for (const key of keys) values.push(lists.get(key) as readonly number[]);
  return SparseMap.of(keys, values);
};

/** Programs by the page of their chunk, each page's in the order of their numbers: as `programsByChunk` is, as far as is known, always. */
export const usualByChunk = (programs: SparseMap<Program>): Index => {
  const lists = new Map<number, number[]>();
  for (const [number, { chunk }] of SparseMap.entries(programs)) {
    const list = lists.get(chunk.page);
    if (list === undefined) lists.set(chunk.page, [number, chunkBlock(chunk)]);
    else list.push(number, chunkBlock(chunk));
  }
  return indexOf(lists);
};

/** Likewise by the page of their structure, as `programsByPointer` is. */
export const usualByPointer = (programs: SparseMap<Program>): Index => {
  const lists = new Map<number, number[]>();
  for (const [number, { pointer }] of SparseMap.entries(programs)) {
    if (Word.isZero(pointer)) continue;
    const { page } = Word.toAddress(pointer);
    const list = lists.get(page);
    if (list === undefined) lists.set(page, [number]);
    else list.push(number);
  }
  return indexOf(lists);
};

const sameIndex = (a: Index, b: Index): boolean => {
  if (a.size !== b.size) return false;
  for (const [key, list] of SparseMap.entries(a)) {
    const other = SparseMap.get(b, key);
    if (other === undefined || other.length !== list.length || list.some((n, i) => n !== other[i]))
      return false;
  }
  return true;
};

const LISTS = { key: UINT, items: UINT };
const USUAL = 0;
const LISTED = 1;

/** One byte where the index is the usual one, else all lists. */
export const putIndex = (out: Output, index: Index, usual: Index): void => {
  const listed = !sameIndex(index, usual);
  putUint(out, listed ? LISTED : USUAL);
  if (!listed) return;
  const lists = [...SparseMap.entries(index)];
  putTable(out, LISTS, lists, { key: ([key]) => key, items: ([, list]) => list.length });
  putNumbers(
    out,
    lists.flatMap(([, list]) => list),
    UINT,
  );
};

export const takeIndex = (input: Input, usual: () => Index): Index => {
  if (takeUpTo(input, LISTED, 'the form of an index') === USUAL) return usual();
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
