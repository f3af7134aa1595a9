import { x86_64 } from '../../core/arch/x86_64.js';
import { interleave } from '../../core/driver/explore/interleave.js';
import { search } from '../../core/driver/explore/search.js';
import type { Profile } from '../../core/profile/profile.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { openWorkload } from '../../traces/workload/open.js';
import { must } from '../log.js';
import { Stopwatch } from '../timing.js';

export interface ExploreOutput {
  /** Different states of two CPUs with two programs each, a second. */
  readonly statesPerSecond: number;
  /** Steps from one point where a CPU can be overtaken to the next, a second: states are come to again by running what led there. */
  readonly stepsPerSecond: number;
  /** Runs of one program with one fault, a second. */
  readonly runsPerSecond: number;
}

/** Interleavings of the bundled two-cpus, and single faults of one-program, on a kernel with packs of 4 KiB. */
export const explore = async ({ budget }: { readonly budget: number }): Promise<ExploreOutput> => {
  const base = { profile: profileNamed('5.18-rc5-packv2') as Profile, arch: x86_64, seed: 1, budget };
  const two = must(await openWorkload('two-cpus')).workload;
  const one = must(await openWorkload('one-program')).workload;
  const interleaving = new Stopwatch();
  const done = interleaving.time(() => interleave({ ...base, workload: two }));
  const going = search({ ...base, workload: one, faults: 1, every: false });
  const faults = new Stopwatch();
  faults.time(() => {
    while (going.step());
  });
  return {
    statesPerSecond: done.states / interleaving.seconds,
    stepsPerSecond: done.steps / interleaving.seconds,
    runsPerSecond: going.state().runs / faults.seconds,
  };
};
