import type { Fact } from '../event/event.js';
import type { Memory } from '../memory/memory.js';
import type { Arch } from '../arch/arch.js';
import type { Profile } from '../profile/profile.js';
import type { Address } from '../value/address.js';
import type { Word } from '../value/words.js';

/** A value in a call: `undefined` is not known (or means nothing outside the kernel, as the address of a local variable). */
export type Value = number | Address | Word | string | undefined;
export type Args = Readonly<Record<string, Value>>;

/** What a kernel function may read: the kernel it belongs to and memory as it is now. */
export interface Kernel {
  readonly profile: Profile;
  readonly arch: Arch;
  /** NUMA nodes (online, or possible from 6.0 on). */
  readonly nodes: () => number;
  readonly memory: () => Memory;
  /** A new frame name for `pages` frames in a row; the first of them, the others count down. */
  readonly nameFrames: (pages: number) => number;
  /** The seq that the next fact will get: numbers of programs. */
  readonly nextSeq: () => number;
}

/** A kernel function: the kernel's name, and a body that reads like the kernel's own. */
export interface KernelFunction<A extends Args = Args, R = unknown> {
  readonly name: string;
  // Methods, not properties: a request of any function is a Request (parameters of methods are compared both ways).
  body(kernel: Kernel, args: A): Generator<Request, R, never>;
  /** Values of its return line, by name. */
  returned(result: R, args: A): Args;
}

/** What all requests have. Iterable once, so that `const at = yield* call(bpfProgPackAlloc, { size })` is typed by the function's result. */
interface Asked<R> {
  [Symbol.iterator](): this;
  next(answer?: unknown): IteratorResult<this, R>;
}

/** Enter another kernel function. */
export interface CallRequest<A extends Args = Args, R = unknown> extends Asked<R> {
  readonly request: 'call';
  readonly fn: KernelFunction<A, R>;
  readonly args: A;
}

/** Which choices there are, what the question carries and what the answer is. */
export interface Choices {
  /** What blinding returns: the program itself, or a clone. */
  clone: { readonly question: { readonly prog: Word }; readonly answer: Word };
  /** Length of the image the JIT asks memory for; 0: the JIT gives up before it asks. */
  image: { readonly question: { readonly prog: Word }; readonly answer: number };
  /** Whether this JIT pass is the last one of the function. */
  final: { readonly question: { readonly prog: Word }; readonly answer: boolean };
  /** Code offset in the chunk and code length; null: not known. */
  placement: {
    readonly question: { readonly prog: Word; readonly chunk: Address; readonly proglen: number };
    readonly answer: { readonly start: Address; readonly length: number } | null;
  };
  /** What kind of program: program, function, classic. */
  type: { readonly question: { readonly prog: Word }; readonly answer: string };
  /** Whether charging passes: over the limit only for a capable loader (0, or -EPERM). `over` null: what is charged or the limit is not known. */
  charge: {
    readonly question: { readonly size: number; readonly over: boolean | null };
    readonly answer: number;
  };
  /** Address of the RW buffer; null: the allocation failed; zero: not known. */
  buffer: { readonly question: { readonly size: number }; readonly answer: Word | null };
  /** Where the chunks lie: as first fit says, unless another order of the waiting calls is recorded. */
  chunk: {
    readonly question: {
      readonly size: number;
      readonly predicted: Address | null;
      readonly wasClassic: boolean;
    };
    readonly answer: Address | null;
  };
  /** Whether the pack size is still to be found by a trial allocation (5.18, 5.19). */
  trial: { readonly question: object; readonly answer: boolean };
  /** Start of a new area; null: the allocation failed. */
  area: {
    readonly question: {
      readonly size: number;
      readonly predicted: Address | null;
      readonly predictable: boolean;
      /** Among areas of everybody: nothing tells where the next one lies. */
      readonly shared: boolean;
    };
    readonly answer: Address | null;
  };
  /** Physical placement of n frames: first pfn of runs; null: named, to be identified later. */
  frames: {
    readonly question: { readonly pages: number; readonly huge: boolean };
    readonly answer: readonly { readonly frame: number; readonly pages: number }[] | null;
  };
  /** A frame whose physical address shows now (an alias step, a struct page). */
  frame: { readonly question: { readonly name: number; readonly page: number }; readonly answer: number };
  /** Memory of a program that was allocated before anything was recorded of it, and is made final now; null: there is none. */
  older: {
    readonly question: { readonly prog: Word };
    readonly answer: { readonly chunk: Address; readonly bytes: number } | null;
  };
  /** Leaf shift of a direct-map region never seen before, or (pfn below 0) of a virtual page. */
  leaf: { readonly question: { readonly pfn: number; readonly covered: boolean }; readonly answer: number };
  /** Result of a purge of lazily freed areas. */
  purge: { readonly question: { readonly predicted: number | null }; readonly answer: number };
  /** Result of an allocation of a page table. */
  pageTable: { readonly question: object; readonly answer: boolean };
  /** Whether another page of an area of unknown size follows. */
  more: { readonly question: { readonly fn: string }; readonly answer: boolean };
  /** Whether a pack whose bitmap is not known became empty: its start, or null. */
  emptied: { readonly question: { readonly at: Address }; readonly answer: Address | null };
  /** Symbol of a program that is published now; null: none is. */
  symbol: {
    readonly question: { readonly prog: Word; readonly program: number };
    readonly answer: {
      readonly start: Address;
      readonly end: Address;
      readonly name: string;
      readonly ksym: Word;
    } | null;
  };
  /** The next instruction that a tail-call or dispatcher update patches; null: no more. */
  patch: {
    /** `program`: the one whose code it is, where only that one can be meant. */
    readonly question: { readonly fn: string; readonly program?: number };
    readonly answer: { readonly at: Address; readonly length: number } | null;
  };
  /** Result of a call whose outcome depends on what nobody recorded. */
  result: { readonly question: { readonly fn: string; readonly predicted: number }; readonly answer: number };
  /** Whether a predictor flush is in use (static key, 7.1+). */
  predictor: { readonly question: object; readonly answer: boolean };
}
export type ChoiceKind = keyof Choices;

/** Ask for something that the surroundings decide. */
export interface ChooseRequest<K extends ChoiceKind = ChoiceKind> extends Asked<Choices[K]['answer']> {
  readonly request: 'choose';
  readonly what: K;
  readonly question: Choices[K]['question'];
}

/** State a fact: it is an event, and memory is changed, before the function goes on. */
export interface StateRequest extends Asked<number> {
  readonly request: 'state';
  readonly fact: Fact;
}

/** The locks that the kernel takes around what is modelled here. */
export const LOCKS = [
  'pack_mutex',
  'text_mutex',
  'cpa_lock',
  'vmap_area_lock',
  'vmap_purge_lock',
  'dispatcher_mutex',
] as const;
export type Lock = (typeof LOCKS)[number];

/** Take or give back a lock. */
export interface LockRequest extends Asked<void> {
  readonly request: 'lock';
  readonly lock: Lock;
  readonly taken: boolean;
}

/** What follows happens just before the task's next recorded line, not at the line before: a lock may have to be waited for. */
export interface WaitRequest extends Asked<void> {
  readonly request: 'wait';
}

export type Request = CallRequest | ChooseRequest | StateRequest | LockRequest | WaitRequest;

/**
 * Any request. A recording makes millions: they are all of one shape, so that a driver meets only this one, and each is its own iterator and the result of
 * both its steps (first itself, then the answer).
 */
class AnyRequest {
  declare done: boolean;
  declare value: unknown;
  declare readonly request: Request['request'];
  declare private readonly subject: unknown;
  declare private readonly detail: unknown;

  constructor(request: Request['request'], subject?: unknown, detail?: unknown) {
    this.done = true;
    this.value = undefined;
    this.request = request;
    this.subject = subject;
    this.detail = detail;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(answer?: unknown): this {
    this.done = !this.done;
    this.value = this.done ? answer : this;
    return this;
  }

  get fn(): unknown {
    return this.subject;
  }
  get args(): unknown {
    return this.detail;
  }
  get what(): unknown {
    return this.subject;
  }
  get question(): unknown {
    return this.detail;
  }
  get fact(): unknown {
    return this.subject;
  }
  get lock(): unknown {
    return this.subject;
  }
  get taken(): unknown {
    return this.detail;
  }
}

export const call = <A extends Args, R>(fn: KernelFunction<A, R>, args: A): CallRequest<A, R> =>
  new AnyRequest('call', fn, args) as unknown as CallRequest<A, R>;
export const choose = <K extends ChoiceKind>(what: K, question: Choices[K]['question']): ChooseRequest<K> =>
  new AnyRequest('choose', what, question) as unknown as ChooseRequest<K>;
export const state = (fact: Fact): StateRequest => new AnyRequest('state', fact) as unknown as StateRequest;
export const lock = (name: Lock): LockRequest => new AnyRequest('lock', name, true) as unknown as LockRequest;
export const unlock = (name: Lock): LockRequest =>
  new AnyRequest('lock', name, false) as unknown as LockRequest;
export const wait = (): WaitRequest => new AnyRequest('wait') as unknown as WaitRequest;

/** The kernel warns. What it has printed once it does not print again (WARN_ONCE); the fact is stated each time. */
export const warn = (text: string): StateRequest => state({ kind: 'warned', text, bug: 0 });

/** Result type of the generator of a kernel function. */
export type Body<R> = Generator<Request, R, never>;

/** A function whose return line carries `ret` (or nothing). */
export const kernelFunction = <A extends Args, R>(
  name: string,
  body: (kernel: Kernel, args: A) => Generator<Request, R, never>,
  returned: (result: R, args: A) => Args = (result) =>
    result === undefined ? {} : { ret: (result === null ? 0 : result) as Value },
): KernelFunction<A, R> => Object.freeze({ name, body, returned });
