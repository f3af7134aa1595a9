import { damaged, type Input } from '../codec/input.js';
import { whole } from '../value/whole.js';
import type { Output } from '../codec/output.js';
import { codeEnd, isPlaced, symbolOf, type StoredPrograms } from './encodePrograms.js';
import { Address } from '../value/address.js';
import type { KernelSymbol, Program } from './memory.js';
import { SparseMap } from './sparse.js';
import {
  HALF,
  INT,
  PAGE,
  UINT,
  putTable,
  takeTable,
  textRange,
  type TextNumbers,
  type Texts,
} from './table.js';

/** `own`: 1 where the symbol says of its program what the program says itself: name, start and end. `program`: then which one of all, else its number. */
const SYMBOLS = { own: UINT, program: UINT, since: UINT, ksymHi: HALF, ksymLo: HALF };
/** The others, end from the start. */
const OTHERS = { page: PAGE, offset: UINT, endPage: INT, endOffset: UINT, name: UINT };

const isOwn = (symbol: KernelSymbol, program: Program | undefined): boolean => {
  if (program === undefined || program.name !== symbol.name || program.start === null) return false;
  const end = codeEnd(program);
  return Address.equals(program.start, symbol.start) && end !== null && Address.equals(end, symbol.end);
};

export const putSymbols = (
  out: Output,
  symbols: SparseMap<readonly KernelSymbol[]>,
  programs: SparseMap<Program>,
  texts: TextNumbers,
): void => {
  const places = new Map(Array.from(SparseMap.entries(programs), ([number], i) => [number, i]));
  const rows = Array.from(SparseMap.entries(symbols), ([, list]) => list)
    .flat()
    .map((symbol) => ({ symbol, own: isOwn(symbol, SparseMap.get(programs, symbol.program)) }));
  putTable(out, SYMBOLS, rows, {
    own: ({ own }) => (own ? 1 : 0),
    program: ({ own, symbol }) => (own ? (places.get(symbol.program) as number) : symbol.program),
    since: ({ symbol }) => symbol.since,
    ksymHi: ({ symbol }) => symbol.ksym.hi,
    ksymLo: ({ symbol }) => symbol.ksym.lo,
  });
  const others = rows.filter(({ own }) => !own).map(({ symbol }) => symbol);
  putTable(out, OTHERS, others, {
    page: ({ start }) => start.page,
    offset: ({ start }) => start.offset,
    endPage: ({ start, end }) => end.page - start.page,
    endOffset: ({ end }) => end.offset,
    name: ({ name }) => texts.of(name),
  });
};

type Source = (index: number) => readonly KernelSymbol[];

/** Symbols as columns. */
export interface StoredSymbols {
  /** Of each list its first symbol; then how many symbols there are. */
  readonly starts: readonly number[];
  /** Of each symbol which program says its place; -1 and less: which of `others`. */
  readonly source: Int32Array;
  readonly rows: { readonly [K in keyof typeof SYMBOLS]: Float64Array };
  readonly others: { readonly [K in keyof typeof OTHERS]: Float64Array };
  readonly programs: Omit<StoredPrograms, 'programs'>;
}

const STORED = new WeakMap<Source, StoredSymbols>();

/** The columns that the values of a map are made from. */
export const storedSymbols = (source: Source | null): StoredSymbols | null =>
  source === null ? null : (STORED.get(source) ?? null);

/** Symbols stand under the page of their start. */
export const takeSymbols = (
  input: Input,
  stored: StoredPrograms,
  texts: Texts,
  owner: object | null,
): SparseMap<readonly KernelSymbol[]> => {
  const rows = takeTable(input, SYMBOLS);
  const others = takeTable(input, { ...OTHERS, name: textRange(texts) });
  const { number, page, startPage } = stored.columns;
  // Of each symbol the row that says where it is: of its program, or among the others (-1 and less).
  const source = new Int32Array(rows.own.length);
  const pages: number[] = [];
  const starts: number[] = [];
  let other = 0;
  for (let i = 0; i < rows.own.length; i++) {
    const program = rows.own[i] === 1 ? (rows.program[i] as number) : -1;
    if (program >= 0 && !isPlaced(stored, program))
      damaged(input, 'a symbol is like a program that is not known');
    if (program < 0 && other >= others.page.length) damaged(input, 'a symbol is missing');
    source[i] = program < 0 ? -1 - other++ : program;
    const start =
      program < 0
        ? (others.page[other - 1] as number)
        : (page[program] as number) + (startPage[program] as number);
    const last = pages.at(-1) ?? -1;
    if (start < last) damaged(input, 'symbols are out of order');
    if (start === last) continue;
    pages.push(start);
    starts.push(i);
  }
  starts.push(rows.own.length);

  const otherPlace = (i: number): Pick<KernelSymbol, 'start' | 'end' | 'name'> => {
    const first = others.page[i] as number;
    return {
      start: Address.of(first, whole(others.offset[i])),
      end: Address.of(first + whole(others.endPage[i]), whole(others.endOffset[i])),
      name: texts.at(others.name[i] as number),
    };
  };
  const symbolAt = (i: number): KernelSymbol => {
    const row = source[i] as number;
    const program = whole(row < 0 ? rows.program[i] : number[row]);
    const { start, end, name } = row < 0 ? otherPlace(-1 - row) : symbolOf(stored, row);
    const ksym = { hi: whole(rows.ksymHi[i]), lo: whole(rows.ksymLo[i]) };
    return { start, end, name, ksym, program, since: whole(rows.since[i]) };
  };
  const listAt = (index: number): readonly KernelSymbol[] => {
    const list: KernelSymbol[] = [];
    const end = starts[index + 1] as number;
    for (let i = starts[index] as number; i < end; i++) list.push(symbolAt(i));
    return list;
  };
  STORED.set(listAt, { starts, source, rows, others, programs: stored });
  return SparseMap.of(pages, listAt, owner);
};
