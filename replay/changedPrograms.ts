import type { Memory } from '../core/memory/memory.js';
import { found, type Found } from './found.js';
import {
  byAddress,
  isTagged,
  sameShown,
  sameTag,
  shownProgram,
  type ByAddress,
  type KnownPrograms,
  type ShownProgram,
} from './programs.js';

export interface Changed<T> {
  readonly from: T | null;
  readonly to: T | null;
}

/** One of the programs by address. */
interface Named {
  readonly place: number;
  readonly name: string | null;
  readonly isOlder: boolean;
}

type Pair = readonly [from: Named | null, to: Named | null];

/** Whether it was only allocated, or its symbol says no tag. */
const isUntagged = ({ name, isOlder }: Named): boolean => !isOlder && !isTagged(name);

/** Whether two, each alone at its address, are the same program. */
const isPair = (a: ByAddress, i: number, b: ByAddress, j: number): boolean => {
  const name = a.nameOf(i);
  return (
    sameTag(name, b.nameOf(j)) ||
    ((a.rows[i] as number) >= 0 && (b.rows[j] as number) >= 0 && !isTagged(name))
  );
};

const namedAt = (all: ByAddress, place: number): Named => ({
  place,
  name: all.nameOf(place),
  isOlder: (all.rows[place] as number) < 0,
});

const namedOf = (all: ByAddress, first: number, end: number): readonly Named[] =>
  Array.from({ length: end - first }, (_, i) => namedAt(all, first + i));

/** Programs at one address become pairs of what is the same program: that with the same tag; else one that was only allocated before, and so had none. */
const pairsAt = (from: readonly Named[], to: readonly Named[]): readonly Pair[] => {
  const left = [...from];
  const take = (wanted: (named: Named) => boolean): Named | null => {
    const at = left.findIndex(wanted);
    return at < 0 ? null : (left.splice(at, 1)[0] ?? null);
  };
  const exact = to.map(({ name }) => take((other) => sameTag(other.name, name)));
  const pairs = to.map((named, i): Pair => [exact[i] ?? (named.isOlder ? null : take(isUntagged)), named]);
  return [...pairs, ...left.map((named): Pair => [named, null])];
};

/** End of the programs that begin where the one at `first` does. */
const endOf = ({ count, pages, offsets }: ByAddress, first: number): number => {
  let end = first + 1;
  while (end < count && pages[end] === pages[first] && offsets[end] === offsets[first]) end++;
  return end;
};

/** Below 0: the one at i comes first; above 0: the one at j. */
const compared = (a: ByAddress, i: number, b: ByAddress, j: number): number =>
  i === a.count
    ? 1
    : j === b.count
      ? -1
      : (a.pages[i] as number) - (b.pages[j] as number) ||
        (a.offsets[i] as number) - (b.offsets[j] as number);

/** Programs that differ, by what they are, not by the number a trace gave them: before and after, one list beside the other; -1: it was not there, is no more. */
interface Pairs {
  readonly from: number[];
  readonly to: number[];
}

const NOT_THERE = -1;

/** First those there are, then those that went, by address. */
const pairsOf = (before: ByAddress, after: ByAddress): Pairs => {
  const pairs: Pairs = { from: [], to: [] };
  const gone: number[] = [];
  const add = (from: number, to: number): void => {
    pairs.from.push(from);
    pairs.to.push(to);
  };
  let i = 0;
  let j = 0;
  while (i < before.count || j < after.count) {
    const order = compared(before, i, after, j);
    if (order < 0) gone.push(i++);
    else if (order > 0) add(NOT_THERE, j++);
    else {
      const [end, stop] = [endOf(before, i), endOf(after, j)];
      if (end === i + 1 && stop === j + 1) {
        if (!isPair(before, i, after, j)) {
          gone.push(i);
          add(NOT_THERE, j);
        } else if (!sameShown(before, i, after, j)) add(i, j);
      } else
        for (const [from, to] of pairsAt(namedOf(before, i, end), namedOf(after, j, stop))) {
          if (to === null) gone.push((from as Named).place);
          else if (from === null || !sameShown(before, from.place, after, to.place))
            add(from?.place ?? NOT_THERE, to.place);
        }
      i = end;
      j = stop;
    }
  }
  for (const place of gone) add(place, NOT_THERE);
  return pairs;
};

const shown = ({ known }: ByAddress, place: number): ShownProgram | null =>
  place === NOT_THERE ? null : shownProgram(known(place));

/** `knownA`, `knownB`: their programs. */
export const changedPrograms = (
  a: Memory,
  b: Memory,
  knownA: KnownPrograms,
  knownB: KnownPrograms,
): Found<Changed<ShownProgram>> => {
  // What a program is shown with hangs on nothing else.
  if (a.programs === b.programs && a.symbols === b.symbols) return found(0, () => []);
  const [before, after] = [byAddress(knownA), byAddress(knownB)];
  const { from, to } = pairsOf(before, after);
  return found(to.length, () =>
    to.map((place, i) => ({ from: shown(before, from[i] as number), to: shown(after, place) })),
  );
};
