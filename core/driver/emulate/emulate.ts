/**
 * Runs a workload on an emulated kernel: the operations of the workload are composed of the same kernel functions that a recording is followed with.
 */
import { unitOf, type Arch } from '../../arch/arch.js';
import { portOf } from '../../arch/port.js';
import { eventOf, type Event, type Fact } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import {
  bpfIntJitCompile,
  bpfJitBlindConstants,
  bpfJitFree,
  bpfJitProgReleaseOther,
} from '../../kernel/jit.js';
import {
  bpfArchPokeDescUpdate,
  bpfArchTextPoke,
  bpfDispatcherChangeProg,
  bpfKsymDel,
  bpfProgKallsymsAdd,
} from '../../kernel/programs.js';
import { evolveAll } from '../../memory/evolve.js';
import { Memory, nothing } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import { Address } from '../../value/address.js';
import { random, textHash } from '../../value/random.js';
import { Word } from '../../value/words.js';
import type {
  AttachClassicOperation,
  LoadOperation,
  TailCall,
  Workload,
  WorkloadFunction,
  WorkloadOperation,
} from '../../workload/workload.js';
import { bootFacts } from './boot.js';
import type { Failing, Intercept } from './failing.js';
import { framePool } from './frames.js';
import { machine, type ChoiceSource, type Machine, type Runner } from './machine.js';
import { NO_SITUATION, policies, type Situation } from './policies.js';
import { entryOf, pointers, type EmulatedFunction, type EmulatedProgram } from './programs.js';

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
  /** The mitigation is on that flushes branch predictors before a classic program gets used memory (7.1+). */
  readonly flushesPredictors?: boolean;
  /** Calls that fail; where it comes from a log: `loggedFailures`. */
  readonly fail?: Failing;
  /** Faults for tests. */
  readonly intercept?: Intercept;
  /** Gets the machine before the first operation. */
  readonly onMachine?: (machine: Machine) => void;
}

export interface Emulated {
  /** Facts before the first event. */
  readonly given: readonly Event[];
  readonly memory: Memory;
  readonly events: number;
}

const LOADER: Runner = { task: 'workload-100', cpu: 0 };
const WORKER: Runner = { task: 'kworker/0:1-20', cpu: 0 };

/** First pfn and frames of the emulated machine: 1 GiB from 16 MiB on. */
const FIRST_PFN = 0x1000;
const PFNS = 0x3f000;
const HALF = 2048;
/** The jump of the XDP dispatcher and its static call sites lie in kernel text; any address there does. */
const XDP_SITES: readonly Address[] = [
  Address.of(0xffffffff81e01, 0x4d8),
  Address.of(0xffffffff817cd, 0x265),
];
const DISPATCHER: Word = { hi: 0xffffffff, lo: 0x82be1120 };
const POKE: Word = { hi: 0xffff8880, lo: 0x3f000000 };
/** What a program that is not compiled runs in: in kernel text; functions of a program have none. */
const INTERPRETER: Address = Address.of(0xffffffff815a5, 0x540);
const EINVAL = -22;

/** Facts of the emulated machine before the first operation, as events with number 0. */
export const bootEvents = (
  options: Pick<EmulateOptions, 'workload' | 'profile' | 'arch' | 'seed'>,
): { readonly given: Event[]; readonly pool: ReturnType<typeof framePool> } => {
  const pool = framePool(FIRST_PFN, PFNS, random(options.seed ^ 0x51ed), unitOf(options.arch));
  const profile = portOf(options.profile, options.arch);
  const facts = bootFacts(options.workload.boot, profile, options.arch, pool);
  return {
    given: facts.map((fact) =>
      eventOf({ seq: 0, time: 0, cpu: 0, task: '', call: 0, origin: Origin.assumed }, fact),
    ),
    pool,
  };
};

interface Pending {
  readonly program: EmulatedProgram;
  readonly fn: EmulatedFunction;
}

class Runtime {
  readonly machine: Machine;
  readonly #profile: Profile;
  readonly #programs = new Map<string, EmulatedProgram>();
  readonly #slots = new Map<number, EmulatedProgram>();
  readonly #sockets = new Map<number, EmulatedProgram>();
  readonly #deferred: Pending[] = [];
  readonly #array = new Map<number, EmulatedProgram>();
  readonly #identities = pointers();
  #situation: Situation = NO_SITUATION;
  #packsSized: boolean;
  #othersLazy = false;
  #attached: EmulatedProgram | null = null;
  #dispatcherMade = false;
  /** The half of the dispatcher that is in use. */
  #half = 0;
  #id = 0;

  constructor(
    readonly options: EmulateOptions,
    given: readonly Event[],
    pool: ReturnType<typeof framePool>,
  ) {
    const profile = portOf(options.profile, options.arch);
    this.#profile = profile;
    const start = evolveAll(nothing, given);
    this.#packsSized = start.packs.length > 0;
    const seeded = policies({
      profile,
      arch: options.arch,
      random: random(options.seed),
      pool,
      memory: () => this.machine.memory(),
      situation: () => this.#situation,
      sizePacks: () => {
        const due = !this.#packsSized;
        this.#packsSized = true;
        return due;
      },
      othersLazy: () => this.#othersLazy,
      purged: () => {
        this.#othersLazy = false;
      },
      buffer: this.#identities.buffer,
      flushesPredictors: options.flushesPredictors ?? false,
    });
    let frames: readonly number[] = [];
    this.machine = machine({
      profile,
      arch: options.arch,
      nodes: options.nodes ?? 1,
      start,
      source: options.source ?? seeded,
      ...(options.fail === undefined ? {} : { fail: options.fail }),
      ...(options.intercept === undefined ? {} : { intercept: options.intercept }),
      emit: (event) => {
        // Frames go back to the pool when the kernel releases them: their numbers are in the area until then.
        if (event.kind === 'frames-released') pool.give(frames);
        options.emit(event);
      },
    });
    this.machine.onFact((fact: Fact) => {
      if (fact.kind === 'area-freed')
        frames = [...(Memory.areaAt(this.machine.memory(), fact.start)?.frames ?? [])];
    });
  }

  run(operation: WorkloadOperation, index: number): void {
    // Programs come and go with structures of their own: others free areas lazily all the time.
    this.#othersLazy = true;
    if (operation.op !== 'marker') {
      const { mark, ...rest } = operation;
      if (mark !== undefined) this.machine.state(LOADER, { kind: 'marker', text: mark });
      this.machine.state(LOADER, { kind: 'operation', index, json: JSON.stringify(rest) });
    }
    switch (operation.op) {
      case 'marker':
        this.machine.state(LOADER, { kind: 'marker', text: operation.text });
        return;
      case 'load':
        return this.#load(operation);
      case 'attach_classic':
        return this.#attachClassic(operation);
      case 'detach_classic':
        return this.#release(this.#sockets, operation.socket);
      case 'close':
        return this.#close(operation.slot);
      case 'free':
        return this.#freeNow(operation.program, operation.function);
      case 'settle':
        while (this.#deferred.length > 0) this.#free(this.#deferred.shift() as Pending);
        return;
      case 'set_jit_limit':
        this.machine.state(LOADER, {
          kind: 'limit-set',
          bytes: operation.bytes,
          charged: this.machine.memory().charged ?? -1,
        });
        return;
      case 'dirty':
        return;
      case 'attach_xdp':
        return this.#dispatch(this.#slots.get(operation.slot) ?? null);
      case 'detach_xdp':
        return this.#dispatch(null);
      case 'tail_call_update':
        return this.#tailCallUpdate(
          operation.key,
          operation.slot === null ? null : (this.#slots.get(operation.slot) ?? null),
        );
      case 'tail_call_clear':
        return this.#tailCallClear();
    }
  }

  #with<R>(change: Partial<Situation>, action: () => R): R {
    this.#situation = { ...NO_SITUATION, ...change };
    const result = action();
    this.#situation = NO_SITUATION;
    return result;
  }

  #functions(specs: readonly WorkloadFunction[], blinded: boolean): EmulatedFunction[] {
    return specs.map((spec, index) => ({
      index,
      spec,
      pointer: this.#identities.program(),
      blinded,
      ksym: this.#identities.ksym(),
      freed: false,
      allocated: false,
      published: null,
    }));
  }

  /** One JIT pass. False: no memory was to be had. */
  #compile(program: EmulatedProgram, fn: EmulatedFunction, final: boolean): boolean {
    const first = fn.blinded && !fn.allocated;
    const clone = first ? this.#identities.program() : null;
    const original = fn.pointer;
    // From 7.1 on the JIT is given the clone.
    if (clone !== null && !this.#profile.blinds)
      fn.pointer = this.#with({ clone }, () =>
        this.machine.run(LOADER, bpfJitBlindConstants, { prog: original }),
      );
    const type = program.classic ? 'classic' : program.functions.length > 1 ? 'function' : 'program';
    const entry = fn.allocated ? entryOf(this.machine.memory(), fn) : null;
    const fixups = final ? fn.spec.tail_calls.filter(({ key }) => this.#array.has(key)) : [];
    const situation = {
      fn: fn.spec,
      clone,
      type,
      final,
      capable: program.capable,
      fixups: fixups.flatMap(({ jump, bypass }) => [jump, bypass]),
    };
    const compiled = this.#with(situation, () =>
      this.machine.run(LOADER, bpfIntJitCompile, {
        prog: fn.pointer,
        jited_len: entry?.length ?? 0,
        bpf_func: entry?.start ?? (type === 'function' ? Address.zero : INTERPRETER),
      }),
    );
    if (clone !== null && !this.#profile.blinds) {
      const [prog, other] = compiled.jited ? [clone, original] : [original, clone];
      this.machine.run(LOADER, bpfJitProgReleaseOther, { prog, other });
      fn.pointer = prog;
    }
    if (!compiled.jited) return false;
    fn.pointer = compiled.prog;
    fn.allocated = true;
    return true;
  }

  /** All passes of a program; false when the limit (or memory) forbids it: what it had is given back at once. */
  #jit(program: EmulatedProgram, during: LoadOperation['during']): boolean {
    const several = program.functions.length > 1;
    for (const fn of program.functions) {
      if (!this.#compile(program, fn, !several)) {
        for (const done of program.functions)
          if (done === fn || done.allocated) this.#free({ program, fn: done });
        return false;
      }
      for (const free of during) if (free.after === fn.index + 1) this.#freeNow(free.program, free.function);
    }
    if (!several) return true;
    for (const fn of program.functions)
      if (!this.#compile(program, fn, true)) {
        for (const done of program.functions) this.#free({ program, fn: done });
        return false;
      }
    return true;
  }

  #load(operation: LoadOperation): void {
    const functions = this.#functions(operation.functions, operation.blinded);
    const own = functions.length > 1;
    const first = functions[0];
    const program: EmulatedProgram = {
      label: operation.program,
      name: operation.name ?? operation.program,
      tag: operation.tag ?? textHash(operation.program),
      id: operation.id ?? ++this.#id,
      capable: operation.capable,
      classic: false,
      functions,
      main: {
        pointer: own || first === undefined ? this.#identities.program() : first.pointer,
        ksym: own || first === undefined ? this.#identities.ksym() : first.ksym,
        published: null,
      },
    };
    if (first === undefined) {
      // Turned down by the verifier: a bpf_prog without image is released at once.
      this.machine.run(WORKER, bpfJitFree, { prog: program.main.pointer, jited_len: 0, bpf_func: undefined });
      return;
    }
    if (!this.#jit(program, operation.during)) return;
    this.#programs.set(program.label, program);
    if (own)
      for (const fn of program.functions)
        if (fn.index > 0 || this.#profile.publishesFirst)
          this.#publish(
            program,
            fn,
            fn,
            `bpf_prog_${fn.spec.tag ?? textHash(`${program.label}.${fn.index}`)}_F`,
            0,
          );
    this.#publish(program, first, program.main, `bpf_prog_${program.tag}_${program.name}`, program.id);
    if (operation.slot === null) this.#letGo(program);
    else this.#slots.set(operation.slot, program);
  }

  #publish(
    program: EmulatedProgram,
    fn: EmulatedFunction,
    owner: { pointer: Word; ksym: Word; published: EmulatedFunction['published'] },
    name: string,
    id: number,
  ): void {
    const entry = entryOf(this.machine.memory(), fn);
    const symbol =
      entry === null || !program.capable
        ? null
        : { start: entry.start, end: Address.add(entry.start, entry.length), name, ksym: owner.ksym };
    this.#with({ symbol }, () =>
      this.machine.run(LOADER, bpfProgKallsymsAdd, { prog: owner.pointer, id, bpf_func: entry?.start }),
    );
    if (symbol !== null) owner.published = { start: symbol.start, name };
  }

  #attachClassic(operation: AttachClassicOperation): void {
    const program: EmulatedProgram = {
      label: operation.program,
      name: operation.program,
      tag: '',
      id: 0,
      capable: operation.capable,
      classic: true,
      functions: this.#functions(operation.functions, false),
      main: { pointer: Word.zero, ksym: Word.zero, published: null },
    };
    if (!this.#jit(program, [])) return;
    this.#programs.set(program.label, program);
    this.#release(this.#sockets, operation.socket);
    this.#sockets.set(operation.socket, program);
  }

  #release(holders: Map<number, EmulatedProgram>, key: number): void {
    const program = holders.get(key);
    holders.delete(key);
    if (program !== undefined) this.#defer(program);
  }

  #defer(program: EmulatedProgram): void {
    for (const fn of program.functions) this.#deferred.push({ program, fn });
  }

  #close(slot: number): void {
    const program = this.#slots.get(slot);
    this.#slots.delete(slot);
    if (program !== undefined) this.#letGo(program);
  }

  /** The last reference is gone: symbols at once, memory later. */
  #letGo(program: EmulatedProgram): void {
    const withdraw = (ksym: Word, published: EmulatedFunction['published']): void => {
      const start = published?.start ?? Address.zero;
      this.machine.run(LOADER, bpfKsymDel, { ksym, start, name: published?.name ?? '' });
    };
    if (program.functions.length > 1) for (const fn of program.functions) withdraw(fn.ksym, fn.published);
    withdraw(program.main.ksym, program.main.published);
    this.#defer(program);
  }

  #freeNow(label: string, index: number | undefined): void {
    for (let i = 0; i < this.#deferred.length;) {
      const pending = this.#deferred[i] as Pending;
      if (pending.program.label === label && (index === undefined || pending.fn.index === index)) {
        this.#deferred.splice(i, 1);
        this.#free(pending);
      } else i++;
    }
  }

  #free({ fn }: Pending): void {
    if (fn.freed) return;
    fn.freed = true;
    const entry = entryOf(this.machine.memory(), fn);
    this.machine.run(WORKER, bpfJitFree, {
      prog: fn.pointer,
      jited_len: entry?.length ?? 0,
      bpf_func: entry?.start,
    });
  }

  #dispatch(to: EmulatedProgram | null): void {
    const page = this.#profile.dispatcher === 'page';
    const fresh = !this.#dispatcherMade;
    const from = this.#attached;
    // The half that is not in use, or the first one where nothing is attached.
    const half = to === null || to === from ? null : from === null ? 0 : HALF - this.#half;
    if (half !== null) {
      this.#dispatcherMade = true;
      this.#half = half;
    }
    this.#attached = to;
    const name = 'bpf_dispatcher_xdp';
    // The dispatcher's own address is known once it exists: the symbol's start comes from the model.
    const symbol = { start: Address.zero, end: Address.zero, name, ksym: { hi: 0xffffffff, lo: 0x82be1468 } };
    const patches = page || to === from ? [] : XDP_SITES.map((at) => ({ at, length: 5 }));
    this.#with(
      {
        symbol,
        patches,
        dispatcher: {
          half,
          fresh: fresh && to !== null,
          jump: page && to !== from ? (XDP_SITES[0] as Address) : null,
        },
      },
      () =>
        this.machine.run(LOADER, bpfDispatcherChangeProg, {
          d: DISPATCHER,
          from: from?.main.pointer ?? Word.zero,
          to: to?.main.pointer ?? Word.zero,
        }),
    );
  }

  /** Tail calls in live functions: to this entry of the array, or to any. */
  *#sites(key: number | null): Generator<{ readonly start: Address; readonly call: TailCall }> {
    for (const program of this.#programs.values())
      for (const fn of program.functions) {
        if (fn.freed) continue;
        const entry = entryOf(this.machine.memory(), fn);
        if (entry === null) continue;
        for (const tail of fn.spec.tail_calls)
          if (key === null || tail.key === key) yield { start: entry.start, call: tail };
      }
  }

  #tailCallUpdate(key: number, target: EmulatedProgram | null): void {
    const old = this.#array.get(key) ?? null;
    if (target === null) this.#array.delete(key);
    else this.#array.set(key, target);
    for (const { start, call: tail } of Array.from(this.#sites(key))) {
      const jump = { at: Address.add(start, tail.jump), length: 5 };
      const bypass = { at: Address.add(start, tail.bypass), length: 5 };
      const order = target === null ? [bypass, jump] : old === null ? [jump, bypass] : [jump];
      if (this.#profile.tailCall === 'bpf_arch_text_poke')
        for (const site of order)
          this.#with({ patches: [site] }, () => this.machine.run(LOADER, bpfArchTextPoke, { ip: site.at }));
      else
        this.#with({ patches: order }, () => this.machine.run(LOADER, bpfArchPokeDescUpdate, { poke: POKE }));
    }
  }

  #tailCallClear(): void {
    this.#array.clear();
    for (const { start, call: tail } of this.#sites(null)) {
      if (this.#profile.tailCall === 'bpf_arch_text_poke')
        // The program has left kallsyms by then; the caller expects the error.
        for (const offset of [tail.bypass, tail.jump])
          this.#with({ results: [EINVAL] }, () =>
            this.machine.run(WORKER, bpfArchTextPoke, { ip: Address.add(start, offset) }),
          );
      else this.#with({}, () => this.machine.run(WORKER, bpfArchPokeDescUpdate, { poke: POKE }));
    }
  }
}

/** Runs a workload. Events are given to `emit` in order; the facts before the first one are in the result. */
export const emulate = (options: EmulateOptions): Emulated => {
  const { given, pool } = bootEvents(options);
  const runtime = new Runtime(options, given, pool);
  options.onMachine?.(runtime.machine);
  options.workload.operations.forEach((operation, i) => runtime.run(operation, i + 1));
  return { given, memory: runtime.machine.share(), events: runtime.machine.seq() };
};
