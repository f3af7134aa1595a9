import type { Event } from '../event/event.js';
import type { CallStack } from './calls.js';

/** Who did something: the calls around an event. */
export interface Doing {
  readonly seq: number;
  /** Kernel functions, innermost first; empty: outside any call. */
  readonly calls: readonly string[];
  readonly task: string;
}

export const doingOf = (stack: CallStack, event: Event): Doing => {
  const calls: string[] = [];
  for (let call = stack.of(event); call !== null; call = call.parent) calls.push(call.fn);
  return { seq: event.seq, calls, task: event.task };
};
