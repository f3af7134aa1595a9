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

/** Counts what passes. */
export interface Counting {
  readonly watch: Watch;
  readonly entered: (fn: string) => void;
  readonly returned: (fn: string) => void;
  readonly take: () => Coverage;
}

export const coverageOf = (): Counting => {
  const functions = new Map<string, { entered: number; returned: number }>();
  const divergences: Record<string, number> = {};
  const others: Record<string, number> = {};
  const gaps: { seq: number; lost: number; why: string }[] = [];
  let more = 0;
  const hit = (fn: string): { entered: number; returned: number } => {
    let known = functions.get(fn);
    if (known === undefined) {
      known = { entered: 0, returned: 0 };
      functions.set(fn, known);
    }
    return known;
  };
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
    entered: (fn) => {
      hit(fn).entered++;
    },
    returned: (fn) => {
      hit(fn).returned++;
    },
    take: () => ({
      functions: Array.from(functions, ([fn, counts]) => ({ fn, ...counts })).sort((a, b) =>
        a.fn < b.fn ? -1 : 1,
      ),
      gaps,
      gapsMore: more,
      divergences,
      others,
    }),
  };
};
