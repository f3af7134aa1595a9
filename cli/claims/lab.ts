import { GRADES, gradeOf, type Grade } from '../../core/profile/grade.js';
import type { Result } from '../../core/value/failure.js';
import type { Workload } from '../../core/workload/workload.js';
import type { Lab } from '../../replay/claims/claim.js';
import { runEmulation } from '../../replay/emulation.js';
import { kernelOf } from '../../traces/simulate/simulate.js';
import { parseFaults } from '../../traces/simulate/faults.js';
import { BUNDLED_WORKLOADS } from '../../traces/workload/bundled.js';
import { openWorkload } from '../../traces/workload/open.js';

/** A claim asks for a run that cannot be: a fault of the claim, not of a user. */
const must = <V>(result: Result<V>): V => {
  if (!result.ok) throw new Error(`${result.error.what} (${result.error.where ?? ''})`);
  return result.value;
};

/** Makes labs that run bundled workloads; each knows how sure the model was of what it ran. */
export const labs = async (): Promise<() => Lab> => {
  const workloads = new Map<string, Workload>();
  for (const { name } of BUNDLED_WORKLOADS) {
    const { boot: _boot, ...workload } = must(await openWorkload(name)).workload;
    workloads.set(name, workload);
  }
  return () => {
    const grades = new Set<Grade>();
    return {
      profile: (kernel) => {
        const { profile, arch } = must(kernelOf({ kernel }));
        // What is asked of a profile beside a run is in no recording.
        grades.add(gradeOf(profile, arch.name, 'failure'));
        return profile;
      },
      grade: () => GRADES.findLast((grade) => grades.has(grade)) ?? null,
      run: ({ kernel, arch, workload: name, fail, nodes, pack, huge, force }) => {
        const workload = workloads.get(name);
        if (workload === undefined) throw new Error(`there is no bundled workload ${name}`);
        const found = must(
          kernelOf({
            kernel,
            ...(arch === undefined ? {} : { arch }),
            ...(pack === undefined ? {} : { pack }),
            ...(huge === undefined ? {} : { huge }),
            ...(force === undefined ? {} : { force }),
          }),
        );
        grades.add(gradeOf(found.profile, found.arch.name, fail === undefined ? 'normal' : 'failure'));
        const faults = must(parseFaults(fail ?? [], workload));
        const run = runEmulation({
          workload,
          profile: found.profile,
          arch: found.arch,
          faults,
          ...(nodes === undefined ? {} : { nodes }),
        });
        run.happened.forEach((times, i) => {
          if (times === 0) throw new Error(`${fail?.[i] ?? ''} never happened on ${kernel}`);
        });
        return run;
      },
    };
  };
};
