/** Runs of blocks as bytes: how far each begins after the end of the one before, and how many blocks it has. */
import { inputOf, takeUint } from '../codec/input.js';
import { newOutput, putUint } from '../codec/output.js';

/** `runs`: first and last block of each, in any order; they may meet. */
export const encodeBlocks = (runs: readonly number[]): Uint8Array => {
  const starts: number[] = [];
  for (let i = 0; i < runs.length; i += 2) starts.push(i);
  starts.sort((a, b) => (runs[a] as number) - (runs[b] as number));
  const out = newOutput(runs.length + 8);
  let next = 0;
  for (let i = 0; i < starts.length;) {
    const first = runs[starts[i] as number] as number;
    let last = runs[(starts[i] as number) + 1] as number;
    for (i++; i < starts.length && (runs[starts[i] as number] as number) <= last + 1; i++)
      last = Math.max(last, runs[(starts[i] as number) + 1] as number);
    putUint(out, first - next);
    putUint(out, last - first + 1);
    next = last + 1;
  }
  return out.bytes.slice(0, out.at);
};

/** Whether one of the runs has a block from `first` to `last`. */
export const blocksMeet = (bytes: Uint8Array, first: number, last: number): boolean => {
  const input = inputOf(bytes);
  for (let next = 0; input.at < input.end;) {
    const from = next + takeUint(input);
    if (from > last) return false;
    next = from + takeUint(input);
    if (next > first) return true;
  }
  return false;
};
