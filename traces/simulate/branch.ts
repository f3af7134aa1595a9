/** What if: a new trace that is an emulation's log up to a moment, and goes on otherwise. */
import { describeKinds } from '../../core/codec/describe.js';
import { branch, loggedOperations } from '../../core/driver/emulate/branch.js';
import { Fault } from '../../core/driver/emulate/faults.js';
import { ChoiceMismatch } from '../../core/driver/emulate/rerun.js';
import type { Machine } from '../../core/driver/emulate/machine.js';
import type { Event } from '../../core/event/event.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Workload, WorkloadOperation } from '../../core/workload/workload.js';
import type { Store, TraceLog } from '../../store/index.js';
import { genesisBytes } from '../import/pipeline.js';
import { checkWorkload } from '../workload/schema.js';
import { writer } from '../writer.js';
import { parseFaults } from './faults.js';
import { kernelOf } from './simulate.js';

/** The log that is branched from, as it was read. */
export interface BranchSource {
  readonly trace: string;
  readonly root: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly given: readonly Event[];
  /** All of it: what comes after the moment says which operations are left. */
  readonly events: readonly Event[];
  /** The moment. */
  readonly seq: number;
}

export interface BranchChanges {
  /** Another kernel from the next operation on. */
  readonly kernel?: string;
  readonly force?: boolean;
  /** Operations (by number) that are left out. */
  readonly skip: readonly number[];
  /** Operations that change places. */
  readonly swap: readonly (readonly [number, number])[];
  /** What comes after the operations that have begun, instead of what the log has. */
  readonly rest?: Workload;
  readonly faults: readonly string[];
  readonly seed?: number;
  readonly name: string;
}

/** What `pagetrail branch --json` prints. */
export interface BranchReport {
  readonly trace: string;
  /** Where it leaves the other one. */
  readonly from: { readonly trace: string; readonly seq: number; readonly root: string };
  readonly kernel: string;
  readonly arch: string;
  readonly operations: { readonly begun: number; readonly changed: number; readonly after: number };
  readonly events: number;
  readonly root: string;
  readonly faults: readonly { readonly fault: string; readonly happened: number }[];
}

const bad = (what: string, where: string, hint: string): Result<never> =>
  fail('bad-branch', what, where, hint);

/** Operations with others left out or in another order; only those that have not begun can be. */
const rearranged = (
  operations: readonly WorkloadOperation[],
  begun: number,
  { skip, swap }: BranchChanges,
): Result<readonly WorkloadOperation[]> => {
  const list: (WorkloadOperation | null)[] = [...operations];
  const wrong = (number: number, where: string): Result<never> | null =>
    number < 1 || number > list.length
      ? bad(`there is no operation ${number}`, where, `there are operations 1 to ${list.length}`)
      : number <= begun
        ? bad(
            `operation ${number} has begun by then`,
            where,
            begun < list.length
              ? `operations ${begun + 1} to ${list.length} have not`
              : 'all have; branch earlier',
          )
        : null;
  for (const [a, b] of swap) {
    const fault = wrong(a, `--swap ${a},${b}`) ?? wrong(b, `--swap ${a},${b}`);
    if (fault !== null) return fault;
    [list[a - 1], list[b - 1]] = [list[b - 1] ?? null, list[a - 1] ?? null];
  }
  for (const number of skip) {
    const fault = wrong(number, `--skip ${number}`);
    if (fault !== null) return fault;
    list[number - 1] = null;
  }
  return ok(list.filter((one) => one !== null));
};

/** The workload of a branch: what has begun as it was, then what is left, as it was changed. */
const workloadOf = (
  source: BranchSource,
  changes: BranchChanges,
): Result<{ readonly workload: Workload; readonly begun: number }> => {
  const logged = loggedOperations(source.events);
  const begun = logged.filter(({ seq }) => seq <= source.seq).length;
  const whole = checkWorkload(
    {
      pagetrail_workload: 1,
      name: typeof source.meta['workload'] === 'string' ? source.meta['workload'] : source.trace,
      operations: logged.map(({ operation }) => operation),
    },
    source.trace,
  );
  if (!whole.ok) return whole;
  if (changes.rest !== undefined && (changes.skip.length > 0 || changes.swap.length > 0))
    return bad(
      '--skip and --swap change operations of the log',
      '--workload',
      'change the workload file instead',
    );
  const operations =
    changes.rest === undefined
      ? rearranged(whole.value.operations, begun, changes)
      : ok([...whole.value.operations.slice(0, begun), ...changes.rest.operations]);
  if (!operations.ok) return operations;
  const workload = checkWorkload(
    { ...whole.value, operations: operations.value },
    'the operations of the branch',
  );
  return workload.ok ? ok({ workload: workload.value, begun }) : workload;
};

const emptyMemory = (): Memory => nothing;

/** Appends the branch as a trace of its own. */
export const branchInto = (
  store: Store,
  source: BranchSource,
  changes: BranchChanges,
): Result<{ readonly report: BranchReport; readonly log: TraceLog }> => {
  const { meta } = source;
  if (meta['began_as'] === 'recording')
    return bad(
      `${source.trace} went on from a recording`,
      source.trace,
      'branch from the recording itself, at that moment',
    );
  if (meta['schedule'] !== undefined)
    return bad(
      `${source.trace} was run by a schedule of several CPUs`,
      source.trace,
      'change its --schedule and simulate again',
    );
  const arch = String(meta['arch']);
  const before = kernelOf({
    kernel: String(meta['branched_kernel'] ?? meta['kernel']),
    arch,
    pack: meta['pack'] === true,
    huge: meta['huge'] === true,
    force: true,
  });
  if (!before.ok) return before;
  if (meta['branched_kernel'] !== undefined)
    return bad(
      `${source.trace} changed its kernel on the way`,
      source.trace,
      'branch from the trace that it came from',
    );
  const after =
    changes.kernel === undefined
      ? before
      : kernelOf({ kernel: changes.kernel, arch, force: changes.force ?? false });
  if (!after.ok) return after;
  const made = workloadOf(source, changes);
  if (!made.ok) return made;
  const { workload, begun } = made.value;
  const faults = parseFaults(changes.faults, workload);
  if (!faults.ok) return faults;
  const kernel = after.value.profile;
  const seed = changes.seed ?? Number(meta['seed'] ?? 1);
  const from = { trace: source.trace, seq: source.seq, root: source.root };
  const created = store.createTrace({
    name: changes.name,
    meta: {
      ...meta,
      kernel: kernel.name,
      profile: kernel.name,
      seed,
      ...(changes.kernel === undefined ? {} : { branched_kernel: before.value.profile.name }),
      branched_from: from,
      ...(faults.value.length === 0 ? {} : { fail: faults.value.map(Fault.toText) }),
    },
    genesis: genesisBytes(source.given),
  });
  if (!created.ok) return created;
  const described = store.describe(describeKinds());
  if (!described.ok) return described;
  const log = created.value;
  let memory = emptyMemory;
  const out = writer({ store, log, memory: () => memory() });
  let branched;
  try {
    branched = branch({
      workload,
      profile: before.value.profile,
      arch: before.value.arch,
      seed,
      nodes: Number(meta['nodes'] ?? 1),
      given: source.given,
      prefix: source.events.slice(0, source.seq),
      faults: faults.value,
      become: changes.kernel === undefined ? null : kernel,
      onMachine: (machine: Machine) => {
        memory = machine.memory;
        out.begin();
      },
      emit: out.add,
    });
  } catch (error) {
    if (!(error instanceof ChoiceMismatch)) throw error;
    store.remove(changes.name);
    return fail(
      'other-run',
      'this log cannot be run again',
      source.trace,
      `${error.message}; another version of pagetrail made it: simulate anew`,
    );
  }
  out.end();
  const wrong = out.failure();
  if (wrong !== null) return { ok: false, error: wrong };
  const happened = branched.faults.happened();
  const report: BranchReport = {
    trace: changes.name,
    from,
    kernel: kernel.name,
    arch,
    operations: {
      begun,
      changed: changes.skip.length + changes.swap.length,
      after: workload.operations.length - begun,
    },
    events: branched.events,
    root: log.info.root,
    faults: faults.value.map((fault, i) => ({ fault: Fault.toText(fault), happened: happened[i] as number })),
  };
  const finished = log.finish({ ...report });
  return finished.ok ? ok({ report, log }) : finished;
};
