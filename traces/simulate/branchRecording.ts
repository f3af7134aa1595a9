/** What if, from a recording: its memory at a moment is the beginning of an emulation that does what was left to do. */
import { describeKinds } from '../../core/codec/describe.js';
import { adopted, givenBy } from '../../core/driver/emulate/adopt.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import { Fault, faultsOf } from '../../core/driver/emulate/faults.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Workload, WorkloadOperation } from '../../core/workload/workload.js';
import type { Store, TraceLog } from '../../store/index.js';
import { genesisBytes } from '../import/pipeline.js';
import { writer } from '../writer.js';
import type { BranchChanges, BranchReport } from './branch.js';
import { parseFaults } from './faults.js';
import { kernelOf } from './simulate.js';

export interface RecordingSource {
  readonly trace: string;
  readonly root: string;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly seq: number;
  readonly memory: Memory;
  /** Texts of the markers up to the moment, in order. */
  readonly markers: readonly string[];
}

const bad = (what: string, where: string, hint: string): Result<never> =>
  fail('bad-branch', what, where, hint);

/** How many operations have begun: up to the last that a marker names. */
const begunBy = (operations: readonly WorkloadOperation[], markers: readonly string[]): number => {
  let begun = 0;
  for (const text of markers)
    for (let i = begun; i < operations.length; i++) {
      const operation = operations[i] as WorkloadOperation;
      if ((operation.op === 'marker' ? operation.text : operation.mark) !== text) continue;
      begun = i + 1;
      break;
    }
  return begun;
};

/** What these leave behind is not in memory alone: which jumps lead where. */
const PATCHES = new Set<WorkloadOperation['op']>(['attach_xdp', 'tail_call_update']);

const emptyMemory = (): Memory => nothing;

/** Appends the emulation as a trace of its own; its genesis is the recording's memory. */
export const branchRecording = (
  store: Store,
  source: RecordingSource,
  workload: Workload,
  changes: Omit<BranchChanges, 'skip' | 'swap' | 'rest'>,
): Result<{ readonly report: BranchReport; readonly log: TraceLog }> => {
  const { meta, memory: start } = source;
  const kernelName = changes.kernel ?? meta['profile'];
  if (typeof kernelName !== 'string' || typeof meta['arch'] !== 'string')
    return bad(`${source.trace} does not say which kernel it is of`, source.trace, 'name one with --kernel');
  const kernel = kernelOf({ kernel: kernelName, arch: meta['arch'], force: changes.force ?? false });
  if (!kernel.ok) return kernel;
  const begun = begunBy(workload.operations, source.markers);
  const before = workload.operations.slice(0, begun);
  if (begun === 0)
    return bad(
      'no operation of the workload has begun by then',
      `${source.trace}@${source.seq}`,
      'give the workload of this recording (pagetrail workload CAPTURE), or branch after its first marker',
    );
  if (before.some(({ op }) => PATCHES.has(op)))
    return bad(
      'tail calls or an XDP program are attached by then, and where their jumps lead is not known from memory',
      `${source.trace}@${source.seq}`,
      'branch before that, or from a simulation of the workload',
    );
  const there = adopted(start, before);
  const waiting = new Set(there.deferred.map(({ program }) => program.label));
  const loaded = new Set(before.flatMap((operation) => ('program' in operation ? [operation.program] : [])));
  const operations = workload.operations
    .slice(begun)
    .filter(
      (one) =>
        one.op !== 'free' ||
        !loaded.has(one.program) ||
        waiting.has(one.program) ||
        isHeld(there, one.program),
    );
  const rest: Workload = { pagetrail_workload: 1, name: workload.name, operations };
  const faults = parseFaults(changes.faults, rest);
  if (!faults.ok) return faults;
  const failing = faultsOf(faults.value);
  const seed = changes.seed ?? 1;
  const { profile, arch } = kernel.value;
  const from = { trace: source.trace, seq: source.seq, root: source.root };
  const given = givenBy(start);
  const created = store.createTrace({
    name: changes.name,
    meta: {
      source: 'emulation',
      workload: workload.name,
      kernel: profile.name,
      arch: arch.name,
      profile: profile.name,
      seed,
      nodes: 1,
      branched_from: from,
      began_as: 'recording',
      ...(faults.value.length === 0 ? {} : { fail: faults.value.map(Fault.toText) }),
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
  const out = writer({ store, log, memory: () => memory() });
  const emulated = emulate({
    workload: rest,
    profile,
    arch,
    seed,
    given,
    adopted: there,
    fail: failing.failing,
    before: (operation) => {
      failing.began(operation);
      return true;
    },
    onMachine: (machine) => {
      memory = machine.memory;
      out.begin();
    },
    emit: out.add,
  });
  out.end();
  const wrong = out.failure();
  if (wrong !== null) return { ok: false, error: wrong };
  const report: BranchReport = {
    trace: changes.name,
    from,
    kernel: profile.name,
    arch: arch.name,
    operations: { begun, changed: 0, after: operations.length },
    events: emulated.events,
    root: log.info.root,
    faults: faults.value.map((fault, i) => ({
      fault: Fault.toText(fault),
      happened: failing.happened()[i] as number,
    })),
  };
  const finished = log.finish({ ...report });
  return finished.ok ? ok({ report, log }) : finished;
};

const isHeld = ({ slots, sockets }: ReturnType<typeof adopted>, label: string): boolean =>
  [...slots.values(), ...sockets.values()].some((program) => program.label === label);
