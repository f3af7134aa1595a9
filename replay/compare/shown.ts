/** What a trace shows of its calls: which functions, and which of them under which. */
import { canonicalFunction } from '../../core/driver/lines.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { TraceView } from '../log.js';

export interface Shown {
  readonly functions: ReadonlySet<string>;
  /** Callees by caller, as recorded; '' for root calls. */
  readonly callees: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Calls kept in mind as callers. */
const MOST_OPEN = 1 << 16;

/** Reads a trace once. */
export const shownIn = (trace: TraceView): Result<Shown> => {
  const functions = new Set<string>();
  const callees = new Map<string, Set<string>>();
  let recent = new Map<number, string>();
  let older: ReadonlyMap<number, string> = recent;
  for (const batch of trace.batches({ from: 'start', kinds: ['entered'] })) {
    if (!batch.ok) return batch;
    for (const event of batch.value) {
      if (event.kind !== 'entered') continue;
      const fn = canonicalFunction(event.fn);
      functions.add(fn);
      if (recent.size > MOST_OPEN) {
        older = recent;
        recent = new Map();
      }
      recent.set(event.seq, fn);
      const caller = event.call === 0 ? '' : (recent.get(event.call) ?? older.get(event.call));
      // A call so old that it was forgotten: that pair is seen elsewhere too.
      if (caller === undefined) continue;
      let own = callees.get(caller);
      if (own === undefined) callees.set(caller, (own = new Set()));
      own.add(fn);
    }
  }
  return ok({ functions, callees });
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
