/** Pairs of two sequences: both sides, or one alone. */
export type Pair<T> =
  | { readonly a: T; readonly b: T }
  | { readonly a: T; readonly b: null }
  | { readonly a: null; readonly b: T };

/** Cells of the table of a longest common subsequence, at most; longer sequences are aligned by looking ahead. */
const MOST_CELLS = 1_000_000;
const LOOK_AHEAD = 64;

const alone = <T>(a: readonly T[], b: readonly T[]): Pair<T>[] => [
  ...a.map((item) => ({ a: item, b: null })),
  ...b.map((item) => ({ a: null, b: item })),
];

/** By a longest common subsequence. */
const exactly = <T>(a: readonly T[], b: readonly T[], same: (i: number, j: number) => boolean): Pair<T>[] => {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = same(i, j)
        ? (lengths[(i + 1) * width + j + 1] as number) + 1
        : Math.max(lengths[(i + 1) * width + j] as number, lengths[i * width + j + 1] as number);
  const pairs: Pair<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (same(i, j)) pairs.push({ a: a[i++] as T, b: b[j++] as T });
    else if ((lengths[(i + 1) * width + j] as number) >= (lengths[i * width + j + 1] as number))
      pairs.push({ a: a[i++] as T, b: null });
    else pairs.push({ a: null, b: b[j++] as T });
  }
  return [...pairs, ...alone(a.slice(i), b.slice(j))];
};

/** The nearest place ahead where both go on alike. */
const nextMeeting = (
  i: number,
  j: number,
  ends: readonly [number, number],
  same: (i: number, j: number) => boolean,
): readonly [number, number] | null => {
  for (let sum = 1; sum <= LOOK_AHEAD; sum++)
    for (let di = 0; di <= sum; di++)
      if (i + di < ends[0] && j + sum - di < ends[1] && same(i + di, j + sum - di))
        return [i + di, j + sum - di];
  return null;
};

/** By looking ahead a little: for sequences too long for a table. */
const greedily = <T>(
  a: readonly T[],
  b: readonly T[],
  same: (i: number, j: number) => boolean,
): Pair<T>[] => {
  const pairs: Pair<T>[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (same(i, j)) {
      pairs.push({ a: a[i++] as T, b: b[j++] as T });
      continue;
    }
    const meeting = nextMeeting(i, j, [a.length, b.length], same) ?? [i + 1, j + 1];
    pairs.push(...alone(a.slice(i, meeting[0]), b.slice(j, meeting[1])));
    [i, j] = meeting;
  }
  return [...pairs, ...alone(a.slice(i), b.slice(j))];
};

/** Aligns two sequences by the keys of their items, in order. */
export const align = <T>(a: readonly T[], b: readonly T[], key: (item: T) => string): readonly Pair<T>[] => {
  const keysA = a.map(key);
  const keysB = b.map(key);
  let first = 0;
  while (first < a.length && first < b.length && keysA[first] === keysB[first]) first++;
  let rest = 0;
  while (
    rest < a.length - first &&
    rest < b.length - first &&
    keysA[a.length - 1 - rest] === keysB[b.length - 1 - rest]
  )
    rest++;
  const both = (from: number, count: number, offset: number): Pair<T>[] =>
    Array.from({ length: count }, (_, k) => ({ a: a[from + k] as T, b: b[from + k + offset] as T }));
  const middleA = a.slice(first, a.length - rest);
  const middleB = b.slice(first, b.length - rest);
  const same = (i: number, j: number): boolean => keysA[first + i] === keysB[first + j];
  const middle =
    (middleA.length + 1) * (middleB.length + 1) <= MOST_CELLS
      ? exactly(middleA, middleB, same)
      : greedily(middleA, middleB, same);
  return [...both(0, first, 0), ...middle, ...both(a.length - rest, rest, b.length - a.length)];
};
