import type { Words } from '../event/kind.js';
import { numberOfText, type TextNumbers } from './dictionary.js';
import { putIntegers } from './integers.js';
import { COPY, FAR, MAX_INT, MAX_VALUES, NEAR, REACH, SAME } from './layout.js';
import { putUint, reserve, type Output } from './output.js';
import { newRecent, place, remember, type Recent } from './recent.js';
import type { LineShape, Shape } from './shapes.js';
import { DIFFERENCES, WAYS } from './ways.js';

const TEXTS = { min: 0, max: MAX_INT };

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

/** What a segment gives for writing its call lines. */
export interface LinesToWrite {
  readonly count: number;
  /** Shape of each event. */
  readonly shape: Uint32Array;
  readonly shapes: readonly Shape[];
  /** Slots of all shapes. */
  readonly slots: number;
  /** Values of each event that has some. */
  readonly words: readonly Words[];
  /** How many values they have together. */
  readonly values: number;
  readonly texts: TextNumbers;
}

export function putLines(
  out: Output,
  { count, shape: column, shapes, slots, words, values, texts }: LinesToWrite,
): void {
  const recent = newRecent(slots);
  const seen = new Int32Array(SEEN).fill(-REACH - 1);
  const ways = new Float64Array(values);
  const near: number[] = [];
  const far: number[] = [];
  const textNumbers: number[] = [];
  let lines = 0;
  for (let i = 0; i < count; i++) {
    const shape = shapes[column[i] as number]?.line;
    if (!shape) continue;
    const line = words[lines++] as Words;
    checkWords(line, shape);
    for (let k = 0; k < shape.count; k++) {
      const hi = line.hi[k];
      const lo = line.lo[k];
      if (!isHalf(hi) || !isHalf(lo)) throw new RangeError('a half of a value is no 32-bit integer');
      const slot = shape.slot + k;
      const before = recent.slotWay[slot] as number;
      const way = isWay(recent, before, slot, hi, lo) ? before : bestWay(recent, seen, slot, hi, lo);
      ways[recent.count] = way === before ? 0 : way;
      if (way === NEAR) near.push(lo - (recent.slotLo[slot] as number));
      else if (way === FAR) far.push(hi, lo);
      seen[hash(hi, lo)] = recent.count;
      remember(recent, slot, hi, lo, way);
    }
    if (!shape.withTexts) continue;
    for (const text of line.texts ?? []) textNumbers.push(text === null ? 0 : numberOfText(texts, text) + 1);
  }
  putIntegers(out, ways, values, WAYS);
  putUint(out, near.length);
  putIntegers(out, new Float64Array(near), near.length, DIFFERENCES);
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
