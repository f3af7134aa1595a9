import { Origin } from '../../core/event/kind.js';
import type { Event } from '../../core/event/event.js';
import { ORDER_ONLY } from '../../core/event/trace.js';

/** Numbers of events between which events were lost: after `from`, at `to` at the latest. */
export interface Loss {
  readonly from: number;
  readonly to: number;
}

/** Gathers the losses of a log, event by event. */
export interface Losses {
  readonly note: (event: Event) => void;
  /** Events lost; one where it is not known how many. */
  readonly total: () => number;
  /** Whether calls were recorded without values: nothing is lost then, but what they did is not known either. */
  readonly orderOnly: () => boolean;
  /** Whether events that were lost may lie before a moment of which memory does not know that any were. */
  readonly hidden: (seq: number) => boolean;
  /** Whether events were lost before a moment, or may have been. */
  readonly before: (seq: number) => boolean;
}

/**
 * A loss stands in the log where it shows: at the first line of its processor after it. What other processors did since that one's last line may have come
 * after the loss. One that a count alone shows may lie anywhere before.
 */
export const losses = (): Losses => {
  const lastOf = new Map<number, number>();
  const found: Loss[] = [];
  /** The earliest place. */
  let first = Infinity;
  let total = 0;
  let orderOnly = false;
  return {
    note: (event) => {
      if (event.kind !== 'gap') {
        if (event.origin === Origin.observed) lastOf.set(event.cpu, event.seq);
        return;
      }
      if (event.why === ORDER_ONLY) orderOnly = true;
      else total += Math.max(1, event.lost);
      const from = event.origin === Origin.derived ? 0 : (lastOf.get(event.cpu) ?? 0);
      first = Math.min(first, from);
      // Those of many lines that stand together are one.
      const last = found.at(-1);
      if (last !== undefined && last.from <= from && last.to >= event.seq - 1)
        found[found.length - 1] = { from: last.from, to: event.seq };
      else found.push({ from, to: event.seq });
    },
    total: () => total,
    orderOnly: () => orderOnly,
    hidden: (seq) => found.some(({ from, to }) => from < seq && seq < to),
    before: (seq) => first < seq,
  };
};
