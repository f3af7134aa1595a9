import type { Memory } from '../core/memory/memory.js';
import { found, type Found } from './found.js';
import {
  byAddress,
  sameShown,
  shownProgram,
  tagOf,
  type ByAddress,
  type Known,
  type KnownPrograms,
  type ShownProgram,
} from './programs.js';

export interface Changed<T> {
  readonly from: T | null;
  readonly to: T | null;
}

type Pair = readonly [from: Known | null, to: Known | null];

const sameTag = (a: Known, b: Known): boolean => a.name === b.name || tagOf(a) === tagOf(b);

/** Whether it was only allocated, or its symbol says no tag. */
const isUntagged = (known: Known): boolean => 'chunk' in known && tagOf(known) === null;

/** Programs at one address become pairs of what is the same program: that with the same tag; else one that was only allocated before, and so had none. */
const pairsAt = (from: readonly Known[], to: readonly Known[]): readonly Pair[] => {
  const left = [...from];
  const take = (wanted: (known: Known) => boolean): Known | null => {
    const at = left.findIndex(wanted);
    return at < 0 ? null : (left.splice(at, 1)[0] ?? null);
  };
  const exact = to.map((known) => take((other) => sameTag(other, known)));
  const pairs = to.map((known, i): Pair => [exact[i] ?? ('chunk' in known ? take(isUntagged) : null), known]);
  return [...pairs, ...left.map((known): Pair => [known, null])];
};

/** End of the programs that begin where the one at `first` does. */
const endOf = ({ pages, offsets }: ByAddress, first: number): number => {
  let end = first + 1;
  while (end < pages.length && pages[end] === pages[first] && offsets[end] === offsets[first]) end++;
  return end;
};

/** Below 0: the one at i comes first; above 0: the one at j. */
const compared = (a: ByAddress, i: number, b: ByAddress, j: number): number =>
  i === a.pages.length
    ? 1
    : j === b.pages.length
      ? -1
      : (a.pages[i] as number) - (b.pages[j] as number) ||
        (a.offsets[i] as number) - (b.offsets[j] as number);

/** Programs that differ, by what they are, not by the number a trace gave them: before and after, one list beside the other. */
interface Pairs {
  readonly from: (Known | null)[];
  readonly to: (Known | null)[];
}

/** First those there are, then those that went, by address. */
const pairsOf = (before: ByAddress, after: ByAddress): Pairs => {
  const pairs: Pairs = { from: [], to: [] };
  const gone: Known[] = [];
  const add = (from: Known | null, to: Known): void => {
    pairs.from.push(from);
    pairs.to.push(to);
  };
  let i = 0;
  let j = 0;
  while (i < before.known.length || j < after.known.length) {
    const order = compared(before, i, after, j);
    if (order < 0) gone.push(before.known[i++] as Known);
    else if (order > 0) add(null, after.known[j++] as Known);
    else if (endOf(before, i) === i + 1 && endOf(after, j) === j + 1) {
      const from = before.known[i++] as Known;
      const to = after.known[j++] as Known;
      if (!sameTag(from, to) && !(isUntagged(from) && 'chunk' in to)) {
        gone.push(from);
        add(null, to);
      } else if (!sameShown(from, to)) add(from, to);
    } else {
      const [end, stop] = [endOf(before, i), endOf(after, j)];
      for (const [from, to] of pairsAt(before.known.slice(i, end), after.known.slice(j, stop))) {
        if (to === null) gone.push(from as Known);
        else if (from === null || !sameShown(from, to)) add(from, to);
      }
      i = end;
      j = stop;
    }
  }
  for (const known of gone) {
    pairs.from.push(known);
    pairs.to.push(null);
  }
  return pairs;
};

const shown = (known: Known | null): ShownProgram | null => (known === null ? null : shownProgram(known));

/** `knownA`, `knownB`: their programs. */
export const changedPrograms = (
  a: Memory,
  b: Memory,
  knownA: KnownPrograms,
  knownB: KnownPrograms,
): Found<Changed<ShownProgram>> => {
  // What a program is shown with hangs on nothing else.
  if (a.programs === b.programs && a.symbols === b.symbols) return found(0, () => []);
  const { from, to } = pairsOf(byAddress(knownA), byAddress(knownB));
  return found(to.length, () => to.map((known, i) => ({ from: shown(from[i] ?? null), to: shown(known) })));
};
