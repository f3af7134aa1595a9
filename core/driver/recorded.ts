import { Space } from '../event/pages.js';
import { Address, pageText } from '../value/address.js';
import { Word } from '../value/words.js';
import type { Args, Value } from '../kernel/request.js';
import { LINES, type Column, type LineShape, type ValueForm } from './lines.js';

/** Names of the values of a line, interned by the reader: the same object for the same names. */
export interface RecordedNames {
  readonly id: number;
  readonly names: readonly string[];
}

/** A call line of a recording, as the reader of any format gives it. */
export interface RecordedLine {
  readonly line: number;
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly time: number;
  /** Kernel function, without the suffix of return events. */
  readonly fn: string;
  readonly isReturn: boolean;
  readonly place: string;
  readonly signature: RecordedNames;
  readonly hi: readonly number[];
  readonly lo: readonly number[];
  readonly texts: readonly (string | null)[] | null;
}

const EMPTY_SHAPE: LineShape = { entry: {}, result: {} };

/** A value of a line that the table knows. */
interface Known {
  readonly index: number;
  readonly column: Column;
}

/** What the values of one kind of line mean: those that are compared with the model, and those that the model may take over. */
export interface Columns {
  readonly known: readonly Known[];
  readonly compared: readonly Known[];
  readonly taken: readonly Known[];
}

/** An argument that a recorder has no name for. */
const RAW = /^arg\d+$/;

const columnsOf = (line: RecordedLine): Columns => {
  const shape = LINES[line.fn] ?? EMPTY_SHAPE;
  const table = line.isReturn ? shape.result : shape.entry;
  // Copies that a compiler made of a function may have other arguments: of raw registers nobody knows which.
  const moved = /\.(?:isra|constprop)\./.test(line.place);
  const known = line.signature.names.flatMap((name, index) => {
    const column = moved && RAW.test(name) ? undefined : table[name];
    return column === undefined ? [] : [{ index, column }];
  });
  return {
    known,
    compared: known.filter(({ column }) => column.class === 'compared'),
    taken: known.filter(({ column }) => column.class === 'compared' || column.class === 'choice'),
  };
};

/** Looks columns up once per signature and kind of line. */
export const columnCache = (): ((line: RecordedLine) => Columns) => {
  // By function, then by the number of the signature.
  const entries = new Map<string, (Columns | undefined)[]>();
  const returns = new Map<string, (Columns | undefined)[]>();
  return (line) => {
    const cache = line.isReturn ? returns : entries;
    let bySignature = cache.get(line.fn);
    if (bySignature === undefined) cache.set(line.fn, (bySignature = []));
    return (bySignature[line.signature.id] ??= columnsOf(line));
  };
};

const valueOf = (line: RecordedLine, index: number, form: ValueForm): Value => {
  const hi = line.hi[index] ?? 0;
  const lo = line.lo[index] ?? 0;
  switch (form) {
    case 'a':
    case 'u':
      return Address.fromWords(hi, lo);
    case 'w':
      return { hi, lo };
    case 'n':
      return hi * 0x100000000 + lo;
    case 'i':
      return lo | 0;
    case 't':
      return line.texts?.[index] ?? '';
  }
};

/** The value that a line carries under its recorded name. */
export const recordedValue = (line: RecordedLine, name: string): Word | null => {
  const index = line.signature.names.indexOf(name);
  return index < 0 ? null : { hi: line.hi[index] ?? 0, lo: line.lo[index] ?? 0 };
};

export const recordedText = (line: RecordedLine, name: string): string | null => {
  const index = line.signature.names.indexOf(name);
  return index < 0 ? null : (line.texts?.[index] ?? null);
};

export const recordedNumber = (line: RecordedLine, name: string): number | null => {
  const word = recordedValue(line, name);
  return word === null ? null : Word.toNumber(word);
};

export const recordedAddress = (line: RecordedLine, name: string): Address | null => {
  const word = recordedValue(line, name);
  return word === null ? null : Word.toAddress(word);
};

/** Pages that one call can be about: 2 GiB, all that code areas have. */
export const MOST_PAGES = 524288;
const SIZES: readonly string[] = ['size', 'len', 'hdr_size', 'proglen'];
/** Functions whose sizes are those of executable memory; others may be about all of vmalloc. */
const SIZED =
  /^(?:set_memory_|set_direct_map_|_*change_page_attr|module_alloc|bpf_|execmem_|text_poke|__text_poke)/;
/** Of other areas: what vmalloc can give a machine of 64 GiB. */
const MOST_VMALLOC = 2 ** 24;

/** False where a line counts more memory than there can be: it is kept as it stands, and nothing is done for each of its pages. */
export const plausible = (line: RecordedLine): boolean => {
  const most = SIZED.test(line.fn) ? MOST_PAGES : MOST_VMALLOC;
  const { names } = line.signature;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const unit = name === 'numpages' ? 1 : SIZES.includes(name) ? 4096 : 0;
    if (unit === 0) continue;
    const value = line.fn.includes('modmem') ? 0 : (line.hi[i] ?? 0) * 0x100000000 + (line.lo[i] ?? 0);
    if (value / unit > most) return false;
  }
  return true;
};

/** All values of a line under the names of the kernel functions. */
export const argsOf = (line: RecordedLine, { known }: Columns): Args => {
  const args: Record<string, Value> = {};
  for (const { index, column } of known) args[column.as] = valueOf(line, index, column.form);
  return args;
};

const same = (model: Value, hi: number, lo: number, text: string | null): boolean => {
  if (typeof model === 'number') {
    if (model >= 0) return hi === Math.floor(model / 0x100000000) && lo === model >>> 0;
    return lo === model >>> 0 && (hi === 0xffffffff || hi === 0);
  }
  if (typeof model === 'string') return text === model;
  if (model === undefined) return true;
  if ('page' in model) return Address.hi(model) === hi && Address.lo(model) === lo;
  return model.hi === hi && model.lo === lo;
};

/** Addresses of user space lie below; a temporary mapping of the kernel may lie anywhere there. */
const USER_PAGES = 2 ** 44;

const sameInPage = (model: Value, hi: number, lo: number): boolean | null => {
  if (typeof model !== 'object' || !('page' in model) || model.page >= USER_PAGES) return null;
  return Address.fromWords(hi, lo).page < USER_PAGES && (lo & 0xfff) === model.offset;
};

/** Name of the first compared value that is not as the model says, or null. */
export const firstDifference = (line: RecordedLine, { compared }: Columns, model: Args): string | null => {
  const { hi, lo, texts } = line;
  for (let i = 0; i < compared.length; i++) {
    const { index, column } = compared[i] as Known;
    const value = model[column.as];
    if (value === undefined) continue;
    const [high, low] = [hi[index] ?? 0, lo[index] ?? 0];
    const inPage = column.form === 'u' ? sameInPage(value, high, low) : null;
    if (!(inPage ?? same(value, high, low, texts?.[index] ?? null)))
      return line.signature.names[index] as string;
  }
  return null;
};

/** Model's arguments, with the recorded value of everything that is a choice or unknown to the model. */
export const mergeArgs = (line: RecordedLine, { taken }: Columns, model: Args): Args => {
  let merged: Record<string, Value> | null = null;
  for (let i = 0; i < taken.length; i++) {
    const { index, column } = taken[i] as Known;
    if (column.class === 'compared' && model[column.as] !== undefined) continue;
    merged ??= { ...model };
    merged[column.as] = valueOf(line, index, column.form);
  }
  return merged ?? model;
};

/** Value as text for messages: addresses and words in hex, numbers in decimal. */
export const valueText = (value: Value): string => {
  if (value === undefined) return '?';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  return 'page' in value ? Address.toText(value) : Word.toHex(value);
};

/** Which page a call of the model is about, where its line does not say it: of the mapping itself, or of its alias in the direct map. */
const positionText = ({ space, page, vaddr, address }: Args): string => {
  if (typeof space !== 'number' || typeof page !== 'number' || vaddr !== undefined || address !== undefined)
    return '';
  if (space === Space.virtual) return ` primary ${pageText(page)}`;
  return page < 0 ? ' alias of a frame that is not known' : ` alias of frame ${page}`;
};

/** A call of the model, or what it returns, with the values that a line of it would show. */
export const argsText = (fn: string, args: Args, isReturn = false): string => {
  const shape = LINES[fn];
  const shown =
    shape === undefined
      ? null
      : new Set(Object.values(isReturn ? shape.result : shape.entry).map(({ as }) => as));
  const values = Object.entries(args)
    .filter(([name, value]) => value !== undefined && shown?.has(name) !== false)
    .map(([name, value]) => ` ${name}=${valueText(value)}`);
  return `${fn}${isReturn ? ' returns' : ''}${positionText(args)}${values.join('')}`;
};

export const lineText = (line: RecordedLine): string =>
  `${line.fn}${line.isReturn ? ' returns' : ''} ${line.signature.names
    .map(
      (name, i) =>
        `${name}=${line.texts?.[i] !== undefined && line.texts[i] !== null ? JSON.stringify(line.texts[i]) : Word.toHex({ hi: line.hi[i] ?? 0, lo: line.lo[i] ?? 0 })}`,
    )
    .join(' ')}`.trimEnd();
