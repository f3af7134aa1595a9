/**
 * What a recorded trace says about each operation of the workload: which functions were compiled, what the JIT asked for
 * and got, and when deferred work took effect. Producer of the lines: kprobes as set by the lab's recorder (event and
 * argument names as in meta.json; both old and new names are read).
 *
 * A line is not the moment of its effect. An allocation took effect at the return of bpf_prog_pack_alloc (or
 * bpf_jit_binary_alloc), which holds pack_mutex up to then; a free at the return of bpf_arch_text_invalidate, the last line
 * under that lock; where nothing is invalidated, at the entry of bpf_prog_pack_free; else at the entry of bpf_jit_free.
 */
import { Address } from '../../core/value/address.js';
import { Word } from '../../core/value/words.js';
import type { CallLine, TraceLine } from '../ftrace/line.js';

/** One compiled function, both passes together. */
export interface CompiledFunction {
  /** bpf_prog pointers that name it: as given to the JIT and as returned (another one when constants were blinded). */
  readonly progs: Set<string>;
  readonly insns: number;
  /** `proglen`; 0: the JIT asked for no memory. */
  image: number;
  /** jited_len; 0: no code. */
  code: number;
  /** The same after the first pass. */
  firstCode: number;
  /** Entry, `0x…`; null without code. */
  entry: Address | null;
  chunk: Address | null;
  blinded: boolean;
  /** bpf_jit_charge_modmem refused. */
  refused: boolean;
  tag: string | null;
}

/** Something the trace places between (or inside) the operations. */
export type RunEvent =
  | { readonly kind: 'operation'; readonly line: number; readonly op: number; readonly text: string }
  | { readonly kind: 'marker'; readonly line: number; readonly text: string }
  /** A function of the operation at hand has its memory. */
  | { readonly kind: 'allocated'; readonly line: number; readonly function: CompiledFunction }
  | FreedEvent
  /** Deferred work emptied the program array. */
  | { readonly kind: 'array-cleared'; readonly line: number };

/** bpf_jit_free: of a function with code, or of a program that never got any. */
export interface FreedEvent {
  readonly kind: 'freed';
  /** Where it took effect. */
  line: number;
  readonly prog: string;
  readonly insns: number;
  /** jited_len was not 0. */
  readonly hasCode: boolean;
  /** null: no code, or code of a program that no operation loaded. */
  readonly function: CompiledFunction | null;
}

/** Addresses that were patched by one update of the program array, in order. */
export interface PatchRun {
  readonly op: number;
  readonly addresses: Address[];
}

export interface RecordedRun {
  /** In the order in which they took effect. */
  readonly events: readonly RunEvent[];
  /** Functions by operation number, in the order of their first pass. */
  readonly compiled: ReadonlyMap<number, readonly CompiledFunction[]>;
  readonly patches: readonly PatchRun[];
  /** Call lines seen at all: 0 in a recording of the function tracer. */
  readonly calls: number;
  readonly notes: readonly string[];
}

interface TaskState {
  compiling: CompiledFunction | null;
  freeing: FreedEvent | null;
  clearing: boolean;
}

const OPERATION = /^op (\d+): /;
const FUNCTION_SYMBOL = /^bpf_prog_([0-9a-f]{16})_F$/;
const PATCHES = new Set(['text_poke_bp', 'smp_text_poke_single', 'bpf_arch_text_poke']);

/** A named value; null where the line has none (or it is text). */
const word = (call: CallLine, ...names: readonly string[]): Word | null => {
  for (const name of names) {
    const i = call.signature.names.indexOf(name);
    if (i >= 0 && call.signature.text[i] === false) return { hi: call.hi[i] ?? 0, lo: call.lo[i] ?? 0 };
  }
  return null;
};
const number = (call: CallLine, name: string): number => Word.toNumber(word(call, name) ?? Word.zero);
const address = (call: CallLine, ...names: readonly string[]): Address | null => {
  const value = word(call, ...names);
  return value === null || Word.isZero(value) ? null : Word.toAddress(value);
};
const pointer = (call: CallLine, ...names: readonly string[]): string =>
  Word.toHex(word(call, ...names) ?? Word.zero);

/** Collects a RecordedRun: `line` for each line of the trace, then `finish`. */
export class RunCollector {
  readonly #events: RunEvent[] = [];
  readonly #compiled = new Map<number, CompiledFunction[]>();
  readonly #patches: PatchRun[] = [];
  readonly #notes: string[] = [];
  readonly #tasks = new Map<number, TaskState>();
  /** Functions with code by entry, while they exist. */
  readonly #live = new Map<string, CompiledFunction>();
  #calls = 0;
  /** The task that runs the workload: the one that writes the markers. */
  #workload = -1;
  #op = -1;

  line(line: TraceLine): void {
    if (line.kind === 'marker') this.#marker(line.text, line.line, line.pid);
    else if (line.kind === 'call') this.#call(line);
    else if (line.kind === 'lost')
      this.#notes.push(`line ${line.line}: events were lost; the workload may lack steps`);
  }

  finish(): RecordedRun {
    const events = [...this.#events].sort((a, b) => a.line - b.line);
    return {
      events,
      compiled: this.#compiled,
      patches: this.#patches,
      calls: this.#calls,
      notes: this.#notes,
    };
  }

  #marker(text: string, line: number, pid: number): void {
    this.#workload = pid;
    const op = OPERATION.exec(text)?.[1];
    this.#op = op === undefined ? -1 : Number(op);
    if (op === undefined) this.#events.push({ kind: 'marker', line, text });
    else this.#events.push({ kind: 'operation', line, op: Number(op), text: text.trimEnd() });
  }

  #call(call: CallLine): void {
    this.#calls++;
    let task = this.#tasks.get(call.pid);
    if (task === undefined) {
      this.#tasks.set(call.pid, (task = { compiling: null, freeing: null, clearing: false }));
    }
    if (call.isReturn) this.#returned(call, task);
    else this.#entered(call, task);
  }

  #entered(call: CallLine, task: TaskState): void {
    if (PATCHES.has(call.fn) || call.fn === 'bpf_arch_poke_desc_update') {
      this.#patch(call, task);
      return;
    }
    const { compiling, freeing } = task;
    switch (call.fn) {
      case 'bpf_int_jit_compile':
        task.compiling = this.#compile(call);
        return;
      case 'bpf_jit_binary_pack_alloc':
      case 'bpf_jit_binary_alloc':
        if (compiling !== null) compiling.image = number(call, 'proglen');
        return;
      case 'bpf_ksym_add':
        this.#symbol(call);
        return;
      case 'bpf_jit_free':
        task.freeing = this.#free(call);
        task.clearing = false;
        this.#events.push(task.freeing);
        return;
      case 'bpf_prog_pack_free':
        if (freeing !== null) freeing.line = call.line;
        return;
      default:
    }
  }

  #returned(call: CallLine, task: TaskState): void {
    const { compiling, freeing } = task;
    switch (call.fn) {
      case 'bpf_jit_blind_constants':
        if (compiling === null) return;
        compiling.blinded ||= !compiling.progs.has(pointer(call, 'ret'));
        compiling.progs.add(pointer(call, 'ret'));
        return;
      case 'bpf_jit_charge_modmem':
        if (compiling !== null && number(call, 'ret') !== 0) compiling.refused = true;
        return;
      case 'bpf_prog_pack_alloc':
      case 'bpf_jit_binary_alloc':
        if (compiling !== null) this.#allocated(call, compiling);
        return;
      case 'bpf_int_jit_compile':
        if (compiling !== null) this.#finished(call, compiling);
        task.compiling = null;
        return;
      case 'bpf_arch_text_invalidate':
        if (freeing !== null) freeing.line = call.line;
        return;
      case 'bpf_jit_free':
        task.freeing = null;
        return;
      default:
    }
  }

  /** The function a pass compiles: a new one, or one whose first pass was seen. */
  #compile(call: CallLine): CompiledFunction | null {
    if (call.pid !== this.#workload || this.#op < 0) {
      this.#notes.push(
        `line ${call.line}: a program was compiled outside the operations (${call.task}); left out`,
      );
      return null;
    }
    const prog = pointer(call, 'prog', 'fp');
    let functions = this.#compiled.get(this.#op);
    if (functions === undefined) this.#compiled.set(this.#op, (functions = []));
    const known = functions.find((f) => f.progs.has(prog));
    if (known !== undefined) return known;
    const compiled: CompiledFunction = {
      progs: new Set([prog]),
      insns: number(call, 'insns'),
      image: 0,
      code: 0,
      firstCode: 0,
      entry: null,
      chunk: null,
      blinded: false,
      refused: false,
      tag: null,
    };
    functions.push(compiled);
    return compiled;
  }

  #allocated(call: CallLine, compiled: CompiledFunction): void {
    const chunk = address(call, 'ret');
    if (chunk === null || compiled.chunk !== null) return;
    compiled.chunk = chunk;
    this.#events.push({ kind: 'allocated', line: call.line, function: compiled });
  }

  #finished(call: CallLine, compiled: CompiledFunction): void {
    compiled.progs.add(pointer(call, 'ret'));
    compiled.code = number(call, 'jited_len');
    compiled.firstCode ||= compiled.code;
    compiled.entry = compiled.code > 0 ? address(call, 'bpf_func') : null;
    if (compiled.entry !== null) this.#live.set(Address.toText(compiled.entry), compiled);
  }

  #symbol(call: CallLine): void {
    const start = address(call, 'start');
    const i = call.signature.names.indexOf('name');
    const tag = FUNCTION_SYMBOL.exec(call.texts?.[i] ?? '')?.[1];
    const compiled = start === null ? undefined : this.#live.get(Address.toText(start));
    if (compiled !== undefined && tag !== undefined) compiled.tag = tag;
  }

  #free(call: CallLine): FreedEvent {
    const entry = number(call, 'jited_len') > 0 ? address(call, 'bpf_func') : null;
    const key = entry === null ? '' : Address.toText(entry);
    const compiled = this.#live.get(key) ?? null;
    this.#live.delete(key);
    if (entry !== null && compiled === null) {
      this.#notes.push(`line ${call.line}: a program at ${key} was freed that no operation loaded; left out`);
    }
    return {
      kind: 'freed',
      line: call.line,
      prog: pointer(call, 'prog', 'fp'),
      insns: number(call, 'insns'),
      hasCode: entry !== null,
      function: compiled,
    };
  }

  /**
   * A jump in live code is changed. In an operation: text_poke_bp (6.1, 6.12; smp_text_poke_single in 7.2) below
   * bpf_arch_poke_desc_update, or bpf_arch_text_poke itself (5.10, 5.18). By another task: the array's deferred end.
   */
  #patch(call: CallLine, task: TaskState): void {
    if (call.pid !== this.#workload) {
      const isRoot = call.fn === 'bpf_arch_poke_desc_update' || call.fn === 'bpf_arch_text_poke';
      if (isRoot && !task.clearing) this.#events.push({ kind: 'array-cleared', line: call.line });
      task.clearing = isRoot || task.clearing;
      return;
    }
    const at = address(call, 'ip', 'addr');
    if (at === null || this.#op < 0) return;
    const last = this.#patches.at(-1);
    if (last?.op !== this.#op) this.#patches.push({ op: this.#op, addresses: [at] });
    else if (!last.addresses.some((a) => Address.equals(a, at))) last.addresses.push(at);
  }
}
