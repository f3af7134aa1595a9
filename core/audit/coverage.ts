/** What the trace could show: which kernel functions were seen, and where it has holes. */
import type { Watch } from './rule.js';

/** How often a function was seen. */
export interface Hit {
  readonly fn: string;
  readonly entered: number;
  readonly returned: number;
}

export interface Coverage {
  /** By name. */
  readonly functions: readonly Hit[];
  /** Losses, by what they are known from. */
  readonly gaps: readonly { readonly seq: number; readonly lost: number; readonly why: string }[];
  readonly gapsMore: number;
  /** Divergences by their id. */
  readonly divergences: Readonly<Record<string, number>>;
  /** Lines of other tracepoints, by name. */
  readonly others: Readonly<Record<string, number>>;
}

const MOST_GAPS = 100;

/** How often a function was seen so far. */
export interface Hits {
  entered: number;
  returned: number;
}

/** Counts what passes. */
export interface Counting {
  readonly watch: Watch;
  /** Of a function; to be counted on. */
  readonly of: (fn: string) => Hits;
  readonly take: () => Coverage;
}

export const coverageOf = (): Counting => {
  const functions = new Map<string, Hits>();
  const divergences: Record<string, number> = {};
  const others: Record<string, number> = {};
  const gaps: { seq: number; lost: number; why: string }[] = [];
  let more = 0;
  return {
    watch: {
      before: {
        gap: (event) => {
          if (gaps.length < MOST_GAPS) gaps.push({ seq: event.seq, lost: event.lost, why: event.why });
          else more++;
        },
        divergence: (event) => {
          divergences[event.id] = (divergences[event.id] ?? 0) + 1;
        },
        noted: (event) => {
          others[event.event] = (others[event.event] ?? 0) + 1;
        },
      },
    },
    of: (fn) => {
      let known = functions.get(fn);
      if (known === undefined) functions.set(fn, (known = { entered: 0, returned: 0 }));
      return known;
    },
    take: () => ({
      functions: Array.from(functions, ([fn, counts]) => ({ fn, ...counts }))
        .filter(({ entered, returned }) => entered + returned > 0)
        .sort((a, b) => (a.fn < b.fn ? -1 : 1)),
      gaps,
      gapsMore: more,
      divergences,
      others,
    }),
  };
};
