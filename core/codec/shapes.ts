import { takeTextNumber, type Dictionary } from './dictionary.js';
import { damaged, takeUpTo, type Input } from './input.js';
import { takeIntegers, putIntegers } from './integers.js';
import { MAX_EVENTS, MAX_VALUES } from './layout.js';
import { putUint, type Output } from './output.js';
import { SCRATCH } from './scratch.js';

/**
 * What an event of a segment looks like: its kind and, where the kind has call-line values, all its texts and how many values there are.
 * Most segments have some dozens. Events refer to shapes in the order of first use, by the successor rule below.
 */
export interface Shape {
  /** Code of the kind. */
  readonly code: number;
  /** The layout of its call line; null where its kind has no values. */
  readonly line: LineShape | null;
}

export interface LineShape {
  /** Numbers of its texts, in the order of the fields. */
  readonly texts: readonly number[];
  /** Number of values. */
  readonly count: number;
  /** Whether there is a text (or null) for each value. */
  readonly withTexts: boolean;
  /** First of its `count` slots: where the values of this shape are remembered. */
  readonly slot: number;
}

export function putShapes(out: Output, shapes: readonly Shape[]): void {
  putUint(out, shapes.length);
  for (const { code, line } of shapes) {
    putUint(out, code);
    if (line === null) continue;
    for (const text of line.texts) putUint(out, text);
    putUint(out, line.count);
    putUint(out, line.withTexts ? 1 : 0);
  }
}

/** `textsOf` gives the number of text fields of a kind with values, -1 for other kinds. */
export function takeShapes(input: Input, dictionary: Dictionary, textsOf: (code: number) => number): Shape[] {
  const size = takeUpTo(input, MAX_EVENTS, 'the number of shapes');
  const shapes: Shape[] = [];
  let slot = 0;
  for (let i = 0; i < size; i++) {
    const code = takeUpTo(input, 0xffffffff, 'a kind');
    const fields = textsOf(code);
    if (fields < 0) {
      shapes.push({ code, line: null });
      continue;
    }
    const texts: number[] = [];
    while (texts.length < fields) texts.push(takeTextNumber(input, dictionary));
    const count = takeUpTo(input, MAX_VALUES, 'the number of values');
    const withTexts = takeUpTo(input, 1, 'a flag') === 1;
    shapes.push({ code, line: { texts, count, withTexts, slot } });
    slot += count;
  }
  return shapes;
}

/**
 * The successor rule: 0 where the shape is the one that came after the previous event's shape last time, else its number + 1. In a
 * recording, where the same calls follow each other again and again, nearly everything is 0.
 */
export function putShapeColumn(out: Output, numbers: Uint32Array, count: number, shapes: number): void {
  const successor = new Int32Array(shapes + 1).fill(-1);
  const items = SCRATCH.column;
  let before = shapes; // no shape
  for (let i = 0; i < count; i++) {
    const shape = numbers[i] as number;
    items[i] = successor[before] === shape ? 0 : shape + 1;
    successor[before] = shape;
    before = shape;
  }
  putIntegers(out, items, count, { min: 0, max: shapes });
}

export function takeShapeColumn(input: Input, count: number, shapes: number): Uint32Array {
  const successor = new Int32Array(shapes + 1).fill(-1);
  const items = SCRATCH.column;
  takeIntegers(input, items, count, { min: 0, max: shapes });
  const numbers = SCRATCH.shape;
  let before = shapes;
  for (let i = 0; i < count; i++) {
    const item = items[i] as number;
    const shape = item === 0 ? (successor[before] as number) : item - 1;
    if (shape < 0) damaged(input, 'the first successor of a shape is missing');
    successor[before] = shape;
    before = shape;
    numbers[i] = shape;
  }
  return numbers;
}
