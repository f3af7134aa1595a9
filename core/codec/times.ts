import { damaged, takeUpTo, type Input } from './input.js';
import { check, putIntegers, takeIntegers } from './integers.js';
import { COMMON, MAX_INT } from './layout.js';
import { putUint, type Output } from './output.js';
import { SCRATCH } from './scratch.js';

/**
 * The times of a segment: the first, the unit (the greatest common divisor of all differences: recordings with microseconds store
 * microseconds), then a column of the differences in units.
 */
const DIFFERENCES = { min: -MAX_INT, max: MAX_INT };

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** Whether unit divides n; in 32 bits where possible, a division of doubles is slow. */
const divides = (unit: number, n: number): boolean =>
  n <= 0x7fffffff && unit <= 0x7fffffff ? (n | 0) % (unit | 0) === 0 : n % unit === 0;

export function putTimes(out: Output, times: Float64Array, count: number): void {
  const first = times[0] as number;
  check(first, COMMON.time);
  const steps = SCRATCH.column;
  let unit = 0;
  for (let i = 1; i < count; i++) {
    const time = times[i] as number;
    const step = time - (times[i - 1] as number);
    check(time, COMMON.time);
    steps[i - 1] = step;
    if (unit !== 1 && (unit === 0 || !divides(unit, Math.abs(step))))
      unit = greatestCommonDivisor(unit, Math.abs(step));
  }
  if (unit > 1) for (let i = 0; i < count - 1; i++) steps[i] = (steps[i] as number) / unit;
  putUint(out, first);
  putUint(out, unit || 1);
  putIntegers(out, steps, count - 1, DIFFERENCES);
}

export function takeTimes(input: Input, count: number): Float64Array {
  const times = SCRATCH.time;
  const steps = SCRATCH.column;
  let time = takeUpTo(input, MAX_INT, 'the first time');
  const unit = takeUpTo(input, MAX_INT, 'the unit of time');
  takeIntegers(input, steps, count - 1, DIFFERENCES);
  times[0] = time;
  for (let i = 1; i < count; i++) {
    time += (steps[i - 1] as number) * unit;
    if (!(time >= 0 && time <= MAX_INT)) damaged(input, `time ${time} is out of range`);
    times[i] = time;
  }
  return times;
}
