/** A capture to the workload that was run: meta.json says what was asked for, the trace what it took and when. */
import { Address } from '../../core/value/address.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Capture } from '../capture/capture.js';
import { isPhaseMark, type CaptureOperation } from '../capture/meta.js';
import { readFtrace } from '../ftrace/read.js';
import { bootOf } from './boot.js';
import { RunCollector, type CompiledFunction, type FreedEvent, type RecordedRun } from './recordedRun.js';
import { checkWorkload } from './schema.js';
import { findTailCalls } from './tailCalls.js';
import type {
  AttachClassicOperation,
  FreeDuring,
  LoadOperation,
  TailCall,
  Workload,
  WorkloadFunction,
  WorkloadOperation,
} from './workload.js';

export interface ConvertedWorkload {
  readonly workload: Workload;
  /** What the recording holds and the workload does not. */
  readonly notes: readonly string[];
}

type Load = Extract<CaptureOperation, { what: 'load' }>;
type AttachClassic = Extract<CaptureOperation, { what: 'attach_classic' }>;
/** Operations that say all there is in meta.json and the marker. */
type PlainOperation = Exclude<CaptureOperation, Load | AttachClassic>;

/** The key of a program array's entry: only the marker holds it. */
const keyOf = (mark: string): number => Number(/ key=(\d+)/.exec(mark)?.[1] ?? 0);

const plain = (operation: PlainOperation, mark: string): WorkloadOperation => {
  switch (operation.what) {
    case 'detach_classic':
      return {
        op: 'detach_classic',
        mark,
        socket: operation.sock,
        recorded: { errno: operation.errno },
      };
    case 'close':
      return { op: 'close', mark, slot: operation.slot };
    case 'prog_array_update':
    case 'prog_array_delete': {
      const slot = operation.what === 'prog_array_delete' ? null : operation.slot;
      return {
        op: 'tail_call_update',
        mark,
        key: keyOf(mark),
        slot,
        recorded: { errno: operation.errno },
      };
    }
    case 'xdp_attach':
      return { op: 'attach_xdp', mark, slot: operation.slot, recorded: { errno: operation.errno } };
    case 'xdp_detach':
      return { op: 'detach_xdp', mark };
    case 'dirty':
      return { op: 'dirty', mark, maps: operation.maps, deleted: operation.deleted };
    default: // set_bpf_jit_limit
      return {
        op: 'set_jit_limit',
        mark,
        bytes: operation.value,
        recorded: { errno: operation.errno },
      };
  }
};

class Builder {
  readonly operations: WorkloadOperation[] = [];
  readonly notes: string[] = [];
  readonly #byNumber = new Map<number, CaptureOperation>();
  readonly #owners = new Map<CompiledFunction, { program: string; index: number }>();
  /** Programs that got no code, by their pointer. */
  readonly #codeless = new Map<string, string>();
  /** Programs that the verifier turned down and that were not freed yet: the trace never shows their pointer before. */
  readonly #rejected: { program: string; insns: number }[] = [];
  readonly #tailCalls: ReadonlyMap<CompiledFunction, readonly TailCall[]>;
  /** The load at hand: where it stands in `operations`, how many of its functions get memory, and have it. */
  #loading: { at: number; readonly total: number; got: number; readonly during: FreeDuring[] } | null = null;

  constructor(
    capture: Capture,
    private readonly run: RecordedRun,
  ) {
    for (const entry of capture.meta.operations) {
      if (!isPhaseMark(entry)) this.#byNumber.set(entry.op, entry);
    }
    this.notes.push(...run.notes);
    const marks = new Map<number, string>();
    for (const event of run.events) if (event.kind === 'operation') marks.set(event.op, event.text);
    this.#tailCalls = findTailCalls(run.patches, [...run.compiled.values()].flat(), (op) =>
      this.#byNumber.get(op)?.what === 'prog_array_update' ? keyOf(marks.get(op) ?? '') : null,
    );
  }

  build(): void {
    const seen = new Set<number>();
    for (const event of this.run.events) {
      switch (event.kind) {
        case 'marker':
          this.#loading = null;
          this.operations.push({ op: 'marker', text: event.text });
          break;
        case 'operation':
          this.#loading = null;
          seen.add(event.op);
          this.#operation(event.op, event.text, event.line);
          break;
        case 'allocated':
          if (this.#loading !== null) this.#loading.got++;
          break;
        case 'freed':
          this.#freed(event);
          break;
        case 'array-cleared':
          this.operations.push({ op: 'tail_call_clear' });
          break;
      }
    }
    for (const op of this.#byNumber.keys()) {
      if (!seen.has(op)) this.notes.push(`operation ${op} has no marker in the trace; left out`);
    }
  }

  #operation(op: number, mark: string, line: number): void {
    const operation = this.#byNumber.get(op);
    if (operation === undefined) {
      this.notes.push(`line ${line}: operation ${op} is not in meta.json; left out`);
    } else if (operation.what === 'load') this.#load(operation, mark);
    else if (operation.what === 'attach_classic') this.#attachClassic(operation, mark);
    else this.operations.push(plain(operation, mark));
  }

  #load(load: Load, mark: string): void {
    const compiled = this.run.compiled.get(load.op) ?? [];
    const functions = this.#functions(load.name, compiled);
    if (functions.length > 0 && functions.length !== load.subprogs + 1) {
      this.notes.push(
        `operation ${load.op}: ${load.subprogs + 1} functions asked for, ${functions.length} compiled`,
      );
    }
    const rejected = load.errno !== 0 && compiled.length === 0;
    if (rejected) this.#rejected.push({ program: load.name, insns: load.insns });
    const during: FreeDuring[] = [];
    const operation: LoadOperation = {
      op: 'load',
      mark,
      program: load.name,
      slot: load.slot < 0 ? null : load.slot,
      type: load.type,
      insns: load.insns,
      ...(load.id === undefined ? {} : { id: load.id }),
      ...(load.tag === undefined ? {} : { tag: load.tag }),
      capable: load.privileged ?? true,
      blinded: compiled.some((f) => f.blinded),
      ...(rejected ? { fails: 'verifier' as const } : {}),
      functions,
      during,
      recorded: { errno: load.errno },
    };
    this.#begin(operation, compiled, during);
  }

  #attachClassic(attach: AttachClassic, mark: string): void {
    const program = `c${attach.op}_${attach.insns}`;
    const compiled = this.run.compiled.get(attach.op) ?? [];
    const operation: AttachClassicOperation = {
      op: 'attach_classic',
      mark,
      program,
      socket: attach.sock,
      insns: attach.insns,
      // meta.json does not say; only a refused charge shows a task without CAP_BPF.
      capable: !compiled.some((f) => f.refused),
      functions: this.#functions(program, compiled),
      recorded: { errno: attach.errno },
    };
    this.#begin(operation, compiled, []);
  }

  #begin(operation: WorkloadOperation, compiled: readonly CompiledFunction[], during: FreeDuring[]): void {
    const total = compiled.filter((f) => f.chunk !== null).length;
    this.#loading = { at: this.operations.length, total, got: 0, during };
    this.operations.push(operation);
  }

  #functions(program: string, compiled: readonly CompiledFunction[]): WorkloadFunction[] {
    const functions: WorkloadFunction[] = [];
    for (const f of compiled) {
      if (f.code === 0) for (const prog of f.progs) this.#codeless.set(prog, program);
      if (f.image === 0) continue; // a kernel without JIT: compiled in name only
      this.#owners.set(f, { program, index: functions.length });
      functions.push({
        image: f.image,
        ...(f.code > 0 ? { code: f.code } : {}),
        ...(f.code > 0 && f.firstCode !== f.code ? { first_code: f.firstCode } : {}),
        ...(f.entry === null || f.chunk === null ? {} : { offset: Address.minus(f.entry, f.chunk) }),
        insns: f.insns,
        ...(f.tag === null ? {} : { tag: f.tag }),
        tail_calls: this.#tailCalls.get(f) ?? [],
        ...(f.chunk === null ? {} : { recorded: { chunk: Address.toText(f.chunk) } }),
      });
    }
    return functions;
  }

  #freed(event: FreedEvent): void {
    const owner = event.function === null ? undefined : this.#owners.get(event.function);
    if (owner === undefined) return this.#freedWithoutCode(event);
    const { program, index } = owner;
    const free: WorkloadOperation = { op: 'free', program, function: index };
    const loading = this.#loading;
    if (loading === null || loading.got >= loading.total) this.operations.push(free);
    else if (loading.got === 0) this.operations.splice(loading.at++, 0, free);
    else loading.during.push({ after: loading.got, program, function: index });
  }

  #freedWithoutCode(event: FreedEvent): void {
    if (event.function !== null || event.hasCode) return; // noted by the collector
    const program = this.#codeless.get(event.prog) ?? this.#takeRejected(event.insns);
    if (program === undefined) this.notes.push(`line ${event.line}: a free of no known program; left out`);
    else this.operations.push({ op: 'free', program });
  }

  #takeRejected(insns: number): string | undefined {
    const i = this.#rejected.findIndex((r) => r.insns === insns);
    return i < 0 ? undefined : this.#rejected.splice(i, 1)[0]?.program;
  }
}

/** Reads the whole trace once. Fails for recordings of the function tracer, which hold no arguments. */
export const workloadFromCapture = async (capture: Capture): Promise<Result<ConvertedWorkload>> => {
  const collector = new RunCollector();
  const read = await readFtrace(capture.tracePath, (line) => collector.line(line));
  if (!read.ok) return read;
  const run = collector.finish();
  if (run.calls === 0) {
    return fail(
      'no-arguments',
      'the trace has no call with arguments: lengths and addresses are not known',
      capture.tracePath,
      'record with kprobe events; the function tracer alone does not do',
    );
  }
  const builder = new Builder(capture, run);
  builder.build();
  const [first] = capture.phases;
  const dump = first === undefined ? null : capture.dump(first);
  const { meta } = capture;
  const checked = checkWorkload(
    {
      pagetrail_workload: 1,
      name: meta.scenario,
      origin: { kernel: meta.release, arch: meta.arch },
      ...(dump?.ok === true ? { boot: bootOf(dump.value, meta.machine.page_size) } : {}),
      operations: builder.operations,
    },
    capture.folder,
  );
  return checked.ok ? ok({ workload: checked.value, notes: builder.notes }) : checked;
};
