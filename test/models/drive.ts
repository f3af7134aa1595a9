import type { Arch } from '../../core/arch/arch.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { eventOf, type Event, type EventKind, type Fact } from '../../core/event/event.js';
import { Origin } from '../../core/event/kind.js';
import type {
  Args,
  ChoiceKind,
  Choices,
  Kernel,
  KernelFunction,
  Request,
} from '../../core/kernel/request.js';
import { folder } from '../../core/memory/evolve.js';
import { failures, type Failing } from '../../core/driver/emulate/failing.js';
import { FAILING } from '../../core/kernel/failing.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import type { Profile } from '../../core/profile/profile.js';
import { profileNamed } from '../../core/profile/profiles.js';

/** One thing that a run of a kernel function did, in order. */
export type Step =
  | { readonly step: 'call'; readonly name: string; readonly args: Args; readonly depth: number }
  | { readonly step: 'return'; readonly name: string; readonly result: unknown; readonly depth: number }
  | {
      readonly step: 'choice';
      readonly what: ChoiceKind;
      readonly question: object;
      readonly answer: unknown;
    }
  | { readonly step: 'lock'; readonly lock: string; readonly taken: boolean }
  | { readonly step: 'fact'; readonly fact: Fact };

export type Answers = { [K in ChoiceKind]?: (question: Choices[K]['question']) => Choices[K]['answer'] };

export interface Driver {
  readonly kernel: Kernel;
  readonly memory: () => Memory;
  /** A memory that stays as it is. */
  readonly share: () => Memory;
  /** Runs a kernel function to its end; `steps` then holds what it did. */
  readonly run: <A extends Args, R>(fn: KernelFunction<A, R>, args: A) => R;
  /** Facts from outside any call. */
  readonly give: (...facts: readonly Fact[]) => void;
  /** Called after every fact. */
  readonly onFact: (listener: (fact: Fact) => void) => void;
  /** Of the last run. */
  readonly steps: () => readonly Step[];
  /** Locks that were taken twice, given back unheld, or kept, so far. */
  readonly lockFaults: () => readonly string[];
  /** Events so far. */
  readonly events: () => readonly Event[];
}

export interface DriveOptions {
  readonly kernel: string;
  readonly answers: Answers;
  readonly nodes?: number;
  readonly arch?: Arch;
  readonly profile?: Profile;
  /** Calls that fail. */
  readonly fail?: Failing;
  /** Keep all events. */
  readonly record?: boolean;
  /** Do not keep what a run did (long runs). */
  readonly forget?: boolean;
}

/** Runs kernel functions alone: every choice is answered by a given function, every fact is applied at once. */
export const drive = (options: DriveOptions): Driver => {
  const profile = options.profile ?? profileNamed(options.kernel);
  if (profile === null) throw new Error(`no profile ${options.kernel}`);
  const arch = options.arch ?? x86_64;
  const memory = folder(nothing);
  const events: Event[] = [];
  const listeners: ((fact: Fact) => void)[] = [];
  const lockFaults: string[] = [];
  const failing = options.fail === undefined ? null : failures(options.fail);
  let steps: Step[] = [];
  let seq = 0;
  let names = -1;

  const kernel: Kernel = {
    profile,
    arch,
    nodes: () => options.nodes ?? 1,
    memory: memory.memory,
    nameFrames: (pages) => {
      const first = names - 1;
      names -= pages;
      return first;
    },
    nextSeq: () => seq + 1,
  };

  const note = (step: Step): void => {
    if (options.forget !== true) steps.push(step);
  };

  const state = (fact: Fact): number => {
    seq++;
    const event = eventOf({ seq, time: seq, cpu: 0, task: '', call: 0, origin: Origin.derived }, fact);
    note({ step: 'fact', fact });
    memory.apply(event);
    if (options.record === true) events.push(event);
    for (const listener of listeners) listener(fact);
    return seq;
  };

  const answer = (what: ChoiceKind, question: object): unknown => {
    const given = options.answers[what] as ((question: object) => unknown) | undefined;
    if (given === undefined) throw new Error(`nothing answers "${what}"`);
    const failed = failing?.ofChoice(what, question as never);
    const chosen: unknown = failed === undefined ? given(question) : failed;
    note({ step: 'choice', what, question, answer: chosen });
    return chosen;
  };

  const run = <A extends Args, R>(fn: KernelFunction<A, R>, args: A): R => {
    const stack: { readonly name: string; readonly body: Generator<Request, unknown, never> }[] = [];
    const locks = new Set<string>();
    steps = [];
    const enter = (callee: KernelFunction, given: Args): void => {
      note({ step: 'call', name: callee.name, args: given, depth: stack.length });
      const errno = failing?.ofCall(callee.name, given) ?? 0;
      const failed = errno === 0 ? undefined : FAILING.get(callee.name);
      const body = failed === undefined ? callee.body(kernel, given) : failed(kernel, given, errno);
      stack.push({ name: callee.name, body });
    };
    enter(fn as unknown as KernelFunction, args);
    let value: unknown;
    for (;;) {
      const top = stack.at(-1);
      if (top === undefined) break;
      const next = top.body.next(value as never);
      if (next.done === true) {
        stack.pop();
        value = next.value;
        note({ step: 'return', name: top.name, result: value, depth: stack.length });
        continue;
      }
      const request = next.value;
      value = undefined;
      if (request.request === 'call') enter(request.fn, request.args);
      else if (request.request === 'choose') value = answer(request.what, request.question);
      else if (request.request === 'state') value = state(request.fact);
      else if (request.request === 'lock') {
        if (locks.has(request.lock) === request.taken)
          lockFaults.push(`${top.name}: ${request.lock} ${request.taken ? 'taken twice' : 'not held'}`);
        note({ step: 'lock', lock: request.lock, taken: request.taken });
        if (request.taken) locks.add(request.lock);
        else locks.delete(request.lock);
      }
    }
    if (locks.size > 0) lockFaults.push(`${fn.name} keeps ${[...locks].join(', ')}`);
    return value as R;
  };

  return {
    kernel,
    memory: memory.memory,
    share: memory.share,
    run,
    give: (...facts) => {
      steps = [];
      for (const fact of facts) state(fact);
    },
    onFact: (listener) => {
      listeners.push(listener);
    },
    steps: () => steps,
    lockFaults: () => lockFaults,
    events: () => events,
  };
};

/** Facts of a run. */
export const factsOf = (steps: readonly Step[]): Fact[] =>
  steps.flatMap((step) => (step.step === 'fact' ? [step.fact] : []));

export const factsOfKind = <K extends EventKind>(
  steps: readonly Step[],
  kind: K,
): Extract<Fact, { readonly kind: K }>[] =>
  factsOf(steps).filter((fact): fact is Extract<Fact, { readonly kind: K }> => fact.kind === kind);
