import { damaged, type Input } from '../codec/input.js';
import type { Output } from '../codec/output.js';
import { Address } from '../value/address.js';
import type { KernelSymbol, Program } from './memory.js';
import { SparseMap } from './sparse.js';
import { HALF, INT, PAGE, UINT, putTable, takeTable, textAt, type TextNumbers } from './table.js';

/** `own`: 1 where the symbol says of its program what the program says itself: name, start and end. */
const SYMBOLS = { own: UINT, program: UINT, ksymHi: HALF, ksymLo: HALF };
/** The others, end from the start. */
const OTHERS = { page: PAGE, offset: UINT, endPage: INT, endOffset: UINT, name: UINT };

const endOf = ({ start, length }: Program): Address | null =>
  start === null || length === null ? null : Address.add(start, length);

const isOwn = (symbol: KernelSymbol, program: Program | undefined): boolean => {
  if (program === undefined || program.name !== symbol.name || program.start === null) return false;
  const end = endOf(program);
  return Address.equals(program.start, symbol.start) && end !== null && Address.equals(end, symbol.end);
};

export const putSymbols = (
  out: Output,
  symbols: SparseMap<readonly KernelSymbol[]>,
  programs: SparseMap<Program>,
  texts: TextNumbers,
): void => {
  const rows = Array.from(SparseMap.entries(symbols), ([, list]) => list)
    .flat()
    .map((symbol) => ({ symbol, own: isOwn(symbol, SparseMap.get(programs, symbol.program)) }));
  putTable(out, SYMBOLS, rows, {
    own: ({ own }) => (own ? 1 : 0),
    program: ({ symbol }) => symbol.program,
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

/** Symbols stand under the page of their start. */
export const takeSymbols = (
  input: Input,
  programs: SparseMap<Program>,
  texts: readonly string[],
): SparseMap<readonly KernelSymbol[]> => {
  const rows = takeTable(input, SYMBOLS);
  const others = takeTable(input, OTHERS);
  const pages: number[] = [];
  const lists: KernelSymbol[][] = [];
  let other = 0;
  const otherSymbol = (): Pick<KernelSymbol, 'start' | 'end' | 'name'> => {
    const i = other++;
    if (i >= others.page.length) damaged(input, 'a symbol is missing');
    const page = others.page[i] as number;
    return {
      start: Address.of(page, others.offset[i]),
      end: Address.of(page + (others.endPage[i] as number), others.endOffset[i]),
      name: textAt(input, texts, others.name[i] as number),
    };
  };
  const ownSymbol = (number: number): Pick<KernelSymbol, 'start' | 'end' | 'name'> => {
    const program = SparseMap.get(programs, number);
    const end = program === undefined ? null : endOf(program);
    if (program === undefined || program.start === null || program.name === null || end === null)
      return damaged(input, 'a symbol is like a program that is not known');
    return { start: program.start, end, name: program.name };
  };
  for (let i = 0; i < rows.own.length; i++) {
    const program = rows.program[i] as number;
    const { start, end, name } = rows.own[i] === 1 ? ownSymbol(program) : otherSymbol();
    const ksym = { hi: rows.ksymHi[i] as number, lo: rows.ksymLo[i] as number };
    const symbol: KernelSymbol = { start, end, name, ksym, program };
    const last = pages.at(-1) ?? -1;
    if (start.page < last) damaged(input, 'symbols are out of order');
    if (start.page === last) lists.at(-1)?.push(symbol);
    else {
      pages.push(start.page);
      lists.push([symbol]);
    }
  }
  return SparseMap.of(pages, lists);
};
