/** From a workload to an appended log: emulate, encode, append. The same workload, kernel and seed give the same bytes and the same root. */
import type { Arch } from '../../core/arch/arch.js';
import { archNamed, ARCHES } from '../../core/arch/arches.js';
import { forcedPort, portOf } from '../../core/arch/port.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { describeKinds } from '../../core/codec/describe.js';
import { bootEvents, emulate } from '../../core/driver/emulate/emulate.js';
import { concurrent, runSchedule, type ConcurrentOptions } from '../../core/driver/emulate/concurrent.js';
import { Schedule } from '../../core/driver/emulate/schedule.js';
import type { Lock } from '../../core/kernel/request.js';
import { Fault, faultsOf } from '../../core/driver/emulate/faults.js';
import type { Backing } from '../../core/driver/emulate/policies.js';
import type { ChoiceSource, Machine } from '../../core/driver/emulate/machine.js';
import type { Event } from '../../core/event/event.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { gradeOf, worse, type Grade } from '../../core/profile/grade.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Workload } from '../../core/workload/workload.js';
import type { Store, TraceLog } from '../../store/index.js';
import { genesisBytes } from '../import/pipeline.js';
import { namedKernel, type NamedKernel } from '../kernelNames.js';
import { writer } from '../writer.js';

export interface SimulateOptions extends KernelChoice {
  readonly seed?: number;
  readonly nodes?: number;
  /** Name of the trace; default WORKLOAD-KERNEL. */
  readonly name?: string;
  readonly source?: ChoiceSource;
  /** Calls that are to fail. */
  readonly faults?: readonly Fault[];
  /** Which CPU runs when; default: one operation after the other. */
  readonly schedule?: Schedule;
  /** Locks that the kernel is run without. */
  readonly withoutLocks?: readonly Lock[];
  /** How frames lie; default: as this kernel asks for them. */
  readonly frames?: Backing;
  readonly onBatch?: (batch: readonly Event[]) => void;
}

/** What `pagetrail simulate --json` prints. */
export interface SimulateReport {
  readonly trace: string;
  readonly workload: string;
  readonly kernel: string;
  readonly arch: string;
  /** How sure it is that this kernel does what the emulation did; of a kernel that never existed: inferred at best. */
  readonly grade: Grade;
  readonly seed: number;
  readonly events: number;
  readonly root: string;
  /** Each fault that was asked for, and how often it happened. */
  readonly faults: readonly { readonly fault: string; readonly happened: number }[];
}

export interface Simulated {
  readonly report: SimulateReport;
  readonly log: TraceLog;
  readonly memory: Memory;
}

/** Which kernel is emulated. */
export interface KernelChoice {
  readonly kernel: string;
  readonly arch?: string;
  /** The JIT gets its memory from packs, also where it never did. */
  readonly pack?: boolean;
  /** Areas of BPF lie on large leaves, also where nothing asks for them. */
  readonly huge?: boolean;
  /** Combinations that never existed are run anyway. */
  readonly force?: boolean;
}

/** The profile and architecture of a simulation, or why there is none. */
export const kernelOf = (options: KernelChoice): Result<NamedKernel & { readonly arch: Arch }> => {
  const name = options.arch ?? x86_64.name;
  const arch = archNamed(name);
  if (arch === null)
    return fail(
      'arch-not-modelled',
      `architecture ${name} is not modelled`,
      undefined,
      `known: ${ARCHES.map((one) => one.name).join(', ')}`,
    );
  const named = namedKernel(options.kernel);
  if (!named.ok) return named;
  const { profile, inferred } = named.value;
  const missing = arch.missing(profile);
  if (missing !== null && options.force !== true)
    return fail('never-existed', missing, undefined, '--force runs it anyway');
  const ported = portOf(profile, arch);
  const packless = options.pack === true && ported.allocator !== 'pack';
  const hugeless = options.huge === true && !ported.asksHuge;
  if (!packless && !hugeless) return ok({ profile: ported, inferred, arch });
  if (options.force !== true)
    return fail(
      'never-existed',
      packless
        ? `the JIT of ${arch.name} does not use the pack allocator on ${profile.name}`
        : `BPF does not ask for huge pages on ${profile.name}`,
      undefined,
      '--force runs it anyway',
    );
  return ok({ profile: forcedPort(profile, arch, options), inferred, arch });
};

const emptyMemory = (): Memory => nothing;

/** Several CPUs by a schedule, to the end, or until all wait for each other. */
const scheduled = (options: ConcurrentOptions, schedule: Schedule): { memory: Memory; events: number } => {
  const run = concurrent(options);
  runSchedule(run, schedule);
  return { memory: run.memory(), events: run.machine.seq() };
};

/** Emulates a workload into the store. */
export const simulate = (store: Store, workload: Workload, options: SimulateOptions): Result<Simulated> => {
  const kernel = kernelOf(options);
  if (!kernel.ok) return kernel;
  const { profile, arch } = kernel.value;
  const seed = options.seed ?? 1;
  const name = options.name ?? `${workload.name}-${profile.name}${arch === x86_64 ? '' : `-${arch.name}`}`;
  const faults = options.faults ?? [];
  const failing = faultsOf(faults);
  const base = { workload, profile, arch, seed };
  const { given } = bootEvents(base);
  const created = store.createTrace({
    name,
    meta: {
      source: 'emulation',
      workload: workload.name,
      kernel: profile.name,
      arch: arch.name,
      profile: profile.name,
      seed,
      nodes: options.nodes ?? 1,
      ...(options.pack === true ? { pack: true } : {}),
      ...(options.huge === true ? { huge: true } : {}),
      ...(options.frames === undefined ? {} : { frames: options.frames }),
      ...(options.schedule === undefined ? {} : { schedule: Schedule.toText(options.schedule) }),
      ...(options.withoutLocks === undefined || options.withoutLocks.length === 0
        ? {}
        : { without_locks: options.withoutLocks }),
      ...(faults.length === 0 ? {} : { fail: faults.map(Fault.toText) }),
      origin: '0',
      given: null,
    },
    genesis: genesisBytes(given),
  });
  if (!created.ok) return created;
  const described = store.describe(describeKinds());
  if (!described.ok) return described;
  const log = created.value;
  let memory = emptyMemory;
  const out = writer({ store, log, memory: () => memory(), onBatch: options.onBatch });
  const common = {
    ...base,
    ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
    ...(faults.length === 0 ? {} : { fail: failing.failing }),
    onMachine: (machine: Machine) => {
      memory = machine.memory;
      out.begin();
    },
  };
  const { schedule } = options;
  const emulated =
    schedule === undefined
      ? emulate({
          ...common,
          ...(options.source === undefined ? {} : { source: options.source }),
          ...(options.frames === undefined ? {} : { backing: options.frames }),
          before: (operation) => {
            failing.began(operation);
            return true;
          },
          emit: out.add,
        })
      : scheduled(
          {
            ...common,
            without: new Set(options.withoutLocks),
            emit: (event) => {
              if (event.kind === 'operation') failing.began(event.index);
              out.add(event);
            },
          },
          schedule,
        );
  out.end();
  const wrong = out.failure();
  if (wrong !== null) return { ok: false, error: wrong };
  const failed = failing.happened().some((times) => times > 0);
  const forced = options.force === true && (options.pack === true || arch.missing(profile) !== null);
  const sure = gradeOf(profile, arch.name, failed ? 'failure' : 'normal');
  const report: SimulateReport = {
    trace: name,
    workload: workload.name,
    kernel: profile.name,
    arch: arch.name,
    grade: forced ? worse(sure, 'inferred') : sure,
    seed,
    events: emulated.events,
    root: log.info.root,
    faults: faults.map((fault, i) => ({
      fault: Fault.toText(fault),
      happened: failing.happened()[i] as number,
    })),
  };
  const finished = log.finish({ ...report });
  return finished.ok ? ok({ report, log, memory: emulated.memory }) : finished;
};
