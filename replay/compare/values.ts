import { LINES, canonicalFunction, type Column } from '../../core/driver/lines.js';
import type { Entered, Returned } from '../../core/event/calls.js';
import type { Memory } from '../../core/memory/memory.js';
import { Address } from '../../core/value/address.js';
import { Word } from '../../core/value/words.js';
import { symbolParts } from '../programs.js';
import {
  isPointer,
  samePlacedAddress,
  placedAddress,
  type Renamings,
  type PlacedAddress,
} from './addresses.js';

/** A value of a call line that two traces are compared by. */
export interface ComparedValue {
  /** The name that the kernel functions use. */
  readonly name: string;
  readonly hi: number;
  readonly lo: number;
  readonly text: string | null;
  /** `choice`: the surroundings decide; it is counted when it differs, no more. */
  readonly class: 'compared' | 'choice';
  /** What an address lies in; null for other values. */
  readonly place: PlacedAddress | null;
  /** A signed 32-bit result. */
  readonly signed: boolean;
}

/**
 * Values that the table of lines compares, because the model predicts them from the memory before, and that are choices between two boots: what lay
 * in memory, which frames there are, what others had freed.
 */
const CHOICES: ReadonlySet<string> = new Set([
  'bpf_jit_binary_pack_finalize ro_header_size',
  'bpf_jit_binary_pack_alloc proglen',
  'bpf_jit_binary_alloc proglen',
  'bpf_int_jit_compile jited_len',
  'cpa_flush pfn',
  '__change_page_attr_set_clr pfn',
  '__purge_vmap_area_lazy start',
  '__purge_vmap_area_lazy end',
  '__purge_vmap_area_lazy ret',
  '_vm_unmap_aliases start',
  '_vm_unmap_aliases end',
  '_vm_unmap_aliases ret',
]);

/** Lengths of images: everything measured by them differs with them. */
const IMAGE_LENGTHS: ReadonlySet<string> = new Set(['proglen', 'jited_len']);
const MEASURED: ReadonlySet<string> = new Set([
  'size',
  'len',
  'rw_header_size',
  'numpages',
  'jited_len',
  'curpage',
  'end',
]);

interface NamedColumn {
  readonly index: number;
  readonly column: Column;
  readonly class: 'compared' | 'choice';
}

/** By function, then by the names of its values: of entries and of returns. */
const cache = {
  entered: new Map<string, Map<string, readonly NamedColumn[]>>(),
  returned: new Map<string, Map<string, readonly NamedColumn[]>>(),
};

const columnsOf = ({ kind, fn: recorded, names }: Entered | Returned): readonly NamedColumn[] => {
  let own = cache[kind].get(recorded);
  if (own === undefined) {
    own = new Map<string, readonly NamedColumn[]>();
    cache[kind].set(recorded, own);
  }
  const known = own.get(names);
  if (known !== undefined) return known;
  const fn = canonicalFunction(recorded);
  const isReturn = kind === 'returned';
  const shape = LINES[fn];
  const table = isReturn ? shape?.result : shape?.entry;
  const columns: NamedColumn[] = [];
  for (const [index, name] of names.split(',').entries()) {
    const column = table?.[name];
    if (column === undefined || column.class === 'ignored' || column.class === 'identity') continue;
    const isChoice = column.class === 'choice' || CHOICES.has(`${fn} ${column.as}`);
    columns.push({ index, column, class: isChoice ? 'choice' : 'compared' });
  }
  own.set(names, columns);
  return columns;
};

/** The values of a call line that count, with what their addresses lie in now. */
export const valuesOf = (event: Entered | Returned, memory: Memory): readonly ComparedValue[] => {
  const columns = columnsOf(event);
  const { hi, lo, texts } = event.values;
  return columns.map(({ index, column, class: cls }) => {
    const high = hi[index] ?? 0;
    const low = lo[index] ?? 0;
    const isAddress = column.form === 'a' || (column.form === 'w' && isPointer(high, low));
    return {
      name: column.as,
      hi: high,
      lo: low,
      text: texts?.[index] ?? null,
      class: cls,
      place: isAddress ? placedAddress(memory, Address.fromWords(high, low)) : null,
      signed: column.form === 'i',
    };
  });
};

/** What has come out so far about the pair of root calls being compared. */
export interface Scope {
  readonly names: Renamings;
  /** Images have other lengths (a choice): sizes and places that follow from them are not compared. */
  otherLengths: boolean;
  /** Chunks lie elsewhere in their packs, for reasons that are choices. */
  otherLayout: boolean;
  /** Choices that differed. */
  choices: number;
  /** Pairs of values that were reported: where they show again, they follow. */
  readonly reported: Set<string>;
  /** Pairs of addresses that were reported, for as long as the comparison lasts. */
  readonly displaced: Set<string>;
  /** Values that differ because others do. */
  follows: number;
}

const MOST_DISPLACED = 1 << 16;

/** False when this pair of values was reported before: it follows. */
export const isNews = (a: string | number, b: string | number, scope: Scope): boolean => {
  const key = `${a}|${b}`;
  if (scope.reported.has(key)) {
    scope.follows++;
    return false;
  }
  scope.reported.add(key);
  return true;
};

const hex = ({ hi, lo }: { readonly hi: number; readonly lo: number }): string =>
  `${hi.toString(16)}:${lo.toString(16)}`;

/** Whether two addresses are the same but for renaming, or are known to differ. */
export const samePlaces = (a: PlacedAddress, b: PlacedAddress, scope: Scope): boolean => {
  if (samePlacedAddress(a, b, scope.names)) return true;
  if (scope.otherLayout && a.area !== null && b.area !== null) {
    scope.choices++;
    return true;
  }
  const key = `${hex(a)}|${hex(b)}`;
  if (scope.displaced.has(key)) {
    scope.follows++;
    return true;
  }
  scope.displaced.add(key);
  if (scope.displaced.size > MOST_DISPLACED) scope.displaced.clear();
  return false;
};

const sameValue = (a: ComparedValue, b: ComparedValue, scope: Scope): boolean => {
  if (a.text !== null || b.text !== null)
    // The tag in a symbol is a hash of the program, made differently by different kernels.
    return a.text === b.text || symbolParts(a.text).name === symbolParts(b.text).name;
  if (a.place !== null && b.place !== null) return samePlaces(a.place, b.place, scope);
  if (a.signed) return a.lo === b.lo;
  return a.hi === b.hi && a.lo === b.lo;
};

/** Values that differ and are no addresses: whether they were reported as such before. */
const isNewsOf = (a: ComparedValue, b: ComparedValue, scope: Scope): boolean =>
  a.place !== null || a.text !== null || isNews(a.hi * 2 ** 32 + a.lo, b.hi * 2 ** 32 + b.lo, scope);

const sameChoice = (a: ComparedValue, b: ComparedValue, scope: Scope): boolean =>
  a.place !== null && b.place !== null
    ? samePlacedAddress(a.place, b.place, scope.names)
    : sameValue(a, b, scope);

/** Names of the compared values that differ. Choices that differ are counted. */
export const differingValues = (
  a: readonly ComparedValue[],
  b: readonly ComparedValue[],
  scope: Scope,
): readonly string[] => {
  const differing: string[] = [];
  for (const value of a) {
    const other = b.find(({ name }) => name === value.name);
    if (other === undefined) continue;
    const isChoice = value.class === 'choice' || other.class === 'choice';
    // A choice that is an address teaches which one stands for which, where they can.
    if (isChoice ? sameChoice(value, other, scope) : sameValue(value, other, scope)) continue;
    if (isChoice) {
      scope.choices++;
      if (IMAGE_LENGTHS.has(value.name)) {
        scope.otherLengths = true;
        scope.otherLayout = true;
      }
    } else if (scope.otherLengths && (MEASURED.has(value.name) || value.place !== null)) scope.choices++;
    else if (isNewsOf(value, other, scope)) differing.push(value.name);
  }
  return differing;
};

/** A value as a report shows it. */
export const valueText = ({ hi, lo, text, signed, place }: ComparedValue): string => {
  if (text !== null) return JSON.stringify(text);
  if (place !== null) return Word.toHex({ hi, lo });
  if (signed) return String(lo | 0);
  return hi === 0 && lo < 0x10000 ? String(lo) : Word.toHex({ hi, lo });
};
