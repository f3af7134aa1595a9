import { whole } from '../value/whole.js';
import { damaged, takeUpTo, type Input } from '../codec/input.js';
import { putUint, type Output } from '../codec/output.js';
import { Address } from '../value/address.js';
import { sortedPlaces } from '../value/order.js';
import { Word } from '../value/words.js';
import { chunkBlock, type Program, type ProgramState } from './memory.js';
import { SparseMap } from './sparse.js';
import { HALF, INT, PAGE, UINT, putNumbers, putTable, takeNumbers, takeTable, textRange } from './table.js';
import type { TextNumbers, Texts } from './table.js';

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

export const NO_START = 1;
export const NO_LENGTH = 2;
export const NO_NAME = 4;
export const NO_ID = 8;
export const STATES: readonly ProgramState[] = ['allocated', 'written', 'live', 'closing'];

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

/** Programs as their columns, and the map that is made of them. */
export interface StoredPrograms {
  readonly texts: Texts;
  readonly columns: { readonly [K in keyof typeof PROGRAMS]: Float64Array };
  readonly programs: SparseMap<Program>;
}

type Source = (index: number) => Program;
const STORED = new WeakMap<Source, Omit<StoredPrograms, 'programs'>>();

/** The columns that the values of a map are made from. */
export const storedBy = (source: Source | null): Omit<StoredPrograms, 'programs'> | null =>
  source === null ? null : (STORED.get(source) ?? null);

export const takePrograms = (input: Input, texts: Texts, owner: object | null): StoredPrograms => {
  const text = textRange(texts);
  const state = { min: 0, max: STATES.length - 1 };
  const c = takeTable(input, { ...PROGRAMS, type: text, name: text, state });
  const programAt = (i: number): Program => {
    const absent = c.absent[i] as number;
    const page = c.page[i] as number;
    const offset = whole(c.offset[i]);
    const proglen = whole(c.proglen[i]);
    return {
      number: whole(c.number[i]),
      pointer: { hi: whole(c.pointerHi[i]), lo: whole(c.pointerLo[i]) },
      chunk: Address.of(page, offset),
      bytes: proglen + whole(c.bytes[i]),
      proglen,
      type: texts.at(c.type[i] as number),
      start:
        absent & NO_START ? null : Address.of(page + whole(c.startPage[i]), offset + whole(c.startOffset[i])),
      length: absent & NO_LENGTH ? null : proglen + whole(c.length[i]),
      name: absent & NO_NAME ? null : texts.at(c.name[i] as number),
      id: absent & NO_ID ? null : whole(c.id[i]),
      symbols: whole(c.symbols[i]),
      state: STATES[c.state[i] as number] as ProgramState,
    };
  };
  STORED.set(programAt, { texts, columns: c });
  return { texts, columns: c, programs: SparseMap.of(c.number, programAt, owner) };
};

/** Where the code of a program ends; null where that is not known. */
export const codeEnd = ({ start, length }: Program): Address | null =>
  start === null || length === null ? null : Address.add(start, length);

/** Whether there is a program i and it has a name and a known place: then its symbol may be like it. */
export const isPlaced = ({ columns: { absent } }: StoredPrograms, i: number): boolean =>
  i < absent.length && ((absent[i] as number) & (NO_START | NO_LENGTH | NO_NAME)) === 0;

/** What the symbol of a placed program says: its name, where its code begins and ends. */
export const symbolOf = (
  { texts, columns: c }: StoredPrograms,
  i: number,
): { readonly start: Address; readonly end: Address; readonly name: string } => {
  const start = Address.of(
    (c.page[i] as number) + whole(c.startPage[i]),
    whole(c.offset[i]) + whole(c.startOffset[i]),
  );
  const end = Address.add(start, whole(c.proglen[i]) + whole(c.length[i]));
  return { start, end, name: texts.at(c.name[i] as number) };
};

type Index = SparseMap<readonly number[]>;

/** What the usual indexes follow from: of each program, in the order of the numbers, the pages of chunk and structure (-1: none). */
interface Places {
  readonly number: ArrayLike<number>;
  readonly chunk: Float64Array;
  /** `chunkBlock` of the chunk. */
  readonly block: ArrayLike<number>;
  readonly pointer: Float64Array;
}

export const placesOf = (programs: SparseMap<Program>): Places => {
  const places = {
    number: new Float64Array(programs.size),
    chunk: new Float64Array(programs.size),
    block: new Float64Array(programs.size),
    pointer: new Float64Array(programs.size),
  };
  let i = 0;
  for (const [number, { chunk, pointer }] of SparseMap.entries(programs)) {
    places.number[i] = number;
    places.chunk[i] = chunk.page;
    places.block[i] = chunkBlock(chunk);
    places.pointer[i] = Word.isZero(pointer) ? -1 : Word.toAddress(pointer).page;
    i++;
  }
  return places;
};

/** The same from columns. */
export const storedPlaces = ({ columns: c }: StoredPrograms): Places => {
  const block = new Float64Array(c.number.length);
  const pointer = new Float64Array(c.number.length);
  for (let i = 0; i < block.length; i++) {
    const hi = c.pointerHi[i] as number;
    const lo = c.pointerLo[i] as number;
    block[i] = chunkBlock(Address.of(0, c.offset[i]));
    pointer[i] = hi === 0 && lo === 0 ? -1 : Address.fromWords(hi, lo).page;
  }
  return { number: c.number, chunk: c.page, block, pointer };
};

/** The index by these keys; `push` adds what stands there for one program. */
const indexBy = (
  keys: Float64Array,
  owner: object | null,
  push: (list: number[], i: number) => void,
): Index => {
  const order = sortedPlaces(keys);
  const distinct: number[] = [];
  const starts: number[] = [];
  for (let at = 0; at < order.length; at++) {
    const key = keys[order[at] as number] as number;
    if (at > 0 && key === distinct.at(-1)) continue;
    distinct.push(key);
    starts.push(at);
  }
  starts.push(order.length);
  const listAt = (index: number): readonly number[] => {
    const list: number[] = [];
    const end = starts[index + 1] as number;
    for (let at = starts[index] as number; at < end; at++) push(list, order[at] as number);
    return list;
  };
  return SparseMap.of(distinct, listAt, owner);
};

/** Programs by the page of their chunk, each page's in the order of their numbers: as `programsByChunk` is, as far as is known, always. */
export const usualByChunk = ({ number, chunk, block }: Places, owner: object | null = null): Index =>
  indexBy(chunk, owner, (list, i) => list.push(whole(number[i]), block[i] as number));

/** Likewise by the page of their structure, as `programsByPointer` is. */
export const usualByPointer = ({ number, pointer }: Places, owner: object | null = null): Index =>
  indexBy(pointer, owner, (list, i) => list.push(whole(number[i])));

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
  return SparseMap.of(columns.key, (i) => lists[i] as readonly number[]);
};
