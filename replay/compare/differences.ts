/** Two root calls compared: what one does and the other does not. */
import { align, type Pair } from './align.js';
import { renaming, samePlacedAddress, type Renaming } from './addresses.js';
import { DIFFERENCE_KINDS, type DifferenceKind, type FactNode } from './facts.js';
import { itemsOf, keyOf, type Item } from './project.js';
import type { Projection } from './shown.js';
import type { CallNode, RootCall } from './tree.js';
import { differingValues, isNews, samePlaces, valueText, type ComparedValue, type Scope } from './values.js';

/** Where a difference shows in one trace. */
export interface Side {
  /** The event: of what differs, or of the call in which it is missing. */
  readonly seq: number;
  /** Calls around it, innermost first. */
  readonly calls: readonly string[];
  /** What there is, in words; null: nothing. */
  readonly what: string | null;
  /** What came before it in the same call, the nearest last. */
  readonly before: readonly string[];
}

/** A difference that means something: not a choice, not another address. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** The call or fact that differs. */
  readonly name: string;
  /** The call it is in; empty for a root call. */
  readonly in: string;
  /** Which trace alone has it; null: both, but not alike. */
  readonly only: 'a' | 'b' | null;
  readonly a: Side;
  readonly b: Side;
}

/** Both traces' ways to look at their calls. */
export interface Projections {
  readonly a: Projection;
  readonly b: Projection;
}

export interface RootComparison {
  readonly differences: readonly Difference[];
  /** Choices that differed. */
  readonly choices: number;
  /** Values that differ because others do. */
  readonly follows: number;
}

const CONTEXT = 5;

const valuesText = (values: readonly ComparedValue[]): string =>
  values.map((value) => `${value.name}=${valueText(value)}`).join(' ');

/** A call or a fact in words. */
export const itemText = (item: Item): string => {
  if (item.node === 'call') {
    const results =
      item.results === null || item.results.length === 0 ? '' : ` → ${valuesText(item.results)}`;
    return `${item.fn}(${valuesText(item.args)})${results}`;
  }
  const fields = Object.entries(item.fields).map(([name, value]) => `${name}=${value}`);
  const run = item.run === null ? [] : [`bytes=${item.run.bytes}`];
  return [item.kind, ...fields, ...run].join(' ');
};

/** What kind of difference a call makes that only one trace has: by the weightiest fact in it. */
const kindOf = (item: Item): DifferenceKind => {
  if (item.node === 'fact') return item.makes;
  let best: DifferenceKind = 'call';
  for (const child of item.children) {
    const kind = kindOf(child);
    if (DIFFERENCE_KINDS.indexOf(kind) < DIFFERENCE_KINDS.indexOf(best)) best = kind;
  }
  return best;
};

/** By which name a difference goes: the call that does it, where the other trace does not show that, or itself. */
const nameOf = (item: Item): string => item.via ?? (item.node === 'call' ? item.fn : item.kind);

interface Place {
  readonly calls: readonly CallNode[];
  readonly items: readonly Item[];
}

/** Where an item stands, or (null) where it is missing after `index` items. */
const sideOf = (place: Place, item: Item | null, index: number): Side => ({
  seq: item?.seq ?? place.items[index - 1]?.seq ?? place.calls[0]?.seq ?? 0,
  calls: place.calls.map(({ fn }) => fn),
  what: item === null ? null : itemText(item),
  before: place.items.slice(Math.max(0, index - CONTEXT), index).map(itemText),
});

/** What has been paired so far, for as long as the comparison of two traces lasts. */
export interface Paired {
  readonly areas: Renaming;
  readonly programs: Renaming;
  /** Pairs of addresses that differ and were reported. */
  readonly displaced: Set<string>;
}

export const newPaired = (): Paired => ({ areas: renaming(), programs: renaming(), displaced: new Set() });

class Comparison {
  readonly differences: Difference[] = [];
  readonly scope: Scope;

  constructor(
    private readonly projections: Projections,
    paired: Paired,
  ) {
    this.scope = {
      names: { areas: paired.areas, programs: paired.programs, pointers: renaming() },
      otherLengths: false,
      choices: 0,
      reported: new Set(),
      displaced: paired.displaced,
      follows: 0,
    };
  }

  /** Two calls of the same function. */
  calls(a: CallNode, b: CallNode, outerA: readonly CallNode[], outerB: readonly CallNode[]): void {
    const args = differingValues(a.args, b.args, this.scope);
    if (args.length > 0) this.#values('argument', args, a, b, outerA, outerB);
    const [inA, inB] = [
      [a, ...outerA],
      [b, ...outerB],
    ];
    this.#items(
      { calls: inA, items: itemsOf(a, this.projections.a) },
      { calls: inB, items: itemsOf(b, this.projections.b) },
    );
    if (a.results === null || b.results === null) return;
    const results = differingValues(a.results, b.results, this.scope);
    if (results.length > 0)
      this.#values(
        isError(a, results) !== isError(b, results) ? 'error' : 'result',
        results,
        a,
        b,
        outerA,
        outerB,
      );
  }

  #values(
    kind: DifferenceKind,
    names: readonly string[],
    a: CallNode,
    b: CallNode,
    outerA: readonly CallNode[],
    outerB: readonly CallNode[],
  ): void {
    this.differences.push({
      kind,
      name: `${a.fn} ${names.join(', ')}`,
      in: outerA[0]?.fn ?? '',
      only: null,
      a: sideOf({ calls: outerA, items: [] }, a, 0),
      b: sideOf({ calls: outerB, items: [] }, b, 0),
    });
  }

  #items(a: Place, b: Place): void {
    const pairs = align(a.items, b.items, keyOf);
    const alone: Pair<Item>[] = [];
    let i = 0;
    let j = 0;
    for (const pair of pairs) {
      if (pair.a !== null && pair.b !== null) this.#pair(pair.a, pair.b, a, b, i, j);
      else {
        alone.push(pair);
        this.#alone(pair, a, b, i, j);
      }
      if (pair.a !== null) i++;
      if (pair.b !== null) j++;
    }
  }

  #pair(x: Item, y: Item, a: Place, b: Place, i: number, j: number): void {
    if (x.node === 'call' && y.node === 'call') {
      this.calls(x, y, a.calls, b.calls);
      return;
    }
    if (x.node !== 'fact' || y.node !== 'fact' || this.#sameFact(x, y)) return;
    this.differences.push({
      kind: x.makes,
      name: nameOf(x),
      in: a.calls[0]?.fn ?? '',
      only: null,
      a: sideOf(a, x, i),
      b: sideOf(b, y, j),
    });
  }

  #sameFact(x: FactNode, y: FactNode): boolean {
    const { scope } = this;
    if (scope.otherLengths) {
      // Sizes and places follow from the lengths of the images, which are choices.
      if (x.place !== null && y.place !== null) samePlacedAddress(x.place, y.place, scope.names);
      return true;
    }
    let same = true;
    for (const [name, value] of Object.entries(x.fields)) {
      const other = y.fields[name] ?? '';
      if (value !== other && isNews(value, other, scope)) same = false;
    }
    const [here, there] = [x.run?.bytes ?? 0, y.run?.bytes ?? 0];
    if (here !== there && isNews(here, there, scope)) same = false;
    if (x.place !== null && y.place !== null && !samePlaces(x.place, y.place, scope)) same = false;
    return same;
  }

  #alone(pair: Pair<Item>, a: Place, b: Place, i: number, j: number): void {
    const item = (pair.a ?? pair.b) as Item;
    // The same thing on the other side of what it is aligned with: another order.
    const other = (pair.a === null ? a : b).items;
    const here = (pair.a === null ? b : a).items;
    const key = keyOf(item);
    const count = (items: readonly Item[]): number => items.filter((known) => keyOf(known) === key).length;
    const moved = count(other) === count(here);
    if (moved && pair.a === null) return;
    this.differences.push({
      kind: moved ? 'order' : kindOf(item),
      name: nameOf(item),
      in: (pair.a === null ? b : a).calls[0]?.fn ?? '',
      only: moved ? null : pair.a === null ? 'b' : 'a',
      a: sideOf(a, pair.a, i),
      b: sideOf(b, pair.b, j),
    });
  }
}

/** Whether a call failed, by the values that differ. */
const isError = (call: CallNode, names: readonly string[]): boolean =>
  (call.results ?? []).some(
    ({ name, hi, lo, signed, place }) =>
      names.includes(name) &&
      ((signed && (lo | 0) < 0) ||
        (place !== null && hi === 0 && lo === 0) ||
        (hi === 0xffffffff && lo > 0xfffff000)),
  );

const sums = (pages: ReadonlyMap<string, number>): string =>
  [...pages]
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([what, count]) => `${what}: ${count} pages`)
    .join('; ');

const rootSide = (root: RootCall, what: string, seq: number = root.alias.first ?? root.last): Side => ({
  seq,
  calls: [root.call.fn],
  what: what === '' ? null : what,
  before: [],
});

/** What the direct map got: pages by what was set and cleared, splits unless the leaves met were small already. */
const aliasDifferences = (a: RootCall, b: RootCall): readonly Difference[] => {
  const differences: Difference[] = [];
  const [x, y] = [sums(a.alias.pages), sums(b.alias.pages)];
  const common = { name: 'direct map', in: a.call.fn } as const;
  if (x !== y)
    differences.push({ kind: 'permission', ...common, only: null, a: rootSide(a, x), b: rootSide(b, y) });
  const [m, n] = [a.alias.splits.length, b.alias.splits.length];
  const excused = m < n ? a.alias.small > 0 : b.alias.small > 0;
  if (m !== n && !excused)
    differences.push({
      kind: 'split',
      ...common,
      only: m === 0 ? 'b' : n === 0 ? 'a' : null,
      a: rootSide(a, m === 0 ? '' : `${m} large leaves split`, a.alias.splits[0]),
      b: rootSide(b, n === 0 ? '' : `${n} large leaves split`, b.alias.splits[0]),
    });
  return differences;
};

/** Compares two root calls of the same function; pointers are paired anew. */
export const compareRoots = (
  a: RootCall,
  b: RootCall,
  projections: Projections,
  paired: Paired,
): RootComparison => {
  const comparison = new Comparison(projections, paired);
  comparison.calls(a.call, b.call, [], []);
  const { otherLengths, choices, follows } = comparison.scope;
  const alias = otherLengths ? [] : aliasDifferences(a, b);
  return {
    differences: [...comparison.differences, ...alias].sort((x, y) => x.a.seq - y.a.seq || x.b.seq - y.b.seq),
    choices,
    follows,
  };
};
