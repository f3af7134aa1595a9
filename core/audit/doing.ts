import type { Event } from '../event/event.js';
import type { CallStack } from './calls.js';

/** Who did something: the calls around an event. */
export interface Doing {
  readonly seq: number;
  /** Kernel functions, innermost first; empty: outside any call. */
  readonly calls: readonly string[];
  readonly task: string;
}

const OUTSIDE: readonly string[] = [];

export const doingOf = (stack: CallStack, event: Event): Doing => ({
  seq: event.seq,
  calls: stack.of(event)?.path.names ?? OUTSIDE,
  task: event.task,
});
