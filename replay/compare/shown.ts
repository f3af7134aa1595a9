/** What a trace shows of its calls: which functions, and which of them under which. */
import { walkSegment, type Walker } from '../../core/codec/walk.js';
import { canonicalFunction } from '../../core/driver/lines.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { TraceView } from '../log.js';

export interface Shown {
  readonly functions: ReadonlySet<string>;
  /** Callees by caller, as recorded; '' for root calls. */
  readonly callees: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Calls kept in mind as callers: by the last digits of their numbers. */
const KEPT = 1 << 17;

const PAIR = 2 ** 24;

/** Learns what a trace shows while its lines are read. */
export interface Learning {
  /** Number of a function, from 1 on. */
  readonly number: (fn: string) => number;
  /** A function was entered by event `seq`, in the call of event `call`. */
  readonly enter: (number: number, seq: number, call: number) => void;
  /** What there was so far. */
  readonly shown: () => Shown;
}

export const newLearning = (): Learning => {
  const functions: string[] = [];
  const numbers = new Map<string, number>();
  /** Caller and callee, by their numbers; caller 0: none. */
  const pairs = new Set<number>();
  const seqs = new Float64Array(KEPT);
  const entered = new Uint32Array(KEPT);
  return {
    number: (fn) => {
      let number = numbers.get(fn);
      if (number === undefined) numbers.set(fn, (number = functions.push(fn)));
      return number;
    },
    enter: (number, seq, call) => {
      const at = seq % KEPT;
      seqs[at] = seq;
      entered[at] = number;
      const from = call % KEPT;
      // A call so old that it was forgotten: that pair is seen elsewhere too.
      if (call === 0) pairs.add(number);
      else if (seqs[from] === call) pairs.add((entered[from] as number) * PAIR + number);
    },
    shown: () => {
      const callees = new Map<string, Set<string>>();
      for (const pair of pairs) {
        const caller = functions[Math.floor(pair / PAIR) - 1] ?? '';
        const own = callees.get(caller) ?? new Set();
        own.add(functions[(pair % PAIR) - 1] as string);
        callees.set(caller, own);
      }
      return { functions: new Set(functions), callees };
    },
  };
};

/** Segments by which a projection is guessed. */
const FIRST = 64;

/** What the first segments of a trace show: of their lines only which function was entered in which call. */
export const shownAtFirst = (trace: TraceView, segments = FIRST): Result<Shown> => {
  const learning = newLearning();
  const walker: Walker<number> = {
    kinds: new Set(),
    values: false,
    form: ({ kind, fn }) => (kind === 'returned' ? 0 : learning.number(canonicalFunction(fn))),
    line: (number, seq, call) => {
      if (number !== 0) learning.enter(number, seq, call);
    },
    event: () => {},
  };
  let read = 0;
  for (const segment of trace.segments()) {
    if (!segment.ok) return segment;
    const told = walkSegment(segment.value.bytes, walker);
    if (!told.ok) return told;
    if (++read >= segments) break;
  }
  return ok(learning.shown());
};

/**
 * Steps whose number depends on which frames and leaves there are, or on where in a page something lies: what they do is compared, not how often they
 * are called.
 */
const STEPS: ReadonlySet<string> = new Set([
  '__text_poke',
  '__change_page_attr',
  '__should_split_large_page',
  '__split_large_page',
  'cpa_process_alias',
]);

/** Says which calls of one trace stand for themselves in a comparison with another; the others are looked through. */
export interface Projection {
  /** Whether `fn` under `caller` (the nearest call that stands for itself, '' for none) stands for itself. */
  readonly keeps: (caller: string, fn: string) => boolean;
}

/** Callees of each function when calls of functions that not both traces show are looked through. */
const projectedCallees = (
  shown: Shown,
  both: ReadonlySet<string>,
): ReadonlyMap<string, ReadonlySet<string>> => {
  const reached = new Map<string, ReadonlySet<string>>();
  for (const caller of ['', ...both]) {
    const found = new Set<string>();
    const looked = new Set<string>();
    const waiting = [caller];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
      for (const fn of shown.callees.get(at) ?? []) {
        if (both.has(fn)) found.add(fn);
        else if (!looked.has(fn)) {
          looked.add(fn);
          waiting.push(fn);
        }
      }
    reached.set(caller, found);
  }
  return reached;
};

/**
 * The projection for calls of a trace that is compared with `other`: functions that both show, under a caller under which the other shows them too (else
 * they may be inlined there: what they do is compared, the call is not).
 */
export const projectionOf = (own: Shown, other: Shown): Projection => {
  const both = new Set([...own.functions].filter((fn) => other.functions.has(fn) && !STEPS.has(fn)));
  const there = projectedCallees(other, both);
  return { keeps: (caller, fn) => both.has(fn) && (there.get(caller)?.has(fn) ?? false) };
};

/** What a projection was asked, and what it said. */
export type Asked = readonly (readonly [caller: string, fn: string, keeps: boolean])[];

/** Whether a projection says the same as a guessed one did. */
export const agrees = (projection: Projection, asked: Asked): boolean =>
  asked.every(([caller, fn, keeps]) => projection.keeps(caller, fn) === keeps);
