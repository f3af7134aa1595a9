import { Address } from '../value/address.js';
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

/** Columns of a signature by position; undefined where the table does not know the name. */
export type Columns = readonly (Column | undefined)[];

/** Looks columns up once per signature and kind of line. */
export const columnCache = (): ((line: RecordedLine) => Columns) => {
  const cache = new Map<string, Map<number, Columns>>();
  return (line) => {
    const key = line.isReturn ? `${line.fn} ret` : line.fn;
    let bySignature = cache.get(key);
    if (bySignature === undefined) cache.set(key, (bySignature = new Map<number, Columns>()));
    let columns = bySignature.get(line.signature.id);
    if (columns === undefined) {
      const shape = LINES[line.fn] ?? EMPTY_SHAPE;
      const table = line.isReturn ? shape.result : shape.entry;
      columns = line.signature.names.map((name) => table[name]);
      bySignature.set(line.signature.id, columns);
    }
    return columns;
  };
};

const valueOf = (line: RecordedLine, index: number, form: ValueForm): Value => {
  const hi = line.hi[index] ?? 0;
  const lo = line.lo[index] ?? 0;
  switch (form) {
    case 'a':
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

/** All values of a line under the names of the kernel functions. */
export const argsOf = (line: RecordedLine, columns: Columns): Args => {
  const args: Record<string, Value> = {};
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column !== undefined) args[column.as] = valueOf(line, i, column.form);
  }
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

/** Name of the first compared value that is not as the model says, or null. */
export const firstDifference = (line: RecordedLine, columns: Columns, model: Args): string | null => {
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column === undefined || column.class !== 'compared') continue;
    const value = model[column.as];
    if (value === undefined) continue;
    if (!same(value, line.hi[i] ?? 0, line.lo[i] ?? 0, line.texts?.[i] ?? null))
      return line.signature.names[i] as string;
  }
  return null;
};

/** Model's arguments, with the recorded value of everything that is a choice or unknown to the model. */
export const mergeArgs = (line: RecordedLine, columns: Columns, model: Args): Args => {
  let merged: Record<string, Value> | null = null;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column === undefined || column.class === 'ignored' || column.class === 'identity') continue;
    if (column.class === 'compared' && model[column.as] !== undefined) continue;
    merged ??= { ...model };
    merged[column.as] = valueOf(line, i, column.form);
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

export const argsText = (fn: string, args: Args, isReturn = false): string =>
  `${fn}${isReturn ? ' returns' : ''} ${Object.entries(args)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(' ')}`.trimEnd();

export const lineText = (line: RecordedLine): string =>
  `${line.fn}${line.isReturn ? ' returns' : ''} ${line.signature.names
    .map(
      (name, i) =>
        `${name}=${line.texts?.[i] !== undefined && line.texts[i] !== null ? JSON.stringify(line.texts[i]) : Word.toHex({ hi: line.hi[i] ?? 0, lo: line.lo[i] ?? 0 })}`,
    )
    .join(' ')}`.trimEnd();
