/** The operations of a workload, composed of root calls of the kernel. Programs, slots and sockets are kept here; memory is the machine's. */
import { portOf } from '../../arch/port.js';
import type { Event, Fact } from '../../event/event.js';
import {
  bpfIntJitCompile,
  bpfJitBlindConstants,
  bpfJitFree,
  bpfJitProgReleaseOther,
} from '../../kernel/jit.js';
import { bpfKsymDel, bpfProgKallsymsAdd } from '../../kernel/programs.js';
import { evolveAll } from '../../memory/evolve.js';
import { Memory, nothing } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import { Address } from '../../value/address.js';
import { random, textHash } from '../../value/random.js';
import { Word } from '../../value/words.js';
import type {
  AttachClassicOperation,
  LoadOperation,
  WorkloadFunction,
  WorkloadOperation,
} from '../../workload/workload.js';
import type { Cpu } from './cpus.js';
import type { EmulateOptions } from './emulate.js';
import type { FramePool } from './frames.js';
import { machine, type Machine } from './machine.js';
import { NO_SITUATION, policies, type Situation } from './policies.js';
import { entryOf, pointers, type EmulatedFunction, type EmulatedProgram } from './programs.js';
import { patching, type Patching } from './patching.js';
import { trampolines } from './trampolines.js';
import { root, type Operation } from './rootCall.js';

/** What a program that is not compiled runs in: in kernel text; functions of a program have none. */
const INTERPRETER: Address = Address.of(0xffffffff815a5, 0x540);

interface Pending {
  readonly program: EmulatedProgram;
  readonly fn: EmulatedFunction;
  /** Where it was put off. */
  readonly cpu: number;
}

export class Runtime {
  readonly machine: Machine;
  readonly #profile: () => Profile;
  readonly #programs = new Map<string, EmulatedProgram>();
  readonly #slots = new Map<number, EmulatedProgram>();
  readonly #sockets = new Map<number, EmulatedProgram>();
  readonly #deferred: Pending[] = [];
  readonly #identities = new Map<number, ReturnType<typeof pointers>>();
  readonly #patching: Patching;
  readonly #trampolines = trampolines();
  #situation: Situation = NO_SITUATION;
  #running = 0;
  #packsSized: boolean;
  #othersLazy = false;
  #id = 0;

  constructor(
    readonly options: EmulateOptions,
    given: readonly Event[],
    pool: FramePool,
  ) {
    const start = evolveAll(nothing, given);
    this.#packsSized = start.packs.length > 0;
    this.#profile = () => this.machine.profile();
    const seeded = policies({
      profile: this.#profile,
      arch: options.arch,
      random: random(options.seed),
      pool,
      backing: options.backing ?? null,
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
      buffer: () => this.#pointers(this.#running).buffer(),
      flushesPredictors: options.flushesPredictors ?? false,
    });
    /** Frames of areas on their way back, by the area's first page. */
    const leaving = new Map<number, readonly number[]>();
    this.machine = machine({
      profile: portOf(options.profile, options.arch),
      arch: options.arch,
      nodes: options.nodes ?? 1,
      start,
      source: options.source ?? options.answers?.(seeded, this, pool) ?? seeded,
      ...(options.fail === undefined ? {} : { fail: options.fail }),
      ...(options.intercept === undefined ? {} : { intercept: options.intercept }),
      emit: (event) => {
        // Frames go back to the pool when the kernel releases them: their numbers are in the area until then.
        if (event.kind === 'frames-released') {
          pool.give(leaving.get(event.start) ?? []);
          leaving.delete(event.start);
        }
        options.emit(event);
      },
    });
    this.machine.onFact((fact: Fact) => {
      if (fact.kind === 'area-freed')
        leaving.set(fact.start, [...(Memory.areaAt(this.machine.memory(), fact.start)?.frames ?? [])]);
    });
    for (const [slot, program] of options.adopted?.slots ?? []) this.#slots.set(slot, program);
    for (const [socket, program] of options.adopted?.sockets ?? []) this.#sockets.set(socket, program);
    for (const one of options.adopted?.deferred ?? []) this.#deferred.push({ ...one, cpu: 0 });
    for (const program of [...this.#slots.values(), ...this.#sockets.values()])
      this.#programs.set(program.label, program);
    this.#patching = patching({
      arch: options.arch,
      machine: this.machine,
      profile: this.#profile,
      programs: () => this.#programs.values(),
    });
  }

  /** The CPU that goes on now, and what its operation decides. */
  running(cpu: number, situation: Situation): void {
    this.#running = cpu;
    this.#situation = situation;
  }

  /** The CPU that goes on now. */
  get cpu(): number {
    return this.#running;
  }

  /** Runs an operation to its end, root call by root call. */
  run(operation: WorkloadOperation, index: number, on: Cpu): void {
    const steps = this.operation(operation, index, on);
    for (let step = steps.next(); step.done !== true;) {
      const { who, fn, args, situation } = step.value;
      this.running(on.number, situation);
      const result = this.machine.run(who, fn, args);
      this.#situation = NO_SITUATION;
      step = steps.next(result);
    }
  }

  /** An operation, to be driven. */
  *operation(operation: WorkloadOperation, index: number, on: Cpu): Operation {
    // Programs come and go with structures of their own: others free areas lazily all the time.
    this.#othersLazy = true;
    if (operation.op !== 'marker') {
      const { mark, ...rest } = operation;
      if (mark !== undefined) this.machine.state(on.loader, { kind: 'marker', text: mark });
      this.machine.state(on.loader, { kind: 'operation', index, json: JSON.stringify(rest) });
    }
    switch (operation.op) {
      case 'marker':
        this.machine.state(on.loader, { kind: 'marker', text: operation.text });
        return;
      case 'load':
        return yield* this.#load(on, operation);
      case 'attach_classic':
        return yield* this.#attachClassic(on, operation);
      case 'detach_classic':
        return this.#release(on, this.#sockets, operation.socket);
      case 'close':
        return yield* this.#close(on, operation.slot);
      case 'free':
        return yield* this.#freeNow(on, operation.program, operation.function);
      case 'settle':
        for (;;) {
          const at = this.#deferred.findIndex(({ cpu }) => cpu === on.number);
          if (at < 0) return;
          yield* this.#free(on, this.#deferred.splice(at, 1)[0] as Pending);
        }
      case 'set_jit_limit':
        this.machine.state(on.loader, {
          kind: 'limit-set',
          bytes: operation.bytes,
          charged: this.machine.memory().charged ?? -1,
        });
        return;
      case 'dirty':
        return;
      case 'attach_xdp':
        return yield* this.#patching.dispatch(on, this.#slots.get(operation.slot) ?? null);
      case 'detach_xdp':
        return yield* this.#patching.dispatch(on, null);
      case 'tail_call_update':
        return yield* this.#patching.tailCallUpdate(
          on,
          operation.key,
          operation.slot === null ? null : (this.#slots.get(operation.slot) ?? null),
        );
      case 'tail_call_clear':
        return yield* this.#patching.tailCallClear(on);
      case 'trampoline':
        return yield* this.#trampolines.update(on, operation, this.#pointers(on.number));
    }
  }

  /** Identities of structures: each CPU has its own, so that they do not depend on who came first. */
  #pointers(cpu: number): ReturnType<typeof pointers> {
    let known = this.#identities.get(cpu);
    if (known === undefined) {
      known = pointers(cpu);
      this.#identities.set(cpu, known);
    }
    return known;
  }

  #functions(on: Cpu, specs: readonly WorkloadFunction[], blinded: boolean): EmulatedFunction[] {
    const identities = this.#pointers(on.number);
    return specs.map((spec, index) => ({
      index,
      spec,
      pointer: identities.program(),
      blinded,
      ksym: identities.ksym(),
      freed: false,
      allocated: false,
      published: null,
    }));
  }

  /** One JIT pass. False: no memory was to be had. */
  *#compile(on: Cpu, program: EmulatedProgram, fn: EmulatedFunction, final: boolean): Operation<boolean> {
    const first = fn.blinded && !fn.allocated;
    const clone = first ? this.#pointers(on.number).program() : null;
    const original = fn.pointer;
    // From 7.1 on the JIT is given the clone.
    if (clone !== null && !this.#profile().blinds)
      fn.pointer = yield* root(on.loader, bpfJitBlindConstants, { prog: original }, { clone });
    const type = program.classic ? 'classic' : program.functions.length > 1 ? 'function' : 'program';
    const entry = fn.allocated ? entryOf(this.machine.memory(), fn) : null;
    const fixups = final ? fn.spec.tail_calls.filter(({ key }) => this.#patching.holds(key)) : [];
    const compiled = yield* root(
      on.loader,
      bpfIntJitCompile,
      {
        prog: fn.pointer,
        jited_len: entry?.length ?? 0,
        bpf_func: entry?.start ?? (type === 'function' ? Address.zero : INTERPRETER),
      },
      {
        fn: fn.spec,
        clone,
        type,
        final,
        capable: program.capable,
        fixups: fixups.flatMap(({ jump, bypass }) => [jump, bypass]),
      },
    );
    if (clone !== null && !this.#profile().blinds) {
      const [prog, other] = compiled.jited ? [clone, original] : [original, clone];
      yield* root(on.loader, bpfJitProgReleaseOther, { prog, other });
      fn.pointer = prog;
    }
    if (!compiled.jited) return false;
    fn.pointer = compiled.prog;
    fn.allocated = true;
    return true;
  }

  /** All passes of a program; false when the limit (or memory) forbids it: what it had is given back at once. */
  *#jit(on: Cpu, program: EmulatedProgram, during: LoadOperation['during']): Operation<boolean> {
    const several = program.functions.length > 1;
    const pending = (fn: EmulatedFunction): Pending => ({ program, fn, cpu: on.number });
    for (const fn of program.functions) {
      if (!(yield* this.#compile(on, program, fn, !several))) {
        for (const done of program.functions)
          if (done === fn || done.allocated) yield* this.#free(on, pending(done));
        return false;
      }
      for (const free of during)
        if (free.after === fn.index + 1) yield* this.#freeNow(on, free.program, free.function);
    }
    if (!several) return true;
    for (const fn of program.functions)
      if (!(yield* this.#compile(on, program, fn, true))) {
        for (const done of program.functions) yield* this.#free(on, pending(done));
        return false;
      }
    return true;
  }

  *#load(on: Cpu, operation: LoadOperation): Operation {
    const functions = this.#functions(on, operation.functions, operation.blinded);
    const own = functions.length > 1;
    const first = functions[0];
    const identities = this.#pointers(on.number);
    const program: EmulatedProgram = {
      label: operation.program,
      name: operation.name ?? operation.program,
      tag: operation.tag ?? textHash(operation.program),
      id: operation.id ?? ++this.#id,
      capable: operation.capable,
      classic: false,
      functions,
      main: {
        pointer: own || first === undefined ? identities.program() : first.pointer,
        ksym: own || first === undefined ? identities.ksym() : first.ksym,
        published: null,
      },
    };
    if (first === undefined) {
      // Turned down by the verifier: a bpf_prog without image is released at once.
      yield* root(on.worker, bpfJitFree, { prog: program.main.pointer, jited_len: 0, bpf_func: undefined });
      return;
    }
    if (!(yield* this.#jit(on, program, operation.during))) return;
    this.#programs.set(program.label, program);
    if (own)
      for (const fn of program.functions)
        if (fn.index > 0 || this.#profile().publishesFirst)
          yield* this.#publish(
            on,
            program,
            fn,
            fn,
            `bpf_prog_${fn.spec.tag ?? textHash(`${program.label}.${fn.index}`)}_F`,
            0,
          );
    yield* this.#publish(
      on,
      program,
      first,
      program.main,
      `bpf_prog_${program.tag}_${program.name}`,
      program.id,
    );
    if (operation.slot === null) yield* this.#letGo(on, program);
    else this.#slots.set(operation.slot, program);
  }

  *#publish(
    on: Cpu,
    program: EmulatedProgram,
    fn: EmulatedFunction,
    owner: { pointer: Word; ksym: Word; published: EmulatedFunction['published'] },
    name: string,
    id: number,
  ): Operation {
    const entry = entryOf(this.machine.memory(), fn);
    const symbol =
      entry === null || !program.capable
        ? null
        : { start: entry.start, end: Address.add(entry.start, entry.length), name, ksym: owner.ksym };
    yield* root(
      on.loader,
      bpfProgKallsymsAdd,
      { prog: owner.pointer, id, bpf_func: entry?.start },
      { symbol },
    );
    if (symbol !== null) owner.published = { start: symbol.start, name };
  }

  *#attachClassic(on: Cpu, operation: AttachClassicOperation): Operation {
    const program: EmulatedProgram = {
      label: operation.program,
      name: operation.program,
      tag: '',
      id: 0,
      capable: operation.capable,
      classic: true,
      functions: this.#functions(on, operation.functions, false),
      main: { pointer: Word.zero, ksym: Word.zero, published: null },
    };
    if (!(yield* this.#jit(on, program, []))) return;
    this.#programs.set(program.label, program);
    this.#release(on, this.#sockets, operation.socket);
    this.#sockets.set(operation.socket, program);
  }

  #release(on: Cpu, holders: Map<number, EmulatedProgram>, key: number): void {
    const program = holders.get(key);
    holders.delete(key);
    if (program !== undefined) this.#defer(on, program);
  }

  #defer(on: Cpu, program: EmulatedProgram): void {
    for (const fn of program.functions) this.#deferred.push({ program, fn, cpu: on.number });
  }

  *#close(on: Cpu, slot: number): Operation {
    const program = this.#slots.get(slot);
    this.#slots.delete(slot);
    if (program !== undefined) yield* this.#letGo(on, program);
  }

  /** The last reference is gone: symbols at once, memory later. */
  *#letGo(on: Cpu, program: EmulatedProgram): Operation {
    const withdraw = (ksym: Word, published: EmulatedFunction['published']): Operation<unknown> =>
      root(on.loader, bpfKsymDel, {
        ksym,
        start: published?.start ?? Address.zero,
        name: published?.name ?? '',
      });
    if (program.functions.length > 1)
      for (const fn of program.functions) yield* withdraw(fn.ksym, fn.published);
    yield* withdraw(program.main.ksym, program.main.published);
    this.#defer(on, program);
  }

  *#freeNow(on: Cpu, label: string, index: number | undefined): Operation {
    for (let i = 0; i < this.#deferred.length;) {
      const pending = this.#deferred[i] as Pending;
      if (pending.program.label === label && (index === undefined || pending.fn.index === index)) {
        this.#deferred.splice(i, 1);
        yield* this.#free(on, pending);
      } else i++;
    }
  }

  *#free(on: Cpu, { fn }: Pending): Operation {
    if (fn.freed) return;
    fn.freed = true;
    const entry = entryOf(this.machine.memory(), fn);
    yield* root(on.worker, bpfJitFree, {
      prog: fn.pointer,
      jited_len: entry?.length ?? 0,
      bpf_func: entry?.start,
    });
  }
}
