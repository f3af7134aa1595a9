import { symbolParts } from '../core/history/lives.js';
import { Memory, type KernelSymbol, type Program, type ProgramState } from '../core/memory/memory.js';
import { programColumns, type ProgramColumns } from '../core/memory/programColumns.js';
import { symbolColumns, type SymbolColumns } from '../core/memory/symbolColumns.js';
import { Address, PAGE_SIZE } from '../core/value/address.js';
import { sortedPlaces } from '../core/value/order.js';

export { symbolParts };

/** A program as the outputs show it. */
export interface ShownProgram {
  readonly id: number | null;
  readonly name: string | null;
  readonly tag: string | null;
  readonly kind: 'program' | 'function' | 'classic' | 'dispatcher' | 'trampoline';
  /** First byte of its memory; null for a program older than the log of which only the symbol is known. */
  readonly chunk: string | null;
  /** Bytes. */
  readonly chunk_len: number | null;
  /** Its entry (bpf_func); null while that is not known. */
  readonly start: string | null;
  /** Length of its code in bytes; null while that is not known. */
  readonly len: number | null;
  readonly symbol: boolean;
  readonly state: ProgramState;
}

/** A program whose memory and code are known. */
export interface WholeProgram extends ShownProgram {
  readonly chunk: string;
  readonly chunk_len: number;
  readonly start: string;
  readonly len: number;
}

export const isWhole = (program: ShownProgram): program is WholeProgram =>
  program.chunk !== null && program.chunk_len !== null && program.start !== null && program.len !== null;

const OF_PROGRAMS = /^bpf_(?:prog|dispatcher)_/;

const kindOf = (type: string): ShownProgram['kind'] =>
  type === 'function' || type === 'classic' || type === 'dispatcher' || type === 'trampoline'
    ? type
    : 'program';

/** A program, or the symbol of one that is older than the log. */
export type Known = Program | KernelSymbol;

const PREFIX = 'bpf_prog_';
const TAG_START = PREFIX.length;
const TAG_END = TAG_START + 16;
const UNDERSCORE = 0x5f;

const isDigit = (code: number): boolean => (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);

/** Whether a symbol says a tag, as `symbolParts` has it. Thousands are asked: no regular expression. */
export const isTagged = (name: string | null): name is string => {
  if (name === null || !name.startsWith(PREFIX)) return false;
  for (let i = TAG_START; i < TAG_END; i++) if (!isDigit(name.charCodeAt(i))) return false;
  return name.length === TAG_END || name.charCodeAt(TAG_END) === UNDERSCORE;
};

const tagOf = (name: string | null): string | null =>
  isTagged(name) ? name.slice(TAG_START, TAG_END) : null;

/** Whether two symbols say the same tag, or both say none. */
export const sameTag = (a: string | null, b: string | null): boolean => {
  if (a === b) return true;
  if (a !== null && b !== null)
    // What differs in the first digit of the tag are mostly two tags.
    for (let i = TAG_START; i < TAG_END; i++)
      if (a.charCodeAt(i) !== b.charCodeAt(i)) return !isTagged(a) && !isTagged(b);
  return tagOf(a) === tagOf(b);
};

const lengthOf = ({ start, end }: KernelSymbol): number | null => {
  const length = Address.minus(end, start);
  return length > 0 ? length : null;
};

const shownOlder = (symbol: KernelSymbol): ShownProgram => ({
  id: null,
  ...symbolParts(symbol.name),
  kind: symbol.name.startsWith('bpf_dispatcher_') ? 'dispatcher' : 'program',
  chunk: null,
  chunk_len: null,
  start: Address.toText(symbol.start),
  len: lengthOf(symbol),
  symbol: true,
  state: 'live',
});

export const shownProgram = (known: Known): ShownProgram =>
  'chunk' in known
    ? {
        id: known.id,
        ...symbolParts(known.name),
        kind: kindOf(known.type),
        chunk: Address.toText(known.chunk),
        chunk_len: known.bytes,
        start: known.start === null ? null : Address.toText(known.start),
        len: known.length,
        symbol: known.symbols > 0,
        state: known.state,
      }
    : shownOlder(known);

/** Whether two programs, each a row, are shown alike. */
const sameRow = (a: ProgramColumns, i: number, b: ProgramColumns, j: number): boolean =>
  a.id[i] === b.id[j] &&
  a.page[i] === b.page[j] &&
  a.offset[i] === b.offset[j] &&
  a.bytes[i] === b.bytes[j] &&
  a.startPage[i] === b.startPage[j] &&
  a.startOffset[i] === b.startOffset[j] &&
  a.length[i] === b.length[j] &&
  (a.symbols[i] !== 0) === (b.symbols[j] !== 0) &&
  a.state[i] === b.state[j] &&
  a.name(i) === b.name(j) &&
  kindOf(a.type(i)) === kindOf(b.type(j));

const sameOlder = (a: Known, b: Known): boolean =>
  !('chunk' in a) &&
  !('chunk' in b) &&
  a.name === b.name &&
  Address.equals(a.start, b.start) &&
  lengthOf(a) === lengthOf(b);

/** Whether two that are at one address are shown alike. */
export const sameShown = (a: ByAddress, i: number, b: ByAddress, j: number): boolean => {
  const [row, other] = [a.rows[i] as number, b.rows[j] as number];
  return row < 0 || other < 0 ? sameOlder(a.known(i), b.known(j)) : sameRow(a.placed, row, b.placed, other);
};

/** Numbers that are asked for one by one. */
export interface Numbers {
  readonly has: (number: number) => boolean;
}

/** So far apart, numbers are kept as bytes. */
const MOST_BYTES = 2 ** 18;

/** `numbers` ascend. */
const numbersOf = (numbers: Float64Array): Numbers => {
  const low = numbers[0] ?? 0;
  const far = (numbers.at(-1) ?? 0) - low;
  if (far >= MOST_BYTES) return new Set(numbers);
  const there = new Uint8Array(far + 1);
  for (let i = 0; i < numbers.length; i++) there[(numbers[i] as number) - low] = 1;
  return { has: (number) => there[number - low] === 1 };
};

/** The programs of a memory, read once. */
export interface KnownPrograms {
  /** By number. */
  readonly placed: ProgramColumns;
  readonly numbers: Numbers;
  readonly symbols: SymbolColumns;
  /** Symbols of programs that are older than the log: nothing else is known of them. */
  readonly older: readonly KernelSymbol[];
}

const olderPrograms = (memory: Memory, symbols: SymbolColumns, numbers: Numbers): readonly KernelSymbol[] => {
  const older: KernelSymbol[] = [];
  for (let i = 0; i < symbols.program.length; i++) {
    if (numbers.has(symbols.program[i] as number) || !OF_PROGRAMS.test(symbols.name(i))) continue;
    const symbol = symbols.symbol(i);
    if (Memory.programAt(memory, symbol.start) === null) older.push(symbol);
  }
  return older;
};

export const knownPrograms = (memory: Memory): KnownPrograms => {
  const placed = programColumns(memory.programs);
  const symbols = symbolColumns(memory.symbols);
  const numbers = numbersOf(placed.number);
  return { placed, numbers, symbols, older: olderPrograms(memory, symbols, numbers) };
};

/** Programs by address, their addresses beside them. */
export interface ByAddress {
  readonly count: number;
  readonly pages: Float64Array;
  readonly offsets: Float64Array;
  readonly placed: ProgramColumns;
  /** Of each its row in `placed`; -1: it is older than the log. */
  readonly rows: Int32Array;
  readonly nameOf: (i: number) => string | null;
  readonly known: (i: number) => Known;
}

/** All programs. Of those at one address the lower number comes first, and what is older than the log last. */
export const byAddress = ({ placed, older }: KnownPrograms): ByAddress => {
  const count = placed.count + older.length;
  const page = new Float64Array(count);
  const offset = new Float64Array(count);
  page.set(placed.page);
  offset.set(placed.offset);
  for (const [i, { start }] of older.entries()) {
    page[placed.count + i] = start.page;
    offset[placed.count + i] = start.offset;
  }
  const order = addressOrder(page, offset);
  const pages = new Float64Array(count);
  const offsets = new Float64Array(count);
  const rows = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const at = order[i] as number;
    pages[i] = page[at] as number;
    offsets[i] = offset[at] as number;
    rows[i] = at < placed.count ? at : -1;
  }
  const known = (i: number): Known => {
    const at = order[i] as number;
    return at < placed.count ? placed.program(at) : (older[at - placed.count] as KernelSymbol);
  };
  const nameOf = (i: number): string | null => {
    const row = rows[i] as number;
    return row < 0 ? known(i).name : placed.name(row);
  };
  return { count, pages, offsets, placed, rows, nameOf, known };
};

/** The highest page that, counted in bytes, is still a whole number. */
const MOST_PAGES = Number.MAX_SAFE_INTEGER / PAGE_SIZE - 1;

/** Places in a list in the order of the addresses. */
const addressOrder = (pages: Float64Array, offsets: Float64Array): Float64Array => {
  let low = Infinity;
  let high = 0;
  for (let i = 0; i < pages.length; i++) {
    const page = pages[i] as number;
    if (page < low) low = page;
    if (page > high) high = page;
  }
  if (high - low > MOST_PAGES) {
    const compare = (i: number, j: number): number =>
      (pages[i] as number) - (pages[j] as number) || (offsets[i] as number) - (offsets[j] as number) || i - j;
    return Float64Array.from(pages, (_, i) => i).sort(compare);
  }
  const keys = new Float64Array(pages.length);
  for (let i = 0; i < keys.length; i++)
    keys[i] = ((pages[i] as number) - low) * PAGE_SIZE + (offsets[i] as number);
  return sortedPlaces(keys);
};

const shownAt = ({ count, known }: ByAddress): readonly ShownProgram[] =>
  Array.from({ length: count }, (_, i) => shownProgram(known(i)));

/** All programs, by address. Programs older than the log show by their symbol alone. */
export const programs = (memory: Memory): readonly ShownProgram[] =>
  shownAt(byAddress(knownPrograms(memory)));
