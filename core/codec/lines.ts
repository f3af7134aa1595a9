import type { Words } from '../event/kind.js';
import { numberOfText, textOf, type Dictionary, type TextNumbers } from './dictionary.js';
import { damaged, takeBytes, takeUpTo, type Input } from './input.js';
import { putIntegers, takeIntegers } from './integers.js';
import { COPY, FAR, MAX_EVENTS, MAX_HALF, MAX_VALUES, NEAR, REACH, SAME } from './layout.js';
import { putUint, reserve, type Output } from './output.js';
import { newRecent, place, remember, type Recent } from './recent.js';
import type { LineShape } from './shapes.js';

/**
 * The values of all call lines of a segment, in the order of the events. Each value has a way (layout.ts); a way equal to that of the
 * slot's last value is written as 0. Calls pass the same pointers on: most values are those that were copied from the same distance,
 * or stayed the same, the last time their call was made.
 *
 * Columns: ways; number of near differences and their column; number of far values and 8 bytes each (little-endian); texts of
 * the lines that have some (0 for null, else the text's number + 1).
 */
const WAYS = { min: 0, max: COPY + REACH };
const NEAR_RANGE = { min: -MAX_HALF, max: MAX_HALF };
const TEXTS = { min: 0, max: Number.MAX_SAFE_INTEGER };
const MAX_LINE_VALUES = MAX_EVENTS * MAX_VALUES;

/** Last position of a value with this hash: finds nearly all repetitions within reach. */
const SEEN = 1024;
const hash = (hi: number, lo: number): number =>
  (Math.imul(lo, 0x9e3779b1) ^ Math.imul(hi, 0x85ebca6b)) >>> 22;

function isWay(recent: Recent, way: number, slot: number, hi: number, lo: number): boolean {
  if (way === SAME) return recent.slotLo[slot] === lo && recent.slotHi[slot] === hi;
  if (way <= COPY) return false;
  const at = place(recent.count - (way - COPY));
  return recent.lo[at] === lo && recent.hi[at] === hi;
}

function bestWay(recent: Recent, seen: Int32Array, slot: number, hi: number, lo: number): number {
  if (isWay(recent, SAME, slot, hi, lo)) return SAME;
  const distance = recent.count - (seen[hash(hi, lo)] as number);
  if (distance <= REACH && isWay(recent, COPY + distance, slot, hi, lo)) return COPY + distance;
  return recent.slotHi[slot] === hi ? NEAR : FAR;
}

const isHalf = (n: number | undefined): n is number => n !== undefined && n >>> 0 === n;

function checkWords({ hi, lo, texts }: Words, shape: LineShape): void {
  if (lo.length !== hi.length || (shape.withTexts && texts?.length !== hi.length))
    throw new RangeError('the values of a call line differ in number');
  if (hi.length > MAX_VALUES) throw new RangeError(`a call line has more than ${MAX_VALUES} values`);
}

/** Line r has shapes[r] and words[r]. */
export function putLines(
  out: Output,
  shapes: readonly LineShape[],
  words: readonly Words[],
  slots: number,
  numbers: TextNumbers,
): void {
  const recent = newRecent(slots);
  const seen = new Int32Array(SEEN).fill(-REACH - 1);
  const ways: number[] = [];
  const near: number[] = [];
  const far: number[] = [];
  const textNumbers: number[] = [];
  for (let r = 0; r < words.length; r++) {
    const line = words[r] as Words;
    const shape = shapes[r] as LineShape;
    checkWords(line, shape);
    for (let k = 0; k < shape.count; k++) {
      const hi = line.hi[k];
      const lo = line.lo[k];
      if (!isHalf(hi) || !isHalf(lo)) throw new RangeError('a half of a value is no 32-bit integer');
      const slot = shape.slot + k;
      const before = recent.slotWay[slot] as number;
      const way = isWay(recent, before, slot, hi, lo) ? before : bestWay(recent, seen, slot, hi, lo);
      ways.push(way === before ? 0 : way);
      if (way === NEAR) near.push(lo - (recent.slotLo[slot] as number));
      else if (way === FAR) far.push(hi, lo);
      seen[hash(hi, lo)] = recent.count;
      remember(recent, slot, hi, lo, way);
    }
    if (!shape.withTexts) continue;
    for (const text of line.texts ?? []) textNumbers.push(text === null ? 0 : numberOfText(numbers, text) + 1);
  }
  putIntegers(out, new Float64Array(ways), ways.length, WAYS);
  putUint(out, near.length);
  putIntegers(out, new Float64Array(near), near.length, NEAR_RANGE);
  putUint(out, far.length / 2);
  putFar(out, far);
  putIntegers(out, new Float64Array(textNumbers), textNumbers.length, TEXTS);
}

function putFar(out: Output, halves: readonly number[]): void {
  reserve(out, halves.length * 4);
  const view = new DataView(out.bytes.buffer, out.bytes.byteOffset + out.at);
  for (let i = 0; i < halves.length; i += 2) {
    view.setUint32(i * 4, halves[i + 1] as number, true);
    view.setUint32(i * 4 + 4, halves[i] as number, true);
  }
  out.at += halves.length * 4;
}

/** Values as they are read: all columns of the section and how far they have been used. */
export interface LineReader {
  readonly recent: Recent;
  readonly ways: Float64Array;
  readonly near: Float64Array;
  readonly far: DataView;
  readonly textNumbers: Float64Array;
  readonly dictionary: Dictionary;
  readonly input: Input;
  way: number;
  nearUsed: number;
  farUsed: number;
  textsUsed: number;
}

/** `values` and `texts`: how many the lines have together. */
export function takeLineReader(
  input: Input,
  slots: number,
  values: number,
  texts: number,
  dictionary: Dictionary,
): LineReader {
  const ways = new Float64Array(values);
  takeIntegers(input, ways, values, WAYS);
  const near = new Float64Array(takeUpTo(input, Math.min(values, MAX_LINE_VALUES), 'the number of differences'));
  takeIntegers(input, near, near.length, NEAR_RANGE);
  const bytes = takeBytes(input, takeUpTo(input, values, 'the number of far values') * 8);
  const far = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const textNumbers = new Float64Array(texts);
  takeIntegers(input, textNumbers, texts, { min: 0, max: dictionary.texts.length });
  return {
    recent: newRecent(slots),
    ways,
    near,
    far,
    textNumbers,
    dictionary,
    input,
    way: 0,
    nearUsed: 0,
    farUsed: 0,
    textsUsed: 0,
  };
}

/** Reads the next value into the slot. */
function takeValue(reader: LineReader, slot: number): void {
  const { recent } = reader;
  const written = reader.ways[reader.way++] as number;
  const way = written === 0 ? (recent.slotWay[slot] as number) : written;
  let hi = recent.slotHi[slot] as number;
  let lo = recent.slotLo[slot] as number;
  if (way > COPY) {
    if (way - COPY > recent.count) damaged(reader.input, 'a value is copied from before the first');
    const at = place(recent.count - (way - COPY));
    hi = recent.hi[at] as number;
    lo = recent.lo[at] as number;
  } else if (way === NEAR) {
    if (reader.nearUsed >= reader.near.length) damaged(reader.input, 'a difference is missing');
    lo += reader.near[reader.nearUsed++] as number;
    if (lo < 0 || lo > MAX_HALF) damaged(reader.input, 'a half of a value is out of range');
  } else if (way === FAR) {
    if (reader.farUsed + 8 > reader.far.byteLength) damaged(reader.input, 'a far value is missing');
    lo = reader.far.getUint32(reader.farUsed, true);
    hi = reader.far.getUint32(reader.farUsed + 4, true);
    reader.farUsed += 8;
  }
  remember(recent, slot, hi, lo, way);
}

const slotsOf = (slots: Uint32Array, { slot, count }: LineShape): number[] => {
  const values = new Array<number>(count);
  for (let k = 0; k < count; k++) values[k] = slots[slot + k] as number;
  return values;
};

function takeTexts(reader: LineReader, count: number): (string | null)[] {
  const texts: (string | null)[] = [];
  for (let k = 0; k < count; k++) {
    const number = reader.textNumbers[reader.textsUsed + k] as number;
    texts.push(number === 0 ? null : textOf(reader.dictionary, number - 1));
  }
  return texts;
}

/** Reads the next line; makes its values only where they are wanted. */
export function takeLine(reader: LineReader, shape: LineShape, wanted: boolean): Words | null {
  const { recent } = reader;
  for (let k = 0; k < shape.count; k++) takeValue(reader, shape.slot + k);
  const words = wanted
    ? {
        hi: slotsOf(recent.slotHi, shape),
        lo: slotsOf(recent.slotLo, shape),
        texts: shape.withTexts ? takeTexts(reader, shape.count) : null,
      }
    : null;
  if (shape.withTexts) reader.textsUsed += shape.count;
  return words;
}
