/** Differences counted by their patterns; only the first of each is told whole. */
import type { Difference, Pattern, Report } from './differences.js';
import type { Found } from './held.js';

/** Differences of one kind. */
export interface DifferenceCount {
  readonly kind: Difference['kind'];
  readonly name: string;
  /** The call it is in. */
  readonly in: string;
  readonly only: Difference['only'];
  readonly count: number;
  /** The first of them. */
  readonly example: Difference;
}

export interface Tally {
  readonly report: Report;
  /** Counts differences whose patterns are known; false, and nothing is counted, where one of them has to be told whole. */
  readonly again: (found: readonly Found[]) => boolean;
  /** In the order of trace a. */
  readonly kinds: () => readonly DifferenceCount[];
  readonly differences: () => number;
}

/** Place of a difference in trace a (of b, where a has nothing). */
const placeOf = (a: number, b: number): number => (a === 0 ? b : a);

const exampleAt = ({ example: { a, b, only } }: DifferenceCount): number =>
  placeOf(only === 'b' ? 0 : a.seq, only === 'a' ? 0 : b.seq);

type Counted = { -readonly [K in keyof DifferenceCount]: DifferenceCount[K] };

const keyOf = ({ kind, name, in: where, only }: Pattern): string => `${kind}|${name}|${where}|${only ?? ''}`;

export const newTally = (): Tally => {
  const kinds = new Map<string, Counted>();
  /** The same by the pattern itself: those that are told again and again are the same object. */
  const byPattern = new WeakMap<Pattern, Counted>();
  let differences = 0;
  const knownOf = (pattern: Pattern): Counted | undefined => {
    let known = byPattern.get(pattern);
    if (known !== undefined) return known;
    known = kinds.get(keyOf(pattern));
    if (known !== undefined) byPattern.set(pattern, known);
    return known;
  };
  return {
    report: (pattern, a, b, whole) => {
      const { kind, name, only } = pattern;
      const known = knownOf(pattern);
      differences++;
      if (known === undefined)
        kinds.set(keyOf(pattern), { kind, name, in: pattern.in, only, count: 1, example: whole() });
      else {
        known.count++;
        if (placeOf(a, b) < exampleAt(known)) known.example = whole();
      }
    },
    again: (found) => {
      for (const { pattern, a, b } of found) {
        const known = knownOf(pattern);
        if (known === undefined || placeOf(a, b) < exampleAt(known)) return false;
      }
      for (const { pattern } of found) (knownOf(pattern) as Counted).count++;
      differences += found.length;
      return true;
    },
    kinds: () => [...kinds.values()].sort((x, y) => exampleAt(x) - exampleAt(y)),
    differences: () => differences,
  };
};
