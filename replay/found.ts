import type { EntityDiff } from './diffStates.js';

/** Differences that were found: how many, and as they are shown. They are put into texts when they are first asked for. */
export interface Found<T> {
  readonly count: number;
  readonly told: () => readonly T[];
}

/** Asked once; its answer is kept. */
export const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
};

export const found = <T>(count: number, tell: () => readonly T[]): Found<T> => ({ count, told: once(tell) });

/** What became of each key: [before, after], null where there is nothing. In the order of the keys. */
export const pairsOf = <V>({
  added,
  removed,
  changed,
}: EntityDiff<V>): readonly (readonly [key: number, from: V | null, to: V | null])[] =>
  [
    ...Array.from(added, ([key, value]) => [key, null, value] as const),
    ...Array.from(removed, ([key, value]) => [key, value, null] as const),
    ...Array.from(changed, ([key, [from, to]]) => [key, from, to] as const),
  ].sort(([a], [b]) => a - b);
