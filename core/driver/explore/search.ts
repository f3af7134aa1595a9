/**
 * All single faults of a workload, then pairs to a bound, over the finite choices of its surroundings. Breadth first: what is found first has the fewest
 * faults. The search can be stopped between two runs, kept as JSON and gone on with.
 */
import type { Arch } from '../../arch/arch.js';
import type { Profile } from '../../profile/profile.js';
import type { Workload } from '../../workload/workload.js';
import type { Fault } from '../emulate/faults.js';
import { furtherFaults, shortages } from './single.js';
import { keyOf, trial } from './trial.js';
import { variantsOf, workloadOf, type Variant } from './variant.js';

export interface SearchInput {
  readonly workload: Workload;
  readonly profile: Profile;
  readonly arch: Arch;
  readonly seed: number;
  /** At most so many faults at once: 0, 1 or 2. */
  readonly faults: number;
  /** At most so many runs. */
  readonly budget: number;
  /** Also where many calls in a row are alike. */
  readonly every: boolean;
  /** Choices that are not to be tried otherwise. */
  readonly fixed?: Partial<Variant>;
}

/** A run that is still to be made. */
export interface Item {
  readonly variant: number;
  readonly faults: readonly Fault[];
}

/** A run that broke a rule. */
export interface Candidate extends Item {
  readonly rule: string;
  readonly pattern: string;
  readonly events: number;
}

/** Everything that a search knows; plain data. */
export interface SearchState {
  readonly queue: Item[];
  readonly seen: string[];
  readonly candidates: Candidate[];
  runs: number;
  merged: number;
}

export interface Search {
  readonly variants: readonly Variant[];
  readonly state: () => SearchState;
  /** Makes the next run. False: all are made, or the budget is used up. */
  readonly step: () => boolean;
  /** Nothing is left to be tried. */
  readonly complete: () => boolean;
}

/** Runs that break the same rule in the same way and are kept to be made smaller: by which calls failed. */
const MOST_CANDIDATES = 4;

const signature = ({ faults }: Item): string =>
  faults.map(({ fn, nth }) => `${fn}${nth === null ? '*' : ''}`).join(' ');

export const beginning = ({ workload, fixed }: Pick<SearchInput, 'workload' | 'fixed'>): SearchState => ({
  queue: variantsOf(workload, fixed).map((_, variant) => ({ variant, faults: [] })),
  seen: [],
  candidates: [],
  runs: 0,
  merged: 0,
});

export const search = (input: SearchInput, from: SearchState = beginning(input)): Search => {
  const { workload, profile, arch, seed } = input;
  const variants = variantsOf(workload, input.fixed);
  const workloads = variants.map((variant) => workloadOf(workload, variant));
  const seen = new Set(from.seen);
  const byKey = new Map<string, Candidate[]>();
  const keep = (candidate: Candidate): void => {
    const key = keyOf(candidate);
    const list = byKey.get(key) ?? [];
    const fewest = list[0]?.faults.length ?? Infinity;
    if (candidate.faults.length > fewest || list.length >= MOST_CANDIDATES) return;
    if (list.some((one) => signature(one) === signature(candidate))) return;
    list.push(candidate);
    byKey.set(key, list);
  };
  from.candidates.forEach(keep);
  const queue = [...from.queue];
  let next = 0;
  let { runs, merged } = from;

  return {
    variants,
    state: () => ({
      queue: queue.slice(next),
      seen: [...seen],
      candidates: [...byKey.values()].flat(),
      runs,
      merged,
    }),
    complete: () => next === queue.length,
    step: () => {
      const item = queue[next];
      if (item === undefined || runs >= input.budget) return false;
      next++;
      // What is done is forgotten: a search can be long.
      if (next > 4096) {
        queue.splice(0, next);
        next = 0;
      }
      runs++;
      const { frames } = variants[item.variant] as Variant;
      const run = trial(
        { workload: workloads[item.variant] as Workload, profile, arch, frames, seed, faults: item.faults },
        {
          fresh: (state) => {
            const key = `${item.variant} ${state}`;
            if (seen.has(key)) return false;
            seen.add(key);
            return true;
          },
          log: item.faults.length === 0,
        },
      );
      if (run.merged) merged++;
      if (item.faults.length === 0) {
        // A choice that this kernel never came to: the run is another one's, and so is all that follows from it.
        const log = `log ${run.log}`;
        if (seen.has(log)) {
          merged++;
          return true;
        }
        seen.add(log);
      }
      for (const { rule, pattern } of run.broken) keep({ ...item, rule, pattern, events: run.events });
      if (item.faults.length < input.faults && !item.faults.some(({ nth }) => nth === null)) {
        for (const fault of furtherFaults(run, input.every))
          queue.push({ variant: item.variant, faults: [...item.faults, fault] });
        if (item.faults.length === 0)
          for (const fault of shortages(run)) queue.push({ variant: item.variant, faults: [fault] });
      }
      return true;
    },
  };
};
