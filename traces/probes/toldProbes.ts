import type { ImportedProbes } from '../import/probes.js';
import { missed, notProbed, probed, REFUSED, type Missed } from './told.js';

/** Collects what markers say of the probes. */
export interface ToldProbes {
  /** A marker. Returns the calls that it says were missed. */
  readonly hear: (marker: string) => readonly Missed[];
  /** Null: no marker said anything. */
  readonly probes: () => ImportedProbes | null;
  /** Calls that were missed, of all probes. */
  readonly missed: () => number;
}

export const toldProbes = (): ToldProbes => {
  const set = new Set<string>();
  const absent = new Set<string>();
  const failed = new Set<string>();
  const unseen = new Map<string, number>();
  return {
    hear: (marker) => {
      for (const fn of probed(marker) ?? []) set.add(fn);
      const not = notProbed(marker);
      if (not !== null) (not.why === REFUSED ? failed : absent).add(not.fn);
      const some = missed(marker);
      if (some === null) return [];
      unseen.set(some.event, (unseen.get(some.event) ?? 0) + some.calls);
      return [some];
    },
    probes: () =>
      set.size + absent.size + failed.size + unseen.size === 0
        ? null
        : {
            set: [...set].sort(),
            absent: [...absent].sort(),
            failed: [...failed].sort(),
            missed: Object.fromEntries(unseen),
          },
    missed: () => [...unseen.values()].reduce((sum, calls) => sum + calls, 0),
  };
};
