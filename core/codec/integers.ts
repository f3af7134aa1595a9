import { damaged, takeInt, takeUint, type Input } from './input.js';
import { MAX_INT } from './layout.js';
import { putInt, putUint, reserve, sizeOfInt, sizeOfUint, type Output } from './output.js';

/**
 * A column of integers. One byte says how it is stored, the smallest of four:
 * 0 every value · 1 runs of values · 2 every difference to the previous value (0 before the first) · 3 runs of differences.
 * Values are varints, zigzag where the column may be negative; differences always zigzag. A run is what repeats and then how
 * often, 0 for "to the end". A column of no values takes no bytes.
 */
const RUNS = 1;
const DIFFERENCES = 2;

/** Values an integer column may hold. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Bugs of a caller stop here, before they are in a file. */
export function check(value: number, range: Range): void {
  if (!(value >= range.min && value <= range.max) || Math.floor(value) !== value)
    throw new RangeError(`${value} is no integer from ${range.min} to ${range.max}`);
}

function smallestForm(values: Float64Array, count: number, range: Range): number {
  const signed = range.min < 0;
  let plain = 0;
  let plainRuns = 0;
  let differences = 0;
  let differenceRuns = 0;
  let value = 0;
  let size = 0;
  let difference = NaN;
  let run = 0;
  let differenceRun = 0;
  let exact = true;
  for (let i = 0; i < count; i++) {
    const next = values[i] as number;
    const step = next - value;
    if (step === 0 && difference === 0) {
      run++;
      plain += size;
      differences++;
      differenceRun++;
      continue;
    }
    if (step !== 0 || i === 0) {
      check(next, range);
      if (i > 0) plainRuns += size + sizeOfUint(run);
      size = signed ? sizeOfInt(next) : sizeOfUint(next);
      run = 0;
      value = next;
    }
    run++;
    plain += size;
    if (step > MAX_INT || step < -MAX_INT) exact = false;
    const stepSize = sizeOfInt(step);
    differences += stepSize;
    if (step === difference) differenceRun++;
    else {
      if (i > 0) differenceRuns += sizeOfUint(differenceRun);
      differenceRuns += stepSize;
      difference = step;
      differenceRun = 1;
    }
  }
  plainRuns += size + 1;
  differenceRuns += 1;
  if (exact && Math.min(differences, differenceRuns) < Math.min(plain, plainRuns))
    return differenceRuns < differences ? DIFFERENCES | RUNS : DIFFERENCES;
  return plainRuns < plain ? RUNS : 0;
}

/** Appends the first `count` values. */
export function putIntegers(out: Output, values: Float64Array, count: number, range: Range): void {
  if (count === 0) return;
  const form = smallestForm(values, count, range);
  reserve(out, 1);
  out.bytes[out.at++] = form;
  const zigzag = range.min < 0 || (form & DIFFERENCES) !== 0;
  let previous = 0;
  for (let i = 0; i < count;) {
    const base = form & DIFFERENCES ? previous : 0;
    previous = values[i] as number;
    const item = previous - base;
    if (zigzag) putInt(out, item);
    else putUint(out, item);
    i++;
    if (!(form & RUNS)) continue;
    const start = i - 1;
    for (; i < count; i++) {
      const value = values[i] as number;
      if (value - (form & DIFFERENCES ? previous : 0) !== item) break;
      previous = value;
    }
    putUint(out, i === count ? 0 : i - start);
  }
}

/** Reads `count` values into `values`. */
export function takeIntegers(input: Input, values: Float64Array, count: number, range: Range): void {
  if (count === 0) return;
  const form = takeUint(input);
  if (form > (DIFFERENCES | RUNS)) damaged(input, 'unknown form of a column');
  if (form & RUNS) takeRuns(input, values, count, range, (form & DIFFERENCES) !== 0);
  else if (form & DIFFERENCES) takeDifferences(input, values, count, range);
  else takePlain(input, values, count, range);
}

/** What stands for a byte behind the end: longer than one byte, so that the careful way reads it. */
const ENDED = 255;

function checkRange(input: Input, lowest: number, highest: number, min: number, max: number): void {
  if (lowest < min) damaged(input, `${lowest} is out of range`);
  if (highest > max) damaged(input, `${highest} is out of range`);
}

/** The loops below read what is one byte long, nearly everything, without a call. */

function takePlain(input: Input, values: Float64Array, count: number, { min, max }: Range): void {
  const { bytes } = input;
  const zigzag = min < 0;
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = 0; i < count; i++) {
    const byte = input.at < input.end ? (bytes[input.at] as number) : ENDED;
    let value: number;
    if (byte < 128) {
      input.at++;
      value = zigzag ? (byte >> 1) ^ -(byte & 1) : byte;
    } else value = zigzag ? takeInt(input) : takeUint(input);
    if (value > highest) highest = value;
    if (value < lowest) lowest = value;
    values[i] = value;
  }
  checkRange(input, lowest, highest, min, max);
}

function takeDifferences(input: Input, values: Float64Array, count: number, { min, max }: Range): void {
  const { bytes } = input;
  let value = 0;
  let lowest = Infinity;
  let highest = -Infinity;
  for (let i = 0; i < count; i++) {
    const byte = input.at < input.end ? (bytes[input.at] as number) : ENDED;
    if (byte < 128) {
      input.at++;
      value += (byte >> 1) ^ -(byte & 1);
    } else value += takeInt(input);
    if (value > highest) highest = value;
    if (value < lowest) lowest = value;
    values[i] = value;
  }
  checkRange(input, lowest, highest, min, max);
}

function takeRuns(
  input: Input,
  values: Float64Array,
  count: number,
  { min, max }: Range,
  differences: boolean,
): void {
  const zigzag = min < 0 || differences;
  let value = 0;
  for (let i = 0; i < count;) {
    const item = zigzag ? takeInt(input) : takeUint(input);
    const run = takeUint(input);
    if (run > count - i) damaged(input, 'a run is longer than its column');
    const end = run === 0 ? count : i + run;
    const first = differences ? value + item : item;
    if (differences)
      for (; i < end; i++) {
        value += item;
        values[i] = value;
      }
    else {
      value = item;
      values.fill(item, i, end);
      i = end;
    }
    // Values of a run go one way: its ends say all.
    checkRange(input, Math.min(first, value), Math.max(first, value), min, max);
  }
}
