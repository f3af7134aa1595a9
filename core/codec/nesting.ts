import { damaged, takeInt, takeUint, takeUpTo, type Input } from './input.js';
import { check } from './integers.js';
import { COMMON, ENTERS, MAX_INT, RETURNS } from './layout.js';
import { newOutput, putBytes, putInt, putUint, type Output } from './output.js';

/**
 * The enclosing call of each event. It follows from calls entered and returned before, task by task, so only exceptions are stored: their
 * number, then each as the distance to the previous exception's event (to event 0 for the first) and seq - call, zigzag.
 *
 * Prediction: the call that is open in the event's task, 0 at first. After an `entered` that is its seq; after a `returned` the call of
 * its `entered`, where that is in this segment and sequence numbers are implicit, else 0; after any other event the event's call.
 */
export interface Nesting {
  readonly seq: Float64Array;
  /** Number of the task's text. */
  readonly task: Float64Array;
  /** Code of the kind. */
  readonly code: Uint32Array;
  readonly call: Float64Array;
  /** Sequence numbers follow each other. */
  readonly gapless: boolean;
}

/** The call open after event i, whose own call is known. */
function openAfter({ seq, code, call, gapless }: Nesting, i: number): number {
  const own = call[i] as number;
  if (code[i] === ENTERS) return seq[i] as number;
  if (code[i] !== RETURNS) return own;
  const entered = own - (seq[0] as number);
  return gapless && entered >= 0 && entered <= i ? (call[entered] as number) : 0;
}

export function putCalls(out: Output, nesting: Nesting, count: number, texts: number): void {
  const { seq, task, call } = nesting;
  const open = new Float64Array(texts);
  const list = newOutput(64);
  let exceptions = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const own = call[i] as number;
    const t = task[i] as number;
    if (own !== open[t]) {
      check(own, COMMON.seq);
      putUint(list, i - last);
      putInt(list, (seq[i] as number) - own);
      last = i;
      exceptions++;
    }
    open[t] = openAfter(nesting, i);
  }
  putUint(out, exceptions);
  putBytes(out, list.bytes.subarray(0, list.at));
}

export function takeCalls(input: Input, nesting: Nesting, count: number, texts: number): void {
  const { seq, task, call } = nesting;
  const { code, gapless } = nesting;
  const first = count > 0 ? (seq[0] as number) : 0;
  const open = new Float64Array(texts);
  let exceptions = takeUpTo(input, count, 'the number of exceptions');
  let next = exceptions > 0 ? takeUint(input) : count;
  for (let i = 0; i < count; i++) {
    const t = task[i] as number;
    if (i === next) {
      const own = (seq[i] as number) - takeInt(input);
      if (!(own >= 0 && own <= MAX_INT)) damaged(input, `call ${own} is out of range`);
      call[i] = own;
      next = --exceptions > 0 ? i + takeUint(input) : count;
    } else call[i] = open[t] as number;
    // openAfter, with everything at hand.
    const kind = code[i] as number;
    if (kind === ENTERS) open[t] = seq[i] as number;
    else if (kind !== RETURNS) open[t] = call[i] as number;
    else {
      const entered = (call[i] as number) - first;
      open[t] = gapless && entered >= 0 && entered <= i ? (call[entered] as number) : 0;
    }
  }
  if (exceptions > 0) damaged(input, 'exceptions lie behind the last event');
}
