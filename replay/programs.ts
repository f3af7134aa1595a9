import { symbolParts } from '../core/history/lives.js';
import { Memory, type KernelSymbol, type Program, type ProgramState } from '../core/memory/memory.js';
import { SparseMap } from '../core/memory/sparse.js';
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

/** The address by which it goes: where its memory begins, or its code where only that is known. */
export const placeOf = (known: Known): Address => ('chunk' in known ? known.chunk : known.start);

const TAGGED = /^bpf_prog_[0-9a-f]{16}(?:_|$)/;
const TAG_START = 'bpf_prog_'.length;
const TAG_END = TAG_START + 16;

/** The tag alone, as `symbolParts` has it. */
export const tagOf = ({ name }: Known): string | null =>
  name !== null && TAGGED.test(name) ? name.slice(TAG_START, TAG_END) : null;

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

const sameAddress = (a: Address | null, b: Address | null): boolean =>
  a === b || (a !== null && b !== null && Address.equals(a, b));

/** Whether two that are at one address are shown alike. */
export const sameShown = (a: Known, b: Known): boolean => {
  if ('chunk' in a)
    return (
      'chunk' in b &&
      a.id === b.id &&
      a.name === b.name &&
      kindOf(a.type) === kindOf(b.type) &&
      Address.equals(a.chunk, b.chunk) &&
      a.bytes === b.bytes &&
      sameAddress(a.start, b.start) &&
      a.length === b.length &&
      a.symbols > 0 === b.symbols > 0 &&
      a.state === b.state
    );
  return (
    !('chunk' in b) && a.name === b.name && Address.equals(a.start, b.start) && lengthOf(a) === lengthOf(b)
  );
};

/** The programs of a memory, read once. */
export interface KnownPrograms {
  /** By number. */
  readonly placed: readonly Program[];
  readonly numbers: ReadonlySet<number>;
  /** Symbols of programs that are older than the log: nothing else is known of them. */
  readonly older: readonly KernelSymbol[];
}

const olderPrograms = (memory: Memory, numbers: ReadonlySet<number>): readonly KernelSymbol[] => {
  const older: KernelSymbol[] = [];
  for (const [, list] of SparseMap.entries(memory.symbols))
    for (const symbol of list)
      if (
        !numbers.has(symbol.program) &&
        OF_PROGRAMS.test(symbol.name) &&
        Memory.programAt(memory, symbol.start) === null
      )
        older.push(symbol);
  return older;
};

export const knownPrograms = (memory: Memory): KnownPrograms => {
  const placed: Program[] = [];
  const numbers = new Set<number>();
  for (const [number, program] of SparseMap.entries(memory.programs)) {
    placed.push(program);
    numbers.add(number);
  }
  return { placed, numbers, older: olderPrograms(memory, numbers) };
};

/** Programs by address, their addresses beside them. */
export interface ByAddress {
  readonly known: readonly Known[];
  readonly pages: Float64Array;
  readonly offsets: Float64Array;
}

/** All programs. Of those at one address the lower number comes first, and what is older than the log last. */
export const byAddress = ({ placed, older }: KnownPrograms): ByAddress => {
  const all: readonly Known[] = older.length === 0 ? placed : [...placed, ...older];
  const order = addressOrder(all);
  const known: Known[] = [];
  const pages = new Float64Array(order.length);
  const offsets = new Float64Array(order.length);
  for (let i = 0; i < order.length; i++) {
    const own = all[order[i] as number] as Known;
    const { page, offset } = placeOf(own);
    known.push(own);
    pages[i] = page;
    offsets[i] = offset;
  }
  return { known, pages, offsets };
};

/** The highest page that, counted in bytes, is still a whole number. */
const MOST_PAGES = Number.MAX_SAFE_INTEGER / PAGE_SIZE - 1;

/** Places in a list in the order of the addresses. */
const addressOrder = (all: readonly Known[]): Float64Array => {
  let low = Infinity;
  let high = 0;
  for (const known of all) {
    const { page } = placeOf(known);
    if (page < low) low = page;
    if (page > high) high = page;
  }
  if (high - low > MOST_PAGES) {
    const compare = (i: number, j: number): number =>
      Address.compare(placeOf(all[i] as Known), placeOf(all[j] as Known)) || i - j;
    return Float64Array.from(all, (_, i) => i).sort(compare);
  }
  const keys = new Float64Array(all.length);
  for (let i = 0; i < keys.length; i++) {
    const { page, offset } = placeOf(all[i] as Known);
    keys[i] = (page - low) * PAGE_SIZE + offset;
  }
  return sortedPlaces(keys);
};

/** All programs, by address. Programs older than the log show by their symbol alone. */
export const programs = (memory: Memory): readonly ShownProgram[] =>
  byAddress(knownPrograms(memory)).known.map(shownProgram);
