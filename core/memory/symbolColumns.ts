/** The symbols of a memory as columns: of those that a snapshot has, none becomes an object. */
import { storedSymbols, type StoredSymbols } from './encodeSymbols.js';
import type { KernelSymbol } from './memory.js';
import { SparseMap, type Rows } from './sparse.js';
import { PAGE_SIZE } from '../value/address.js';

export interface SymbolColumns {
  /** Pages in which symbols begin, ascending. */
  readonly pages: Float64Array;
  /** Of each page its first symbol; then how many symbols there are. */
  readonly firsts: Float64Array;
  readonly offset: Float64Array;
  readonly endPage: Float64Array;
  readonly endOffset: Float64Array;
  /** Number of the program. */
  readonly program: Float64Array;
  readonly name: (i: number) => string;
  /** The symbol as an object. */
  readonly symbol: (i: number) => KernelSymbol;
}

/** Where each symbol comes from. */
interface Places {
  /** Its page, as a place among the pages. */
  readonly page: Int32Array;
  /** Its row in the stored columns; below 0: only as an object. */
  readonly row: Int32Array;
}

const listLength = (
  { indexes, value }: Rows<readonly KernelSymbol[]>,
  stored: StoredSymbols | null,
  i: number,
): number => {
  const index = indexes[i] as number;
  return stored === null || index < 0
    ? value(i).length
    : (stored.starts[index + 1] as number) - (stored.starts[index] as number);
};

export const symbolColumns = (symbols: SparseMap<readonly KernelSymbol[]>): SymbolColumns => {
  const rows = SparseMap.rows(symbols);
  const stored = storedSymbols(rows.source);
  const lists = rows.keys.length;
  const firsts = new Float64Array(lists + 1);
  for (let i = 0; i < lists; i++) firsts[i + 1] = (firsts[i] as number) + listLength(rows, stored, i);
  const count = firsts[lists] as number;
  const places: Places = { page: new Int32Array(count), row: new Int32Array(count).fill(-1) };
  const column = (): Float64Array => new Float64Array(count);
  const columns = {
    pages: rows.keys,
    firsts,
    offset: column(),
    endPage: column(),
    endOffset: column(),
    program: column(),
  };

  const putObject = (at: number, symbol: KernelSymbol): void => {
    columns.offset[at] = symbol.start.offset;
    columns.endPage[at] = symbol.end.page;
    columns.endOffset[at] = symbol.end.offset;
    columns.program[at] = symbol.program;
  };
  const putStored = (at: number, row: number, from: StoredSymbols): void => {
    places.row[at] = row;
    const program = from.source[row] as number;
    if (program < 0) {
      const other = -1 - program;
      columns.program[at] = from.rows.program[row] as number;
      columns.offset[at] = from.others.offset[other] as number;
      columns.endPage[at] = (from.others.page[other] as number) + (from.others.endPage[other] as number);
      columns.endOffset[at] = from.others.endOffset[other] as number;
      return;
    }
    const c = from.programs.columns;
    const offset = (c.offset[program] as number) + (c.startOffset[program] as number);
    const end = offset + (c.proglen[program] as number) + (c.length[program] as number);
    columns.program[at] = c.number[program] as number;
    columns.offset[at] = offset;
    const pages = Math.floor(end / PAGE_SIZE);
    columns.endPage[at] = (c.page[program] as number) + (c.startPage[program] as number) + pages;
    columns.endOffset[at] = end - pages * PAGE_SIZE;
  };
  for (let i = 0; i < lists; i++) {
    const first = firsts[i] as number;
    const end = firsts[i + 1] as number;
    const index = rows.indexes[i] as number;
    places.page.fill(i, first, end);
    if (stored === null || index < 0)
      for (const [nth, symbol] of rows.value(i).entries()) putObject(first + nth, symbol);
    else
      for (let at = first; at < end; at++)
        putStored(at, (stored.starts[index] as number) + at - first, stored);
  }

  const symbol = (at: number): KernelSymbol => {
    const page = places.page[at] as number;
    return rows.value(page)[at - (firsts[page] as number)] as KernelSymbol;
  };
  return {
    ...columns,
    name: (at) => {
      const row = places.row[at] as number;
      if (row < 0 || stored === null) return symbol(at).name;
      const program = stored.source[row] as number;
      const { texts, columns: c } = stored.programs;
      return texts.at((program < 0 ? stored.others.name[-1 - program] : c.name[program]) as number);
    },
    symbol,
  };
};
