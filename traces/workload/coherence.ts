import { pathText } from '../issues.js';
import type {
  AttachClassicOperation,
  LoadOperation,
  RecordedOutcome,
  Workload,
  WorkloadFunction,
  WorkloadOperation,
} from './workload.js';

/** What is wrong, and the path below the operation. */
interface Fault {
  readonly path: readonly (string | number)[];
  readonly what: string;
}

const fault = (what: string, ...path: readonly (string | number)[]): Fault => ({ path, what });

/** What is known about one program while the operations are walked. */
interface Program {
  readonly functions: number;
  /** Still held by a slot or a socket. */
  held: boolean;
  readonly freed: Set<number>;
}

const succeeded = (op: { readonly recorded?: RecordedOutcome }): boolean => (op.recorded?.errno ?? 0) === 0;

const codeFault = (functions: readonly WorkloadFunction[]): Fault | null => {
  for (const [i, { image, code }] of functions.entries()) {
    if (code !== undefined && code > image) {
      return fault(`longer than its image of ${image} bytes`, 'functions', i, 'code');
    }
  }
  return null;
};

/** Who holds what while the operations are walked: an operation must be possible after those before it. */
class Walk {
  readonly #programs = new Map<string, Program>();
  readonly #slots = new Map<number, string>();
  readonly #sockets = new Map<number, string>();
  readonly #trampolines = new Set<number>();

  step(op: WorkloadOperation): Fault | null {
    switch (op.op) {
      case 'load':
        return this.#load(op);
      case 'attach_classic':
        return this.#attachClassic(op);
      case 'detach_classic': {
        if (succeeded(op) && !this.#sockets.has(op.socket)) {
          return fault(`socket ${op.socket} has no filter`, 'socket');
        }
        this.#release(this.#sockets, op.socket);
        return null;
      }
      case 'close': {
        const missing = this.#slotFault(op.slot);
        this.#release(this.#slots, op.slot);
        return missing;
      }
      case 'free':
        return this.#free(op.program, op.function);
      case 'settle':
        this.#settle();
        return null;
      case 'attach_xdp':
      case 'tail_call_update':
        return op.slot === null ? null : this.#slotFault(op.slot);
      case 'trampoline':
        if (op.bytes === 0 && !this.#trampolines.delete(op.trampoline))
          return fault(`there is no trampoline ${op.trampoline}`, 'trampoline');
        if (op.bytes > 0) this.#trampolines.add(op.trampoline);
        return null;
      default:
        return null;
    }
  }

  #load(op: LoadOperation): Fault | null {
    const slot = op.fails === undefined && succeeded(op) ? op.slot : null;
    if (slot !== null && this.#slots.has(slot)) {
      return fault(`slot ${slot} is taken; close it first`, 'slot');
    }
    if (op.fails !== undefined && op.functions.length > 0) {
      return fault('a load that fails in the verifier has no functions', 'functions');
    }
    return this.#add(op, slot !== null) ?? this.#duringFault(op) ?? this.#take(this.#slots, slot, op.program);
  }

  #attachClassic(op: AttachClassicOperation): Fault | null {
    const socket = succeeded(op) ? op.socket : null;
    return this.#add(op, socket !== null) ?? this.#take(this.#sockets, socket, op.program);
  }

  #add(op: LoadOperation | AttachClassicOperation, held: boolean): Fault | null {
    const { program, functions } = op;
    if (this.#programs.has(program)) {
      return fault(`the label ${JSON.stringify(program)} is used twice`, 'program');
    }
    this.#programs.set(program, { functions: functions.length, held, freed: new Set() });
    return codeFault(functions);
  }

  #duringFault(op: LoadOperation): Fault | null {
    const last = op.functions.length - 1;
    for (const [i, during] of op.during.entries()) {
      if (during.after > last) {
        return fault(`the load has ${last + 1} functions: at most ${last}`, 'during', i, 'after');
      }
      const free = this.#free(during.program, during.function);
      if (free !== null) return fault(free.what, 'during', i, ...free.path);
    }
    return null;
  }

  /** `program` takes a place; what was there before is released. */
  #take(places: Map<number, string>, place: number | null, program: string): null {
    if (place !== null) {
      this.#release(places, place);
      places.set(place, program);
    }
    return null;
  }

  #release(places: Map<number, string>, place: number): void {
    const program = this.#programs.get(places.get(place) ?? '');
    if (program !== undefined) program.held = false;
    places.delete(place);
  }

  #slotFault(slot: number): Fault | null {
    return this.#slots.has(slot) ? null : fault(`slot ${slot} holds no program`, 'slot');
  }

  #free(label: string, index: number | undefined): Fault | null {
    const name = JSON.stringify(label);
    const program = this.#programs.get(label);
    if (program === undefined) return fault(`no program ${name} so far`, 'program');
    if (program.held) return fault(`${name} is still held: close or detach it first`, 'program');
    if (index === undefined) return this.#freeAll(program);
    if (index >= program.functions) return fault(`${name} has ${program.functions} functions`, 'function');
    if (program.freed.has(index)) return fault(`function ${index} of ${name} is free already`, 'function');
    program.freed.add(index);
    return null;
  }

  #freeAll(program: Program): null {
    for (let i = 0; i < program.functions; i++) program.freed.add(i);
    return null;
  }

  #settle(): void {
    for (const program of this.#programs.values()) if (!program.held) this.#freeAll(program);
  }
}

/** The first operation that cannot follow those before it, with its path; null when all can. */
export const firstIncoherence = (workload: Workload): string | null => {
  const walk = new Walk();
  for (const [i, op] of workload.operations.entries()) {
    const found = walk.step(op);
    if (found !== null) return `${pathText(['operations', i, ...found.path])}: ${found.what}`;
  }
  return null;
};
