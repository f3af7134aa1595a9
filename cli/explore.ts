import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ARCHES } from '../core/arch/arches.js';
import { counterexamples, inOrder } from '../core/driver/explore/counterexample.js';
import type { Counterexample } from '../core/driver/explore/counterexample.js';
import { interleaving, type InterleaveInput } from '../core/driver/explore/interleave.js';
import { hasSeveralCpus, races } from '../core/driver/explore/races.js';
import { search, type SearchInput } from '../core/driver/explore/search.js';
import { DOMAINS, type Variant } from '../core/driver/explore/variant.js';
import { LOCKS } from '../core/kernel/request.js';
import { PROFILES } from '../core/profile/profiles.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { grouped } from '../replay/numbers.js';
import { shown, type ExploreReport, type Machinery } from '../traces/explore/report.js';
import { readInterleaving, readSearch, writeInterleaving, writeSearch } from '../traces/explore/saved.js';
import { kernelOf } from '../traces/simulate/simulate.js';
import { firstIncoherence } from '../traces/workload/coherence.js';
import { openWorkload } from '../traces/workload/open.js';
import { formatWorkload } from '../traces/workload/schema.js';
import type { Context } from './console/context.js';
import { progress, type Progress } from './console/progress.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { count, flag, oneOf, text } from './program/values.js';
import { exploreLines } from './show/explored.js';

const BUDGET = 20_000;
/** Milliseconds between two writings of a search that is to be resumed. */
const KEPT_EVERY = 2000;

const DOMAIN_NAMES = Object.keys(DOMAINS) as (keyof Variant)[];

/** Choices that are given: `frames=scattered`. */
const fixedOf = (texts: readonly string[]): Result<Partial<Variant>> => {
  const fixed: Record<string, string> = {};
  for (const one of texts) {
    const at = one.indexOf('=');
    const name = at < 0 ? one : one.slice(0, at);
    const value = at < 0 ? '' : one.slice(at + 1);
    const domain: readonly string[] | undefined = Object.hasOwn(DOMAINS, name)
      ? DOMAINS[name as keyof Variant]
      : undefined;
    if (domain?.includes(value) !== true)
      return fail(
        'bad-value',
        domain === undefined ? `there is no choice ${name}` : `${name} is not ${value || 'nothing'}`,
        `--choose ${one}`,
        `write ${DOMAIN_NAMES.map((known) => `${known}=${DOMAINS[known].join('|')}`).join(', ')}`,
      );
    fixed[name] = value;
  }
  return ok(fixed);
};

/** An option that was given, and not its default. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== false;

interface Searched {
  readonly report: Omit<ExploreReport, 'broken'>;
  readonly found: readonly Counterexample[];
}

interface Going {
  /** False once there is nothing left to try. */
  readonly step: () => boolean;
  /** Keeps the search in its file; null: there is none. */
  readonly keep: (() => Result<null>) | null;
  readonly told: () => string;
}

/** Goes on to the end, kept in its file now and then, and at the end. */
const goToEnd = (line: Progress, { step, keep, told }: Going): Result<null> => {
  let kept = performance.now();
  while (step()) {
    line.at(told);
    if (keep === null || performance.now() - kept < KEPT_EVERY) continue;
    const written = keep();
    if (!written.ok) return written;
    kept = performance.now();
  }
  return keep === null ? ok(null) : keep();
};

const madeSmall = (line: Progress, all: Iterable<Counterexample>): readonly Counterexample[] => {
  const found: Counterexample[] = [];
  for (const one of all) {
    found.push(one);
    line.at(() => `${found.length} counterexamples made small`);
  }
  line.end();
  return found;
};

/** All faults to the bound, then each finding made small. */
const searchFaults = (
  context: Context,
  input: SearchInput,
  name: string,
  resume: string | undefined,
): Result<Searched> => {
  const from = resume === undefined ? ok(null) : readSearch(resume, input);
  if (!from.ok) return from;
  const going = from.value === null ? search(input) : search(input, from.value);
  const line = progress(context);
  const gone = goToEnd(line, {
    step: going.step,
    keep: resume === undefined ? null : () => writeSearch(resume, input, going.state()),
    told: () => {
      const { runs, queue, seen, candidates } = going.state();
      return `${grouped(runs)} runs, ${grouped(queue.length)} to go, ${grouped(seen.length)} states, ${candidates.length} findings`;
    },
  });
  if (!gone.ok) return gone;
  const state = going.state();
  const found = madeSmall(
    line,
    counterexamples(input, state.candidates, (w) => firstIncoherence(w) === null),
  );
  return ok({
    report: {
      workload: name,
      kernel: input.profile.name,
      arch: input.arch.name,
      seed: input.seed,
      kind: 'faults',
      choices: going.variants.length,
      runs: state.runs,
      merged: state.merged,
      states: state.seen.length,
      complete: going.complete(),
      left: state.queue.length,
    },
    found: inOrder(found),
  });
};

/** All interleavings of the CPUs that the operations name, then each finding made small. */
const searchInterleavings = (
  context: Context,
  input: InterleaveInput,
  name: string,
  resume: string | undefined,
): Result<Searched> => {
  const from = resume === undefined ? ok(null) : readInterleaving(resume, input);
  if (!from.ok) return from;
  const going = interleaving(input, from.value);
  const line = progress(context);
  const gone = goToEnd(line, {
    step: going.step,
    keep: resume === undefined ? null : () => writeInterleaving(resume, input, going.state()),
    told: () => {
      const { runs, states, left, broken } = going.result();
      return `${grouped(runs)} runs, ${grouped(left)} to go, ${grouped(states)} states, ${broken.length} findings`;
    },
  });
  if (!gone.ok) return gone;
  const done = going.result();
  const found = madeSmall(
    line,
    races(input, done.broken, (w) => firstIncoherence(w) === null),
  );
  return ok({
    report: {
      workload: name,
      kernel: input.profile.name,
      arch: input.arch.name,
      seed: input.seed,
      kind: 'interleavings',
      choices: 1,
      runs: done.runs,
      merged: done.merged,
      states: done.states,
      complete: done.left === 0,
      left: done.left,
    },
    found: inOrder(found),
  });
};

/** A folder that can be written to. */
const prepare = (folder: string): Result<null> => {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return ok(null);
  } catch (error) {
    return fail('unwritable', 'counterexamples cannot be written', folder, (error as Error).message);
  }
};

const writeAll = (folder: string, report: ExploreReport): Result<null> => {
  try {
    for (const one of report.broken) writeFileSync(join(folder, one.file), formatWorkload(one.workload));
    return ok(null);
  } catch (error) {
    return fail('unwritable', 'counterexamples cannot be written', folder, (error as Error).message);
  }
};

export const explore = command({
  about:
    'Tries what can go wrong. Of a workload whose operations name several CPUs: all interleavings that differ. Of others: every call that can fail, in every run of the workload over the finite choices of its surroundings (docs/explore.md), and judges ' +
    'each run by the invariants of `audit`. Prints the smallest workload, choices and faults for each broken invariant, with the command that runs it ' +
    'again. Exit code 1 when an invariant is broken, 4 when none is but something was left out.',
  arguments: [['<workload>', 'workload file (JSON), capture folder, or the name of a bundled one']],
  options: [
    ['--kernel <kernel>', `a kernel version, or one of ${PROFILES.map(({ name }) => name).join(', ')}`],
    ['--arch <arch>', `one of ${ARCHES.map(({ name }) => name).join(', ')} (default: x86_64)`],
    ['--force', 'run a kernel and architecture that never existed together'],
    ['--faults <n>', 'calls that fail in one run: 0, 1 (default) or 2'],
    ['--budget <n>', `at most so many runs (default: ${BUDGET})`],
    ['--every', 'of many calls in a row by one caller try each, not only the first two and the last'],
    [
      '--choose <choice>...',
      `try this choice only: ${DOMAIN_NAMES.map((name) => `${name}=${DOMAINS[name].join('|')}`).join(', ')}`,
    ],
    ['--seed <n>', 'what is left to chance: frames, code offsets (default: 1)'],
    ['--out <folder>', 'write each counterexample as a workload file into this folder'],
    ['--without-lock <lock>...', `of interleavings: run a kernel that has no such lock: ${LOCKS.join(', ')}`],
    ['--resume <file>', 'keep the search in this file, and go on with the one that is there'],
  ],
  examples: [
    {
      line: 'pagetrail explore pack-basic --kernel 6.1 --out found/',
      does: 'every single fault on 6.1',
    },
    { line: 'pagetrail explore two-cpus --kernel 5.18-rc5', does: 'all interleavings of two CPUs' },
    {
      line: 'pagetrail explore one-program --kernel 5.18-rc3 --faults 2 --resume search.json',
      does: 'pairs too; stopped, it goes on where it was',
    },
  ],
  values: v.object({
    workload: text,
    kernel: v.optional(text),
    arch: v.optional(text, 'x86_64'),
    force: flag,
    faults: v.optional(v.pipe(count, v.maxValue(2, 'faults is more than 2'))),
    budget: v.optional(v.pipe(count, v.minValue(1, 'budget is not at least 1')), String(BUDGET)),
    every: flag,
    choose: v.optional(v.array(text)),
    withoutLock: v.optional(v.array(oneOf(LOCKS))),
    seed: v.optional(count, '1'),
    out: v.optional(text),
    resume: v.optional(text),
  }),
  run: async (context, given) => {
    const { kernel, arch, force, seed } = given;
    if (kernel === undefined)
      return fail(
        'bad-value',
        '--kernel is missing',
        undefined,
        `name one of ${PROFILES.map((p) => p.name).join(', ')}`,
      );
    const machine = kernelOf({ kernel, arch, force });
    if (!machine.ok) return machine;
    const fixed = fixedOf(given.choose ?? []);
    if (!fixed.ok) return fixed;
    const opened = await openWorkload(given.workload);
    if (!opened.ok) return opened;
    const { workload } = opened.value;
    const { budget, every } = given;
    const faults = given.faults ?? 1;
    const input = { workload, ...machine.value, seed, faults, budget, every, fixed: fixed.value };
    const several = hasSeveralCpus(workload);
    const unfit = several ? ['faults', 'every', 'choose'] : ['withoutLock'];
    const wrong = unfit.find((name) => isGiven(given[name as keyof typeof given]));
    if (wrong !== undefined)
      return fail(
        'bad-value',
        several
          ? `--${wrong} is not for interleavings, and the operations of this workload name several CPUs`
          : '--without-lock is for interleavings, and the operations of this workload name one CPU',
        undefined,
        'leave it out (docs/explore.md)',
      );
    const prepared = given.out === undefined ? ok(null) : prepare(given.out);
    if (!prepared.ok) return prepared;
    const searched = several
      ? searchInterleavings(
          context,
          { ...input, without: given.withoutLock ?? [] },
          workload.name,
          given.resume,
        )
      : searchFaults(context, input, workload.name, given.resume);
    if (!searched.ok) return searched;
    const machinery: Machinery = {
      ...machine.value,
      seed,
      kernelOptions: force ? ['--force'] : [],
      folder: given.out ?? null,
    };
    const report: ExploreReport = {
      ...searched.value.report,
      broken: searched.value.found.map((one, i) => shown(one, i + 1, machinery)),
    };
    const written = given.out === undefined ? ok(null) : writeAll(given.out, report);
    if (!written.ok) return written;
    if (context.settings.json) context.printJson(report);
    else context.print(...exploreLines(context, report, given.out ?? null));
    return ok(report.broken.length > 0 ? Exit.findings : report.complete ? Exit.nothing : Exit.unknown);
  },
});
