import { damaged, takeBytes, takeUpTo, type Input } from '../codec/input.js';
import { putIntegers, takeIntegers, type Range } from '../codec/integers.js';
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
    putIntegers(out, values, rows.length, range);
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
    takeIntegers(input, values, count, range);
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
  putIntegers(out, values, numbers.length, range);
};
export const takeNumbers = (input: Input, range: Range): Float64Array => takeTable(input, { range }).range;

/** Texts, numbered in the order of first use. */
export class TextNumbers {
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    return number;
  }

  /** Lengths in bytes, then all of them in a row. */
  put(out: Output): void {
    const all = newOutput(4096);
    const lengths: number[] = [];
    for (const text of this.#numbers.keys()) {
      const start = all.at;
      putText(all, text);
      lengths.push(all.at - start);
    }
    putNumbers(out, lengths, UINT);
    putBytes(out, all.bytes.subarray(0, all.at));
  }
}

/** Code units given to fromCharCode at once. */
const PIECE = 4096;

const isAscii = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
};

const asciiText = (bytes: Uint8Array): string => {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE)
    text += Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + PIECE)) as string;
  return text;
};

/** The texts that were put; number n is that of the nth. */
export const takeTexts = (input: Input): readonly string[] => {
  const lengths = takeNumbers(input, UINT);
  const size = lengths.reduce((sum, length) => sum + length, 0);
  if (size > input.end - input.at) damaged(input, 'the texts are longer than the bytes');
  const bytes = takeBytes(input, size);
  const texts: string[] = [];
  let at = 0;
  // Thousands of names: all at once, then cut, unless something else than ASCII is among them.
  const whole = isAscii(bytes) ? asciiText(bytes) : null;
  for (const length of lengths) {
    texts.push(whole === null ? takeText({ bytes, at, end: at + length }) : whole.substring(at, at + length));
    at += length;
  }
  return texts;
};

/** Numbers of texts that there are. */
export const textRange = (texts: readonly string[]): Range => ({ min: 0, max: texts.length - 1 });

export const textAt = (input: Input, texts: readonly string[], number: number): string =>
  texts[number] ?? damaged(input, `there is no text ${number}`);
