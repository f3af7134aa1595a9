/** What interleavings have to show for a broken rule: the smallest workload, and the schedule. */
import type { Workload } from '../../workload/workload.js';
import { cpuNumber } from '../emulate/concurrent.js';
import { Schedule } from '../emulate/schedule.js';
import type { Coherent, Counterexample } from './counterexample.js';
import { interleave, judged, type Broken, type InterleaveInput } from './interleave.js';
import { minimise, type Shrinkable } from './minimise.js';
import { keyOf } from './trial.js';

/** Runs that a smaller workload is given to break the same rule. */
const SMALL_BUDGET = 400;

export const hasSeveralCpus = (workload: Workload): boolean =>
  new Set(workload.operations.map(cpuNumber)).size > 1;

/** One counterexample for each way in which a rule was broken. */
export const races = function* (
  input: InterleaveInput,
  broken: readonly Broken[],
  coherent: Coherent,
): Generator<Counterexample> {
  for (const one of broken) {
    const until = keyOf(one.finding);
    let schedule = one.schedule;
    const breaks = ({ workload }: Shrinkable): boolean => {
      if (!coherent(workload) || workload.operations.length === 0) return false;
      const smaller = { ...input, workload, budget: SMALL_BUDGET, until };
      const found = interleave(smaller).broken.find(({ finding }) => keyOf(finding) === until);
      if (found === undefined) return false;
      schedule = found.schedule;
      return true;
    };
    const { workload } = minimise({ workload: input.workload, faults: [] }, breaks);
    const small = judged({ ...input, workload }, schedule);
    const finding = small.findings.find((other) => keyOf(other) === until);
    const common = {
      faults: [],
      frames: 'scattered',
      variant: { frames: 'scattered', frees: 'declared', boot: 'declared' },
      without: input.without ?? [],
    } as const;
    // What cannot be shown smaller is shown as it was found.
    yield finding === undefined
      ? {
          ...common,
          finding: one.finding,
          workload: input.workload,
          schedule: Schedule.toText(one.schedule),
          events: one.events,
        }
      : { ...common, finding, workload, schedule: Schedule.toText(schedule), events: small.events };
  }
};
