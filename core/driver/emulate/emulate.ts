/**
 * Runs a workload on an emulated kernel: the operations of the workload are composed of the same kernel functions that a recording is followed with.
 */
import { unitOf, type Arch } from '../../arch/arch.js';
import { portOf } from '../../arch/port.js';
import { eventOf, type Event } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import type { Memory } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import { random } from '../../value/random.js';
import type { Workload } from '../../workload/workload.js';
import type { Adopted } from './adopt.js';
import { bootFacts } from './boot.js';
import { cpuOf } from './cpus.js';
import type { Failing, Intercept } from './failing.js';
import { framePool, type FramePool } from './frames.js';
import type { ChoiceSource, Machine } from './machine.js';
import type { Backing } from './policies.js';
import { Runtime } from './runtime.js';

export interface EmulateOptions {
  readonly workload: Workload;
  readonly profile: Profile;
  readonly arch: Arch;
  readonly seed: number;
  /** NUMA nodes; default 1. */
  readonly nodes?: number;
  readonly emit: (event: Event) => void;
  /** Answers instead of the seeded policies: the choices of an earlier log, in order. */
  readonly source?: ChoiceSource;
  /** Answers some choices otherwise than the seeded policies. */
  readonly answers?: (
    seeded: ChoiceSource,
    running: { readonly cpu: number },
    pool: FramePool,
  ) => ChoiceSource;
  /** How frames lie; default: as this kernel asks for them. */
  readonly backing?: Backing;
  /** The mitigation is on that flushes branch predictors before a classic program gets used memory (7.1+). */
  readonly flushesPredictors?: boolean;
  /** Calls that fail; where it comes from a log: `loggedFailures`. */
  readonly fail?: Failing;
  /** Faults for tests. */
  readonly intercept?: Intercept;
  /** Gets the machine before the first operation. */
  readonly onMachine?: (machine: Machine) => void;
  /** Facts of the machine before the first operation; default: those of a boot, with what the workload says of it. */
  readonly given?: readonly Event[];
  /** Programs that are in what is given. */
  readonly adopted?: Adopted;
  /** Told of each operation (from 1) before it begins; false: the run ends there. */
  readonly before?: (operation: number, machine: Machine) => boolean;
}

export interface Emulated {
  /** Facts before the first event. */
  readonly given: readonly Event[];
  readonly memory: Memory;
  readonly events: number;
}

/** First pfn and frames of the emulated machine: 1 GiB from 16 MiB on. */
const FIRST_PFN = 0x1000;
const PFNS = 0x3f000;

/** Facts of the emulated machine before the first operation, as events with number 0. */
export const bootEvents = (
  options: Pick<EmulateOptions, 'workload' | 'profile' | 'arch' | 'seed' | 'given'>,
): { readonly given: readonly Event[]; readonly pool: FramePool } => {
  const pool = framePool(FIRST_PFN, PFNS, random(options.seed ^ 0x51ed), unitOf(options.arch));
  if (options.given !== undefined) {
    for (const event of options.given) if (event.kind === 'mapped') pool.claim(event.frame, event.pages);
    return { given: options.given, pool };
  }
  const profile = portOf(options.profile, options.arch);
  const facts = bootFacts(options.workload.boot, profile, options.arch, pool);
  return {
    given: facts.map((fact) =>
      eventOf({ seq: 0, time: 0, cpu: 0, task: '', call: 0, origin: Origin.assumed }, fact),
    ),
    pool,
  };
};

/** Runs a workload. Events are given to `emit` in order; the facts before the first one are in the result. */
export const emulate = (options: EmulateOptions): Emulated => {
  const { given, pool } = bootEvents(options);
  const runtime = new Runtime(options, given, pool);
  const { machine } = runtime;
  options.onMachine?.(machine);
  let number = 0;
  for (const operation of options.workload.operations) {
    number++;
    if (options.before?.(number, machine) === false) break;
    runtime.run(operation, number, cpuOf(('cpu' in operation ? operation.cpu : undefined) ?? 0));
  }
  return { given, memory: machine.share(), events: machine.seq() };
};
