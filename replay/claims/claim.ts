/** Claims of the thread of April 2022 and its neighbours (kernel-model.md §1.3), each as something that is run. */
import type { Profile } from '../../core/profile/profile.js';
import type { EmulationRun } from '../emulation.js';

/**
 * `confirmed`, `refuted`: by what was run. `both`: a part of each, said in what was seen. `open`: the run gives figures, no verdict can be drawn from
 * them. `not run`: an opinion, a plan, or something that the model does not hold.
 */
export type ClaimVerdict = 'confirmed' | 'refuted' | 'both' | 'open' | 'not run';

/** One thing that a run showed. */
export interface Seen {
  readonly what: string;
  /** It is as the verdict needs it. */
  readonly holds: boolean;
}

/** What a claim is held against. */
export interface ClaimResult {
  /** What was run, in words; empty: nothing. */
  readonly ran: string;
  readonly seen: readonly Seen[];
  /** Commands that show the same. */
  readonly commands: readonly string[];
  /** How sure the model is of the least sure kernel that was run: a failure is never `recorded`. */
  readonly grade: string | null;
}

/** How a run is asked for. */
export interface LabRun {
  readonly kernel: string;
  readonly arch?: string;
  /** Bundled workload. */
  readonly workload: string;
  /** `CALL[:NTH]=-ERRNO`. */
  readonly fail?: readonly string[];
  readonly nodes?: number;
  readonly pack?: boolean;
  readonly huge?: boolean;
  readonly force?: boolean;
}

/** Runs emulations, and remembers how sure the model was of them. */
export interface Lab {
  readonly run: (options: LabRun) => EmulationRun;
  /** For what no run shows. */
  readonly profile: (kernel: string) => Profile;
  /** The least sure grade of all runs so far. */
  readonly grade: () => string | null;
}

export interface Claim {
  /** C1 to C32. */
  readonly id: string;
  /** What was said, in our words. */
  readonly claim: string;
  readonly who: string;
  /** Date and message id, as far as they are known. */
  readonly when: string;
  /** The verdict, where everything seen holds. */
  readonly verdict: ClaimVerdict;
  /** Why, in one or two sentences. */
  readonly because: string;
  /** Null: nothing can be run. */
  readonly look: ((lab: Lab) => Omit<ClaimResult, 'grade'>) | null;
}

/** A claim with its run. */
export interface JudgedClaim extends ClaimResult {
  readonly id: string;
  readonly claim: string;
  readonly who: string;
  readonly when: string;
  /** `not shown`: what was seen is not what the verdict needs. */
  readonly verdict: ClaimVerdict | 'not shown';
  readonly because: string;
}

/** Runs a claim. What it sees decides whether its verdict stands. */
export const judge = (claim: Claim, lab: () => Lab): JudgedClaim => {
  const { id, claim: text, who, when, verdict, because, look } = claim;
  const common = { id, claim: text, who, when, because };
  if (look === null) return { ...common, verdict, ran: '', seen: [], commands: [], grade: null };
  const own = lab();
  const result = look(own);
  const stands = result.seen.every(({ holds }) => holds) && result.seen.length > 0;
  return { ...common, ...result, verdict: stands ? verdict : 'not shown', grade: own.grade() };
};
