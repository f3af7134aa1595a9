/** Lines of calls that lack their other half: something is missing from the recording. */
import type { EventOf } from '../event/event.js';
import type { OpenCall } from './calls.js';

export interface Pairing {
  /** A call whose task went on without its return. */
  readonly left: (call: OpenCall) => void;
  readonly returned: (event: EventOf<'returned'>, call: OpenCall | null) => void;
  /** What is missing, in words. */
  readonly holes: () => readonly string[];
}

const MOST = 20;

export const pairing = (): Pairing => {
  const alone: string[] = [];
  let moreAlone = 0;
  /** By function: the first call that was left, and how many. */
  const left = new Map<string, { readonly seq: number; calls: number }>();
  /** Functions whose returns are recorded. */
  const returning = new Set<string>();
  let latest = '';
  return {
    left: ({ fn, seq }) => {
      const known = left.get(fn);
      if (known === undefined) left.set(fn, { seq, calls: 1 });
      else known.calls++;
    },
    returned: (event, call) => {
      if (event.fn !== latest) returning.add((latest = event.fn));
      if (call !== null) return;
      if (alone.length < MOST)
        alone.push(`event ${event.seq} returns from ${event.fn}, and no line shows that it was entered`);
      else moreAlone++;
    },
    holes: () => {
      const holes = [...alone];
      if (moreAlone > 0) holes.push(`${moreAlone} more returns lack their entries`);
      for (const [fn, { seq, calls }] of left)
        if (returning.has(fn))
          holes.push(
            `${fn}, entered at event ${seq}, never returned${calls === 1 ? '' : `, as ${calls - 1} more calls of it`}`,
          );
      return holes;
    },
  };
};
