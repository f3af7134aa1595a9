/** Kernel calls that fail on purpose, and facts that are changed on their way to memory. */
import type { Event, Fact } from '../../event/event.js';
import type { ChoiceKind, Choices, Args } from '../../kernel/request.js';
import type { Memory } from '../../memory/memory.js';

/**
 * Decides whether a call of a kernel function fails: a negative errno, or undefined. `nth` counts the calls of that function from 1. A call that fails has
 * no effect; its callers do what this kernel does then.
 */
export type Failing = (fn: string, nth: number, args: Args) => number | undefined;

/** Where a fact is stated. */
export interface FactContext {
  /** Open calls, the root first. */
  readonly calls: readonly string[];
  readonly task: string;
  /** Memory before the fact. */
  readonly memory: Memory;
}

/** What happens instead of a fact: itself, nothing, or others. For tests: with it a kernel can be given any fault. */
export type Intercept = (fact: Fact, context: FactContext) => readonly Fact[];

/** The function was asked to fail, and has no way to. */
export class CannotFail extends Error {
  constructor(readonly fn: string) {
    super(`${fn} cannot fail`);
  }
}

interface FailingChoice<K extends ChoiceKind> {
  /** The allocation that the choice stands for. */
  readonly fn: string;
  readonly failed: Choices[K]['answer'];
}

const CHOICES: { readonly [K in ChoiceKind]?: FailingChoice<K> } = {
  buffer: { fn: 'kvmalloc', failed: null },
  pageTable: { fn: 'alloc_pages', failed: false },
};

/** Kernel functions that are no calls of the model, and can fail all the same. */
export const FAILING_CHOICES: readonly string[] = Object.values(CHOICES).map(({ fn }) => fn);

export interface Failures {
  /** The errno with which this call is to fail; 0: it does not. */
  readonly ofCall: (fn: string, args: Args) => number;
  /** The answer of a choice that is to fail; undefined: it does not. */
  readonly ofChoice: <K extends ChoiceKind>(
    what: K,
    question: Choices[K]['question'],
  ) => Choices[K]['answer'] | undefined;
}

export const failures = (failing: Failing): Failures => {
  const counts = new Map<string, number>();
  const ofCall = (fn: string, args: Args): number => {
    const nth = (counts.get(fn) ?? 0) + 1;
    counts.set(fn, nth);
    const errno = failing(fn, nth, args);
    if (errno === undefined) return 0;
    if (!Number.isInteger(errno) || errno >= 0 || errno < -4095)
      throw new RangeError(`${fn} cannot fail with ${errno}: an errno is -1 to -4095`);
    return errno;
  };
  return {
    ofCall,
    ofChoice: (what, question) => {
      const choice = CHOICES[what] as FailingChoice<typeof what> | undefined;
      return choice !== undefined && ofCall(choice.fn, question as Args) !== 0 ? choice.failed : undefined;
    },
  };
};

/** Choices of an emulation's log of this kind are no answers: a call was made to fail. */
export const FAILURE = 'failure';

/** The failures of an earlier log, so that it can be run again. */
export const loggedFailures = (events: Iterable<Event>): Failing => {
  const counts = new Map<string, number>();
  const calls = new Map<number, { readonly fn: string; readonly nth: number }>();
  const failed = new Map<string, number>();
  for (const event of events) {
    if (event.kind === 'entered') {
      const nth = (counts.get(event.fn) ?? 0) + 1;
      counts.set(event.fn, nth);
      calls.set(event.seq, { fn: event.fn, nth });
    } else if (event.kind === 'returned') calls.delete(event.call);
    else if (event.kind === 'chosen' && event.what === FAILURE) {
      const call = calls.get(event.call);
      if (call !== undefined) failed.set(`${call.fn} ${call.nth}`, Number(event.value));
    }
  }
  return (fn, nth) => failed.get(`${fn} ${nth}`);
};
