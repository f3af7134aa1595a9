import { kindOf, type Common, type Words } from './kind.js';

/** A kernel function was entered. */
export interface Entered extends Common {
  readonly kind: 'entered';
  readonly fn: string;
  /** `sym+offset/size` as recorded; empty in an emulation. */
  readonly place: string;
  /** Argument names, comma-separated, in the order of `values`. */
  readonly names: string;
  readonly values: Words;
}
export const Entered = kindOf<Entered>()(
  'entered',
  1,
  'a kernel function was entered',
  {
    fn: ['text', 'kernel function'],
    place: ['text', 'probe place as recorded (symbol+offset/size)'],
    names: ['text', 'argument names, comma-separated'],
    values: ['words', 'argument values by position'],
  },
  { changesMemory: false },
);

/** A kernel function returned; `call` is the seq of its `entered`. */
export interface Returned extends Common {
  readonly kind: 'returned';
  readonly fn: string;
  /** Caller as recorded (left of `<-`). */
  readonly place: string;
  readonly names: string;
  readonly values: Words;
}
export const Returned = kindOf<Returned>()(
  'returned',
  2,
  'a kernel function returned',
  {
    fn: ['text', 'kernel function'],
    place: ['text', 'return address as recorded (caller+offset/size)'],
    names: ['text', 'value names, comma-separated'],
    values: ['words', 'values by position'],
  },
  { changesMemory: false },
);

/** A choice that the surroundings made for the kernel function. */
export interface Chosen extends Common {
  readonly kind: 'chosen';
  readonly what: string;
  /** The answer, as text: integers in decimal, addresses in hex, lists comma-separated. */
  readonly value: string;
  /** What the model expected, empty where it expected nothing. */
  readonly predicted: string;
}
export const Chosen = kindOf<Chosen>()(
  'chosen',
  3,
  'a choice that the surroundings made for the kernel function',
  {
    what: ['text', 'kind of choice'],
    value: ['text', 'answer'],
    predicted: ['text', 'what the model expected; empty: nothing'],
  },
  { changesMemory: false },
);
