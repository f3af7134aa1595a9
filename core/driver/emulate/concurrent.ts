/**
 * Several CPUs over one memory: each runs the operations of the workload that name it, and a scheduler says who goes on. A task that wants a lock which
 * another one holds waits.
 */
import type { Event } from '../../event/event.js';
import type { ChoiceKind, Choices, Lock, Request } from '../../kernel/request.js';
import type { Memory } from '../../memory/memory.js';
import { digest, putState, type Digest } from '../../memory/stateHash.js';
import type { Workload, WorkloadOperation } from '../../workload/workload.js';
import { cpuOf, type Cpu } from './cpus.js';
import { bootEvents, type EmulateOptions } from './emulate.js';
import type { ChoiceSource, Machine, RunningCall } from './machine.js';
import { pointOf, type Point } from './points.js';
import { NO_SITUATION, type Situation } from './policies.js';
import type { Operation } from './rootCall.js';
import { Runtime } from './runtime.js';

export interface ConcurrentOptions extends Omit<EmulateOptions, 'source' | 'answers' | 'before' | 'backing'> {
  /** Locks that the kernel is run without: nothing of the kind is in any kernel. */
  readonly without?: ReadonlySet<Lock>;
}

/** What the operations of a CPU are at. */
interface Thread {
  readonly cpu: Cpu;
  readonly operations: readonly (readonly [number, WorkloadOperation])[];
  next: number;
  operation: Operation | null;
  call: RunningCall | null;
  situation: Situation;
  result: unknown;
  point: Point | null;
  done: boolean;
  /** Everything that it did. */
  readonly past: Digest;
}

export interface Concurrent {
  readonly given: readonly Event[];
  readonly machine: Machine;
  /** CPUs with operations. */
  readonly cpus: readonly number[];
  /** The CPU has done all its operations. */
  readonly done: (cpu: number) => boolean;
  /** It can go on: it is not done, and waits for no lock. */
  readonly ready: (cpu: number) => boolean;
  /** What it does first when it goes on; null: it has not begun, or is done. */
  readonly point: (cpu: number) => Point | null;
  /** Locks that it holds. */
  readonly holds: (cpu: number) => readonly Lock[];
  /** One step. */
  readonly step: (cpu: number) => void;
  /** The present state as a text: equal states go on alike. */
  readonly state: () => string;
  readonly memory: () => Memory;
}

/** Frames of each CPU: those of small areas lie side by side in one 2M region, so that CPUs split the same leaves. */
const SHARED_REGION = 0x8000;
const SHARED_EACH = 64;
const OWN_REGION = 0x10000;
const OWN_EACH = 0x4000;
const LARGE = 512;

/** Frames, purges and the like come out the same whoever was first: what is left to differ is the order of what is shared. */
const steadyAnswers = (seeded: ChoiceSource, running: { readonly cpu: number }): ChoiceSource => {
  const small = new Map<number, number>();
  const large = new Map<number, number>();
  const frames = ({ pages }: { readonly pages: number }): { frame: number; pages: number }[] => {
    const { cpu } = running;
    const used = small.get(cpu) ?? 0;
    if (used + pages <= SHARED_EACH) {
      small.set(cpu, used + pages);
      return [{ frame: SHARED_REGION + cpu * SHARED_EACH + used, pages }];
    }
    const own = large.get(cpu) ?? 0;
    large.set(cpu, own + Math.ceil(pages / LARGE) * LARGE);
    return [{ frame: OWN_REGION + cpu * OWN_EACH + own, pages }];
  };
  return <K extends ChoiceKind>(what: K, question: Choices[K]['question']): Choices[K]['answer'] => {
    if (what === 'frames') return frames(question as Choices['frames']['question']) as never;
    if (what === 'purge') return ((question as Choices['purge']['question']).predicted ?? 0) as never;
    // Found out at boot.
    if (what === 'trial') return false as never;
    return seeded(what, question);
  };
};

/** Programs with fixed code offsets and ids: else those would depend on who was first. */
const settled = (workload: Workload): Workload => ({
  ...workload,
  operations: workload.operations.map((operation, i): WorkloadOperation => {
    if (operation.op !== 'load' && operation.op !== 'attach_classic') return operation;
    const functions = operation.functions.map((fn) => (fn.offset === undefined ? { offset: 8, ...fn } : fn));
    return operation.op === 'load'
      ? Object.assign({}, operation, { functions, id: operation.id ?? i + 1 })
      : Object.assign({}, operation, { functions });
  }),
});

/** What of an event depends on who was first and means nothing. */
const NAMES = new Set(['seq', 'time', 'call', 'program']);

export const cpuNumber = (operation: WorkloadOperation): number =>
  ('cpu' in operation ? operation.cpu : undefined) ?? 0;

export const concurrent = (options: ConcurrentOptions): Concurrent => {
  const workload = settled(options.workload);
  const { given, pool } = bootEvents({ ...options, workload });
  const held = new Map<Lock, number>();
  const without = options.without ?? new Set<Lock>();
  let current: Thread | null = null;
  const runtime = new Runtime(
    {
      ...options,
      workload,
      answers: steadyAnswers,
      emit: (event) => {
        current?.past.text(
          JSON.stringify(event, (key, value: unknown) => (NAMES.has(key) ? undefined : value)),
        );
        options.emit(event);
      },
    },
    given,
    pool,
  );
  const { machine } = runtime;
  options.onMachine?.(machine);

  const numbers = [...new Set(workload.operations.map(cpuNumber))].sort((a, b) => a - b);
  const threads = new Map<number, Thread>(
    numbers.map((number) => [
      number,
      {
        cpu: cpuOf(number),
        operations: workload.operations.flatMap((operation, i) =>
          cpuNumber(operation) === number ? [[i + 1, operation] as const] : [],
        ),
        next: 0,
        operation: null,
        call: null,
        situation: NO_SITUATION,
        result: undefined,
        point: null,
        done: false,
        past: digest(),
      },
    ]),
  );
  const of = (cpu: number): Thread => threads.get(cpu) as Thread;

  /** Locks are given back as the task passes; at what is shared it pauses. */
  const pauses =
    (thread: Thread) =>
    (request: Request): boolean => {
      if (request.request === 'lock') {
        if (without.has(request.lock)) return false;
        if (!request.taken) held.delete(request.lock);
      }
      thread.point = pointOf(request);
      return thread.point !== null;
    };

  /** Runs until the next point. */
  const advance = (thread: Thread): void => {
    for (;;) {
      if (thread.call === null) {
        if (thread.operation === null) {
          const next = thread.operations[thread.next];
          if (next === undefined) {
            thread.done = true;
            return;
          }
          thread.next++;
          thread.operation = runtime.operation(next[1], next[0], thread.cpu);
          thread.result = undefined;
        }
        runtime.running(thread.cpu.number, NO_SITUATION);
        const asked = thread.operation.next(thread.result);
        if (asked.done === true) {
          thread.operation = null;
          continue;
        }
        thread.situation = asked.value.situation;
        runtime.running(thread.cpu.number, thread.situation);
        thread.call = machine.start(asked.value.who, asked.value.fn, asked.value.args);
      }
      runtime.running(thread.cpu.number, thread.situation);
      if (thread.call.advance(pauses(thread)) !== null) return;
      thread.result = thread.call.result();
      thread.call = null;
      thread.point = null;
    }
  };

  return {
    given,
    machine,
    cpus: numbers,
    done: (cpu) => of(cpu).done,
    ready: (cpu) => {
      const { done, point } = of(cpu);
      return !done && (point?.lock === undefined || point.lock === null || !held.has(point.lock));
    },
    point: (cpu) => of(cpu).point,
    holds: (cpu) => [...held].flatMap(([lock, owner]) => (owner === cpu ? [lock] : [])).sort(),
    step: (cpu) => {
      const thread = of(cpu);
      current = thread;
      if (thread.point?.lock !== undefined && thread.point.lock !== null) held.set(thread.point.lock, cpu);
      thread.point = null;
      advance(thread);
      current = null;
    },
    state: () => {
      const out = digest();
      for (const thread of threads.values()) {
        out.text(thread.past.take());
        out.text(thread.done ? 'done' : (thread.point?.object ?? ''));
      }
      putState(out, machine.memory());
      return out.take();
    },
    memory: machine.share,
  };
};

/** Runs to the end: by a schedule, and where it is used up each CPU as long as it can. False: the CPUs wait for each other for ever. */
export const runSchedule = (
  run: Concurrent,
  schedule: Iterable<{ readonly cpu: number; readonly steps: number }>,
): boolean => {
  let current = run.cpus[0] ?? 0;
  for (const { cpu, steps } of schedule) {
    current = cpu;
    for (let i = 0; i < steps && run.cpus.includes(cpu) && run.ready(cpu); i++) run.step(cpu);
  }
  for (;;) {
    if (!run.cpus.includes(current) || !run.ready(current)) {
      const next = run.cpus.find((cpu) => run.ready(cpu));
      if (next === undefined) return run.cpus.every((cpu) => run.done(cpu));
      current = next;
    }
    run.step(current);
  }
};
