import { damaged, takeBytes, takeUpTo, type Input } from '../codec/input.js';
import { check, putIntegers, takeIntegers, type Range } from '../codec/integers.js';
import { MAX_HALF, MAX_INT, MAX_PAGE } from '../codec/layout.js';
import { newOutput, putBytes, putUint, type Output } from '../codec/output.js';
import { putText, takeText } from '../codec/utf8.js';

/** Tables of integers, column by column: what the bytes of a memory are made of. */

export const UINT: Range = { min: 0, max: MAX_INT };
export const INT: Range = { min: -MAX_INT, max: MAX_INT };
export const PAGE: Range = { min: 0, max: MAX_PAGE };
export const HALF: Range = { min: 0, max: MAX_HALF };
export const BYTE: Range = { min: 0, max: 255 };

/** Rows that a table may say it has: what is damaged must not ask for all memory. */
const MOST_ROWS = 2 ** 24;

/** Columns of a table by name, and what each may hold. Their order is that in the bytes. */
export type Shape = Readonly<Record<string, Range>>;

/** How each column is had from a row. */
type Getters<S extends Shape, T> = { readonly [K in keyof S]: (row: T) => number };

/** The greatest power of two (below 2^32) that all values are multiples of. */
const unitOf = (values: Float64Array): number => {
  let bits = 0;
  for (let i = 0; i < values.length; i++) bits |= values[i] as number;
  return bits === 0 ? 1 : (bits & -bits) >>> 0;
};

/** The unit of a column (addresses are multiples of 64, of 4096), then its values in units. */
const putColumn = (out: Output, values: Float64Array, range: Range): void => {
  if (values.length === 0) return;
  const unit = unitOf(values);
  putUint(out, unit);
  if (unit > 1)
    for (let i = 0; i < values.length; i++) {
      check(values[i] as number, range);
      values[i] = (values[i] as number) / unit;
    }
  putIntegers(out, values, values.length, range);
};

const takeColumn = (input: Input, values: Float64Array, { min, max }: Range): void => {
  if (values.length === 0) return;
  const unit = takeUpTo(input, MAX_INT, 'the unit of a column');
  if (unit === 0) damaged(input, 'the unit of a column is 0');
  takeIntegers(input, values, values.length, { min: Math.ceil(min / unit), max: Math.floor(max / unit) });
  if (unit > 1) for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * unit;
};

/** How many rows, then each column. */
export const putTable = <S extends Shape, T>(
  out: Output,
  shape: S,
  rows: readonly T[],
  getters: Getters<S, T>,
): void => {
  putUint(out, rows.length);
  const values = new Float64Array(rows.length);
  for (const [name, range] of Object.entries(shape)) {
    const get = getters[name] as (row: T) => number;
    for (let i = 0; i < rows.length; i++) values[i] = get(rows[i] as T);
    putColumn(out, values, range);
  }
};

/** The columns of a table, all of one length. */
export const takeTable = <S extends Shape>(
  input: Input,
  shape: S,
): { readonly [K in keyof S]: Float64Array } => {
  const count = takeUpTo(input, MOST_ROWS, 'the number of rows');
  const shapes = Object.entries(shape);
  const all = new Float64Array(count * shapes.length);
  const columns = shapes.map(([name, range], i) => {
    const values = all.subarray(i * count, (i + 1) * count);
    takeColumn(input, values, range);
    return [name, values] as const;
  });
  return Object.fromEntries(columns) as { readonly [K in keyof S]: Float64Array };
};

/** One column of its own. */
export const putNumbers = (out: Output, numbers: ArrayLike<number>, range: Range): void => {
  putUint(out, numbers.length);
  // A loop: Float64Array.from goes through an iterator.
  const values = new Float64Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) values[i] = numbers[i] as number;
  putColumn(out, values, range);
};
export const takeNumbers = (input: Input, range: Range): Float64Array => takeTable(input, { range }).range;

/** How the kernel names programs: this, the tag as 16 hexadecimal digits, `_` and a name. Thousands of texts are such names. */
const PREFIX = 'bpf_prog_';
const NAME = /^bpf_prog_[0-9a-f]{16}/;
const TAG_BYTES = 8;
const NAME_START = PREFIX.length + 2 * TAG_BYTES;

/** Value of the lower-case hexadecimal digit at a place. */
const digitAt = (text: string, at: number): number => {
  const code = text.charCodeAt(at);
  return code < 0x3a ? code - 0x30 : code - 0x57;
};

/** Texts, numbered in the order of first use. */
export class TextNumbers {
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    return number;
  }

  /** Of each text twice the length in bytes of what is written out, and 1 where a prefix and a tag come before that; then all tags as bytes; then what is written out. */
  put(out: Output): void {
    const all = newOutput(4096);
    const tags: number[] = [];
    const lengths: number[] = [];
    for (const text of this.#numbers.keys()) {
      const start = all.at;
      const named = NAME.test(text);
      if (named)
        for (let at = PREFIX.length; at < NAME_START; at += 2)
          tags.push(16 * digitAt(text, at) + digitAt(text, at + 1));
      putText(all, named ? text.slice(NAME_START) : text);
      lengths.push(2 * (all.at - start) + (named ? 1 : 0));
    }
    putNumbers(out, lengths, UINT);
    putBytes(out, Uint8Array.from(tags));
    putBytes(out, all.bytes.subarray(0, all.at));
  }
}

/** The texts that were put, by number. Each is made when it is first asked for. */
export interface Texts {
  readonly count: number;
  readonly at: (number: number) => string;
}

const isAscii = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
};

/** A digit is put where it belongs as a byte: one text is made of all bytes at once, and each text is a part of it. */
const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const PREFIX_BYTES = Array.from(PREFIX, (letter) => letter.charCodeAt(0));

/** Texts as they lie in the bytes: where each begins among what is written out, and where its tag does. */
interface StoredTexts {
  readonly bytes: Uint8Array;
  readonly tags: Uint8Array;
  readonly starts: Float64Array;
  readonly tagged: Uint32Array;
}

/** Puts prefix and tag of a text; gives the place after them. */
const putTag = (into: Uint8Array, at: number, tags: Uint8Array, from: number): number => {
  into.set(PREFIX_BYTES, at);
  let to = at + PREFIX.length;
  for (let i = from; i < from + TAG_BYTES; i++) {
    const byte = tags[i] as number;
    into[to++] = DIGITS[byte >> 4] as number;
    into[to++] = DIGITS[byte & 15] as number;
  }
  return to;
};

/** All texts of which every byte is ASCII, one behind the other, and where each ends. */
const joined = ({ bytes, tags, starts, tagged }: StoredTexts): readonly [string, Uint32Array] => {
  const count = starts.length - 1;
  const ends = new Uint32Array(count);
  const into = new Uint8Array(bytes.length + (tags.length / TAG_BYTES) * NAME_START);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const tag = tagged[i] as number;
    if (tagged[i + 1] !== tag) at = putTag(into, at, tags, tag);
    const end = starts[i + 1] as number;
    for (let from = starts[i] as number; from < end; from++) into[at++] = bytes[from] as number;
    ends[i] = at;
  }
  return [takeText({ bytes: into, at: 0, end: at }), ends];
};

/** One of the texts, of whatever letters. */
const single = ({ bytes, tags, starts, tagged }: StoredTexts, i: number): string => {
  const rest = takeText({ bytes, at: starts[i] as number, end: starts[i + 1] as number });
  if (tagged[i] === tagged[i + 1]) return rest;
  const head = new Uint8Array(NAME_START);
  putTag(head, 0, tags, tagged[i] as number);
  return takeText({ bytes: head, at: 0, end: head.length }) + rest;
};

export const takeTexts = (input: Input): Texts => {
  const lengths = takeNumbers(input, UINT);
  const count = lengths.length;
  const starts = new Float64Array(count + 1);
  const tagged = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) {
    const length = lengths[i] as number;
    starts[i + 1] = (starts[i] as number) + Math.floor(length / 2);
    tagged[i + 1] = (tagged[i] as number) + (length % 2) * TAG_BYTES;
  }
  const size = (starts[count] as number) + (tagged[count] as number);
  if (size > input.end - input.at) damaged(input, 'the texts are longer than the bytes');
  const tags = takeBytes(input, tagged[count] as number);
  const stored: StoredTexts = { tags, bytes: takeBytes(input, starts[count] as number), starts, tagged };
  const texts = new Array<string | undefined>(count);
  // Bytes that are no text are found out here, not later.
  if (!isAscii(stored.bytes)) for (let i = 0; i < count; i++) texts[i] = single(stored, i);
  let all: readonly [string, Uint32Array] | null = null;
  const make = (i: number): string => {
    if (tagged[i] === tagged[i + 1]) return single(stored, i);
    const [text, ends] = (all ??= joined(stored));
    return text.slice(i === 0 ? 0 : ends[i - 1], ends[i]);
  };
  return { count, at: (number) => (texts[number] ??= make(number)) };
};

/** Numbers of texts that there are. */
export const textRange = ({ count }: Texts): Range => ({ min: 0, max: count - 1 });
