/**
 * All interleavings of a few CPUs, as far as they differ. A CPU can be overtaken where it takes a lock, or changes what is shared, and only where another
 * CPU was seen to do the same without a lock in common: everywhere else the order makes no difference. Equal states are gone on from once.
 */
import type { Arch } from '../../arch/arch.js';
import { auditor } from '../../audit/audit.js';
import type { Finding } from '../../audit/finding.js';
import type { Event } from '../../event/event.js';
import type { Lock } from '../../kernel/request.js';
import type { Profile } from '../../profile/profile.js';
import type { Workload } from '../../workload/workload.js';
import { concurrent, runSchedule, type Concurrent } from '../emulate/concurrent.js';
import { Schedule } from '../emulate/schedule.js';
import { INVARIANTS, keyOf } from './trial.js';

export interface InterleaveInput {
  readonly workload: Workload;
  readonly profile: Profile;
  readonly arch: Arch;
  readonly seed: number;
  readonly budget: number;
  readonly without?: readonly Lock[];
  /** End at the first run that breaks a rule in this way. */
  readonly until?: string;
}

/** A broken rule, and the schedule that breaks it. */
export interface Broken {
  readonly finding: Finding;
  readonly schedule: Schedule;
  readonly events: number;
  /** How often a CPU was stopped that could have gone on. */
  readonly preemptions: number;
}

export interface Interleaved {
  readonly broken: readonly Broken[];
  /** Different states in which more than one CPU could go on. */
  readonly states: number;
  readonly runs: number;
  readonly merged: number;
  readonly steps: number;
  /** Runs left when the budget was used up. */
  readonly left: number;
}

/** Who was seen at what is shared, and which locks it held then. */
class Accesses {
  readonly #seen = new Map<string, Map<number, Set<string>>>();
  /** How many are known. */
  size = 0;

  add(object: string, cpu: number, locks: readonly Lock[]): void {
    let cpus = this.#seen.get(object);
    if (cpus === undefined) {
      cpus = new Map<number, Set<string>>();
      this.#seen.set(object, cpus);
    }
    let sets = cpus.get(cpu);
    if (sets === undefined) {
      sets = new Set<string>();
      cpus.set(cpu, sets);
    }
    const key = locks.join(' ');
    if (sets.has(key)) return;
    sets.add(key);
    this.size++;
  }

  *entries(): Generator<readonly [object: string, cpu: number, locks: string]> {
    for (const [object, cpus] of this.#seen)
      for (const [cpu, sets] of cpus) for (const locks of sets) yield [object, cpu, locks];
  }

  /** Whether one of these CPUs may be at the same without a lock in common. */
  conflict(object: string, others: readonly number[], locks: readonly Lock[]): boolean {
    const cpus = this.#seen.get(object);
    if (cpus === undefined) return false;
    return others.some((cpu) => {
      for (const key of cpus.get(cpu) ?? [])
        if (!locks.some((lock) => key.split(' ').includes(lock))) return true;
      return false;
    });
  }
}

export interface Work {
  readonly schedule: Schedule;
  readonly preemptions: number;
}

/** Runs waiting to be made, those with the fewest preemptions first. */
class Waiting {
  readonly #buckets: Work[][] = [];
  size = 0;

  push(work: Work): void {
    (this.#buckets[work.preemptions] ??= []).push(work);
    this.size++;
  }

  /** In an order in which they can be pushed again. */
  all(): Work[] {
    return this.#buckets.flat();
  }

  take(): Work | null {
    for (const bucket of this.#buckets) {
      const work = bucket?.pop();
      if (work === undefined) continue;
      this.size--;
      return work;
    }
    return null;
  }
}

export const DEADLOCK: Omit<Finding, 'from'> = {
  rule: 'I21',
  pattern: 'tasks wait for each other for ever',
  message: 'each task waits for a lock that another one holds',
  start: null,
  bytes: 0,
  space: null,
  to: null,
  evidence: [],
  failures: [],
};

/** Runs a schedule to its end and says what it breaks. */
export const judged = (
  input: InterleaveInput,
  schedule: Schedule,
): { readonly findings: readonly Finding[]; readonly events: number } => {
  const { workload, profile, arch, seed } = input;
  const events: Event[] = [];
  const run = concurrent({
    workload,
    profile,
    arch,
    seed,
    without: new Set(input.without ?? []),
    emit: (event) => events.push(event),
  });
  const ended = runSchedule(run, schedule);
  const findings: Finding[] = ended ? [] : [{ ...DEADLOCK, from: events.length }];
  const audit = auditor({ profile, arch, kernel: null, source: 'emulation' }, run.given, INVARIANTS, {
    found: (finding) => findings.push(finding),
  });
  audit.feed(events);
  audit.finish();
  return { findings, events: events.length };
};

/** Everything that a search of interleavings knows; plain data. */
export interface InterleaveState {
  readonly waiting: readonly Work[];
  readonly seen: readonly string[];
  readonly accesses: readonly (readonly [object: string, cpu: number, locks: string])[];
  /** Ways in which rules were broken, without what can be found out again. */
  readonly broken: readonly {
    readonly schedule: Schedule;
    readonly preemptions: number;
    readonly key: string;
  }[];
  /** Accesses that were known when the present round began. */
  readonly known: number;
  readonly runs: number;
  readonly merged: number;
  readonly steps: number;
}

export interface Interleaving {
  /** Makes the next run. False: all are made, the budget is used up, or what was looked for is found. */
  readonly step: () => boolean;
  readonly state: () => InterleaveState;
  readonly result: () => Interleaved;
}

export const interleaving = (input: InterleaveInput, from: InterleaveState | null = null): Interleaving => {
  const { workload, profile, arch, seed, budget } = input;
  const without = new Set(input.without ?? []);
  const accesses = new Accesses();
  for (const [object, cpu, locks] of from?.accesses ?? [])
    accesses.add(object, cpu, locks === '' ? [] : (locks.split(' ') as Lock[]));
  const broken = new Map<string, Broken>();
  let runs = from?.runs ?? 0;
  let merged = from?.merged ?? 0;
  let steps = from?.steps ?? 0;
  let known = from?.known ?? -1;
  let seen = new Set<string>(from?.seen ?? []);
  let waiting = new Waiting();
  for (const work of from?.waiting ?? []) waiting.push(work);
  /** Whether what was looked for is found. */
  const aim = { hit: false };

  const follow = (work: Work): void => {
    const events: Event[] = [];
    const run: Concurrent = concurrent({
      workload,
      profile,
      arch,
      seed,
      without,
      emit: (event) => events.push(event),
    });
    const { preemptions } = work;
    let { schedule } = work;
    const report = (finding: Finding): void => {
      const key = keyOf(finding);
      const before = broken.get(key);
      if (before !== undefined && before.preemptions <= preemptions) return;
      broken.set(key, { finding, schedule, events: run.machine.seq(), preemptions });
      if (key === input.until) aim.hit = true;
    };
    const step = (cpu: number): void => {
      const point = run.point(cpu);
      if (point !== null) accesses.add(point.object, cpu, run.holds(cpu));
      run.step(cpu);
      steps++;
    };
    for (const { cpu, steps: count } of schedule) for (let i = 0; i < count; i++) step(cpu);
    let current = schedule.at(-1)?.cpu ?? run.cpus[0] ?? 0;
    let cut = false;
    for (;;) {
      const ready = run.cpus.filter((cpu) => run.ready(cpu));
      if (ready.length === 0) break;
      const able = ready.includes(current);
      const next = able ? current : (ready[0] as number);
      const point = run.point(next);
      const others = run.cpus.filter((cpu) => cpu !== next && !run.done(cpu));
      if (
        ready.length > 1 &&
        (!able || (point !== null && accesses.conflict(point.object, others, run.holds(next))))
      ) {
        const state = run.state();
        if (seen.has(state)) {
          merged++;
          cut = true;
          break;
        }
        seen.add(state);
        for (const cpu of ready)
          if (cpu !== next)
            waiting.push({
              schedule: Schedule.after(schedule, cpu),
              preemptions: preemptions + (able ? 1 : 0),
            });
      }
      current = next;
      schedule = Schedule.after(schedule, next);
      step(next);
    }
    const audit = auditor({ profile, arch, kernel: null, source: 'emulation' }, run.given, INVARIANTS, {
      found: report,
    });
    audit.feed(events);
    const stuck = run.cpus.some((cpu) => !run.done(cpu)) && !run.cpus.some((cpu) => run.ready(cpu));
    if (stuck) report({ ...DEADLOCK, from: run.machine.seq() });
    // Of a run that was cut calls are open: what follows is the other run's to judge.
    if (!cut) audit.finish();
  };

  /** All runs of this round are made, and they have shown nothing that would have changed one of them. */
  const settled = (): boolean => waiting.size === 0 && known === accesses.size;

  for (const { schedule, preemptions, key } of from?.broken ?? []) {
    const { findings, events } = judged(input, schedule);
    const finding = findings.find((one) => keyOf(one) === key);
    if (finding !== undefined) broken.set(key, { finding, schedule, events, preemptions });
  }

  return {
    step: () => {
      if (aim.hit || runs >= budget || settled()) return false;
      let work = waiting.take();
      if (work === null) {
        // What others do at a point is learned on the way: until nothing new is learned, points that were passed over may have mattered.
        known = accesses.size;
        seen = new Set();
        waiting = new Waiting();
        work = { schedule: [], preemptions: 0 };
      }
      follow(work);
      runs++;
      return true;
    },
    state: () => ({
      waiting: waiting.all(),
      seen: [...seen],
      accesses: [...accesses.entries()],
      broken: [...broken].map(([key, { schedule, preemptions }]) => ({ schedule, preemptions, key })),
      known,
      runs,
      merged,
      steps,
    }),
    result: () => ({
      broken: [...broken.values()],
      states: seen.size,
      runs,
      merged,
      steps,
      left: aim.hit || settled() ? 0 : Math.max(1, waiting.size),
    }),
  };
};

export const interleave = (input: InterleaveInput): Interleaved => {
  const going = interleaving(input);
  while (going.step());
  return going.result();
};
