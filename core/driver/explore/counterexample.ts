/** What a search has to show for a broken rule: the smallest workload, with its choices and faults. */
import type { Finding } from '../../audit/finding.js';
import type { Workload } from '../../workload/workload.js';
import type { Fault } from '../emulate/faults.js';
import type { Backing } from '../emulate/policies.js';
import { minimise, type Shrinkable } from './minimise.js';
import type { Candidate, SearchInput } from './search.js';
import { keyOf, trial, type Trial } from './trial.js';
import { variantsOf, workloadOf, type Variant } from './variant.js';

export interface Counterexample {
  readonly finding: Finding;
  readonly workload: Workload;
  readonly faults: readonly Fault[];
  readonly frames: Backing;
  /** Choices that are in the workload already. */
  readonly variant: Variant;
  /** Which CPU runs when; absent: one operation after the other. */
  readonly schedule?: string;
  /** Locks that were left out. */
  readonly without?: readonly string[];
  readonly events: number;
}

export type Coherent = (workload: Workload) => boolean;

const shorter = (a: Counterexample, b: Counterexample): number =>
  a.workload.operations.length - b.workload.operations.length ||
  a.faults.length - b.faults.length ||
  a.events - b.events;

/** The smallest of what several runs, which break the same rule in the same way, can be made into. */
const smallest = (
  input: SearchInput,
  candidates: readonly Candidate[],
  coherent: Coherent,
): Counterexample | null => {
  const found: Counterexample[] = [];
  for (const candidate of candidates) {
    // Smaller than one operation and one fault there is nothing.
    if (found.some(({ workload, faults }) => workload.operations.length === 1 && faults.length <= 1)) break;
    const variant = variantsOf(input.workload, input.fixed)[candidate.variant] as Variant;
    const { profile, arch, seed } = input;
    const key = keyOf(candidate);
    let last: { readonly of: Shrinkable; readonly run: Trial } | null = null;
    const breaks = (one: Shrinkable): boolean => {
      if (!coherent(one.workload)) return false;
      const run = trial({ ...one, profile, arch, seed, frames: variant.frames });
      // Each fault is to happen: else it says nothing.
      if (run.happened.includes(0) || !run.broken.some((finding) => keyOf(finding) === key)) return false;
      last = { of: one, run };
      return true;
    };
    const start = { workload: workloadOf(input.workload, variant), faults: candidate.faults };
    if (!breaks(start)) continue;
    const least = minimise(start, breaks);
    const { run } = (last as { readonly of: Shrinkable; readonly run: Trial } | null) ?? { run: null };
    const finding = run?.broken.find((one) => keyOf(one) === key);
    if (run === null || finding === undefined) continue;
    found.push({ finding, ...least, frames: variant.frames, variant, events: run.events });
  }
  return found.sort(shorter)[0] ?? null;
};

/** One counterexample for each way in which a rule is broken: fewest operations, then faults, then events first. */
export const counterexamples = function* (
  input: SearchInput,
  candidates: readonly Candidate[],
  coherent: Coherent,
): Generator<Counterexample> {
  const byKey = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    const key = keyOf(candidate);
    byKey.set(key, [...(byKey.get(key) ?? []), candidate]);
  }
  for (const list of byKey.values()) {
    const least = smallest(input, list, coherent);
    if (least !== null) yield least;
  }
};

export const inOrder = (all: readonly Counterexample[]): Counterexample[] =>
  [...all].sort((a, b) => shorter(a, b) || (keyOf(a.finding) < keyOf(b.finding) ? -1 : 1));
