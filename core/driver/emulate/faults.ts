/** Faults asked for beforehand: which call fails, with what, and from which operation on. */
import { FAILING } from '../../kernel/failing.js';
import { Errno } from '../../value/errno.js';
import { FAILING_CHOICES, type Failing } from './failing.js';

/** One call, or each call, of a function fails. */
export interface Fault {
  readonly fn: string;
  /** Which call of the function, from 1, counted from the beginning of operation `from`; null: each. */
  readonly nth: number | null;
  /** Operation (from 1) before which calls neither fail nor count; 0: all count. */
  readonly from: number;
  readonly errno: number;
}

/** All functions that can be made to fail, in alphabetical order. */
export const FALLIBLE: readonly string[] = [...FAILING.keys(), ...FAILING_CHOICES].sort();

export const Fault = Object.freeze({
  /** `CALL[:NTH][@OPERATION]=-ERRNO`, in its shortest form. */
  toText: ({ fn, nth, from, errno }: Fault): string =>
    `${fn}${nth === 1 ? '' : `:${nth ?? '*'}`}${from === 0 ? '' : `@${from}`}=${Errno.toText(errno)}`,
});

/** Faults while a workload runs. */
export interface Faults {
  readonly failing: Failing;
  /** To be told of each operation before it begins. */
  readonly began: (operation: number) => void;
  /** How often each fault happened, in their order. */
  readonly happened: () => readonly number[];
  /** None of them can happen any more: the calls that were meant are past. */
  readonly spent: () => boolean;
}

export const faultsOf = (faults: readonly Fault[]): Faults => {
  const counts = faults.map(() => 0);
  const happened = faults.map(() => 0);
  let operation = 0;
  return {
    began: (number) => {
      operation = number;
    },
    happened: () => happened,
    spent: () => faults.every(({ nth }, i) => nth !== null && (counts[i] as number) >= nth),
    failing: (fn) => {
      let errno: number | undefined;
      for (const [i, fault] of faults.entries()) {
        if (fault.fn !== fn || operation < fault.from) continue;
        const count = (counts[i] as number) + 1;
        counts[i] = count;
        if (errno !== undefined || (fault.nth !== null && fault.nth !== count)) continue;
        errno = fault.errno;
        happened[i] = (happened[i] as number) + 1;
      }
      return errno;
    },
  };
};
