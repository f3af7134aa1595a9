/**
 * The machine that runs kernel functions for an emulation: keeps the call stack, makes the call events, applies each fact before the function goes on,
 * and has its choices answered by a source (seeded policies, or the choices of an earlier log).
 */
import type { Arch } from '../../arch/arch.js';
import type { Event, Fact } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import type {
  Args,
  ChoiceKind,
  Choices,
  Kernel,
  KernelFunction,
  Request,
  Value,
} from '../../kernel/request.js';
import { FAILING } from '../../kernel/failing.js';
import { folder } from '../../memory/evolve.js';
import type { Memory } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import { signaturesOf } from '../../profile/signatures.js';
import { Word } from '../../value/words.js';
import { choiceText } from '../choices.js';
import { LINES, type Column } from '../lines.js';
import { CannotFail, FAILURE, failures, type Failing, type Intercept } from './failing.js';

/** Answers a choice; `predicted` is what the question itself proposes, as text. */
export type ChoiceSource = <K extends ChoiceKind>(
  what: K,
  question: Choices[K]['question'],
) => Choices[K]['answer'];

export interface MachineOptions {
  readonly profile: Profile;
  readonly arch: Arch;
  readonly nodes: number;
  readonly start: Memory;
  readonly source: ChoiceSource;
  readonly emit: (event: Event) => void;
  readonly fail?: Failing;
  readonly intercept?: Intercept;
}

/** Who runs. */
export interface Runner {
  readonly task: string;
  readonly cpu: number;
}

interface Frame {
  readonly fn: KernelFunction;
  readonly args: Args;
  readonly generator: Generator<Request, unknown, never>;
  readonly seq: number;
}

/** A root call under way. Several can be, over one memory. */
export interface RunningCall<R = unknown> {
  readonly done: () => boolean;
  /** Its result, once it is done. */
  readonly result: () => R;
  /** Open calls, the root first. */
  readonly calls: () => readonly string[];
  /** Goes on to the next request at which it is to pause, before that request is performed; null: the call is done. What it paused at before, it does first. */
  readonly advance: (pauses: ((request: Request) => boolean) | null) => Request | null;
}

export interface Machine {
  /** The kernel that is run. */
  readonly profile: () => Profile;
  /** From here on another kernel runs over the same memory; no call may be open. */
  readonly become: (profile: Profile) => void;
  readonly memory: () => Memory;
  readonly share: () => Memory;
  readonly seq: () => number;
  /** Begins a root call: it is entered, and pauses before its first request. */
  readonly start: <A extends Args, R>(who: Runner, fn: KernelFunction<A, R>, args: A) => RunningCall<R>;
  /** Runs a root call to its end. */
  readonly run: <A extends Args, R>(who: Runner, fn: KernelFunction<A, R>, args: A) => R;
  /** A fact outside any call: a marker, an operation, the limit. */
  readonly state: (who: Runner, fact: Fact, origin?: Origin) => number;
  /** Called after every fact. */
  readonly onFact: (listener: (fact: Fact) => void) => void;
}

/** Nanoseconds between two events of an emulation. */
const TICK = 1000;

interface Named {
  readonly names: string;
  readonly columns: readonly { readonly name: string; readonly column: Column }[];
}

/** Values of a line that the model knows, under the names and in the order of `names`; each name of the model once. */
const shapeOf = (table: Readonly<Record<string, Column>>, names: readonly string[], args: Args): Named => {
  const columns: { name: string; column: Column }[] = [];
  const used = new Set<string>();
  for (const name of names) {
    const column = table[name];
    if (column === undefined || used.has(column.as) || column.class === 'ignored') continue;
    const value = args[column.as];
    const text = typeof value === 'string';
    if (value === undefined || (text !== (column.form === 't') && !(text && FUNCTIONS.has(value)))) continue;
    used.add(column.as);
    columns.push({ name, column });
  }
  return { names: columns.map((c) => c.name).join(','), columns };
};

/** Kernel functions that are passed as arguments, by what the model calls them: identities, somewhere in kernel text. */
const FUNCTIONS: ReadonlyMap<string, Word> = new Map([
  ['trap', { hi: 0xffffffff, lo: 0x810a5c40 }],
  ['zero', { hi: 0xffffffff, lo: 0x810a5c80 }],
  ['fill', { hi: 0xffffffff, lo: 0x81035a20 }],
  ['image', { hi: 0xffffffff, lo: 0x81035a00 }],
  ['code', { hi: 0xffffffff, lo: 0x81035a00 }],
  ['instruction', { hi: 0xffffffff, lo: 0x81035a00 }],
]);

const wordOf = (value: Value): Word => {
  if (typeof value === 'number') return Word.fromNumber(value);
  if (value === undefined) return Word.zero;
  if (typeof value === 'string') return FUNCTIONS.get(value) ?? Word.zero;
  return 'page' in value ? Word.fromAddress(value) : value;
};

/** Proposed answer of a question, as text. */
const proposed = (what: ChoiceKind, question: object): string => {
  if (!('predicted' in question)) return '';
  const value = question.predicted;
  return value === null || value === undefined ? '' : choiceText(what, value as never);
};

export const machine = (options: MachineOptions): Machine => {
  const memory = folder(options.start);
  const listeners: ((fact: Fact) => void)[] = [];
  let seq = 0;
  let time = 0;
  let lowestName = options.start.lowestName;
  let profile = options.profile;
  let signatures = signaturesOf(profile, options.arch);
  const failing = options.fail === undefined ? null : failures(options.fail);

  const kernel: Kernel = {
    get profile() {
      return profile;
    },
    arch: options.arch,
    nodes: () => options.nodes,
    memory: memory.memory,
    nameFrames: (pages) => {
      const name = lowestName - 1;
      lowestName -= pages;
      return name;
    },
    nextSeq: () => seq + 1,
  };

  const emit = (who: Runner, fact: Fact, origin: Origin, call: number): number => {
    seq++;
    const event = { seq, time, cpu: who.cpu, task: who.task, call, origin, ...fact } as Event;
    time += TICK;
    memory.apply(event);
    options.emit(event);
    for (const listener of listeners) listener(fact);
    return seq;
  };

  const line = (who: Runner, kind: 'entered' | 'returned', fn: string, args: Args, call: number): number => {
    const shape = LINES[fn];
    const table = shape === undefined ? {} : kind === 'entered' ? shape.entry : shape.result;
    const own = signatures.get(fn);
    const order = (kind === 'entered' ? own?.args : own?.results) ?? Object.keys(table);
    const { names, columns } = shapeOf(table, order, args);
    const hi: number[] = [];
    const lo: number[] = [];
    let texts: (string | null)[] | null = null;
    for (const { column } of columns) {
      const value = args[column.as];
      const word = wordOf(value);
      hi.push(word.hi);
      lo.push(word.lo);
      if (typeof value === 'string' && column.form === 't')
        (texts ??= columns.map(() => null))[hi.length - 1] = value;
    }
    return emit(who, { kind, fn, place: '', names, values: { hi, lo, texts } }, Origin.derived, call);
  };

  const start = <A extends Args, R>(who: Runner, fn: KernelFunction<A, R>, args: A): RunningCall<R> => {
    const stack: Frame[] = [];
    const enter = (callee: KernelFunction, given: Args): void => {
      const entered = line(who, 'entered', callee.name, given, stack.at(-1)?.seq ?? 0);
      const errno = failing === null ? 0 : failing.ofCall(callee.name, given);
      const failed = errno === 0 ? undefined : FAILING.get(callee.name);
      if (errno !== 0) {
        if (failed === undefined) throw new CannotFail(callee.name);
        emit(
          who,
          { kind: 'chosen', what: FAILURE, value: String(errno), predicted: '' },
          Origin.derived,
          entered,
        );
      }
      const generator = failed === undefined ? callee.body(kernel, given) : failed(kernel, given, errno);
      stack.push({ fn: callee, args: given, generator, seq: entered });
    };
    /** A fact, or what happens instead. */
    const happen = (fact: Fact, call: number): number => {
      if (options.intercept === undefined) return emit(who, fact, Origin.derived, call);
      const context = { calls: stack.map((frame) => frame.fn.name), task: who.task, memory: memory.memory() };
      let last = seq;
      for (const instead of options.intercept(fact, context)) last = emit(who, instead, Origin.derived, call);
      return last;
    };
    /** What a request gives, or undefined after it has begun a call. */
    const perform = (request: Request, call: number): unknown => {
      switch (request.request) {
        case 'call':
          enter(request.fn, request.args);
          return undefined;
        case 'choose': {
          const failed = failing?.ofChoice(request.what, request.question as never);
          const chosen =
            failed === undefined ? options.source(request.what, request.question as never) : failed;
          emit(
            who,
            {
              kind: 'chosen',
              what: request.what,
              value: choiceText(request.what, chosen as never),
              predicted: proposed(request.what, request.question),
            },
            Origin.derived,
            call,
          );
          return chosen;
        }
        case 'state':
          return happen(request.fact, call);
        case 'lock':
        case 'wait':
          return undefined;
      }
    };

    let answer: unknown;
    let pending: Request | null = null;
    let result: R | undefined;
    enter(fn as unknown as KernelFunction, args);
    return {
      done: () => stack.length === 0,
      result: () => result as R,
      calls: () => stack.map((frame) => frame.fn.name),
      advance: (pauses) => {
        let stopped: Request | null = pending;
        pending = null;
        while (stack.length > 0) {
          const top = stack.at(-1) as Frame;
          if (stopped !== null) {
            // What it was stopped at, it does now.
            answer = perform(stopped, top.seq);
            stopped = null;
            continue;
          }
          const step = top.generator.next(answer as never);
          if (step.done === true) {
            line(who, 'returned', top.fn.name, top.fn.returned(step.value, top.args), top.seq);
            stack.pop();
            if (stack.length === 0) result = step.value as R;
            answer = step.value;
            continue;
          }
          if (pauses !== null && pauses(step.value)) {
            pending = step.value;
            return pending;
          }
          answer = perform(step.value, top.seq);
        }
        return null;
      },
    };
  };

  const run = <A extends Args, R>(who: Runner, fn: KernelFunction<A, R>, args: A): R => {
    const running = start(who, fn, args);
    running.advance(null);
    return running.result();
  };

  return {
    memory: memory.memory,
    share: memory.share,
    seq: () => seq,
    profile: () => profile,
    become: (next) => {
      profile = next;
      signatures = signaturesOf(next, options.arch);
    },
    start,
    run,
    state: (who, fact, origin = Origin.observed) => emit(who, fact, origin, 0),
    onFact: (listener) => {
      listeners.push(listener);
    },
  };
};
