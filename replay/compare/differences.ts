/** Two root calls compared: what one does and the other does not. */
import { align, type Pair } from './align.js';
import { renaming, samePlacedAddress, type Renaming } from './addresses.js';
import { DIFFERENCE_KINDS, type DifferenceKind, type FactNode } from './facts.js';
import type { During } from './landmarks.js';
import { cutAlike } from './runs.js';
import type { CallNode, Item, RootCall } from './tree.js';
import { differingValues, isNews, samePlaces, valueText, type ComparedValue, type Scope } from './values.js';

/** Where a difference shows in one trace. */
export interface Side {
  /** The event: of what differs, or of the call in which it is missing. */
  readonly seq: number;
  /** The marker or operation it happened in; null: there was none before. */
  readonly during: During | null;
  /** Calls around it, innermost first. */
  readonly calls: readonly string[];
  /** What there is, in words; null: nothing. */
  readonly what: string | null;
  /** What came before it in the same call, the nearest last. */
  readonly before: readonly string[];
}

/** A line of both traces side by side; null: that one has nothing there. */
export interface Row {
  readonly a: string | null;
  readonly b: string | null;
  /** Both have it, and alike. */
  readonly same: boolean;
}

/** By what differences are grouped: they are of one pattern. */
export interface Pattern {
  readonly kind: DifferenceKind;
  /** The call or fact that differs. */
  readonly name: string;
  /** The call it is in; empty for a root call. */
  readonly in: string;
  /** Which trace alone has it; null: both, but not alike. */
  readonly only: 'a' | 'b' | null;
}

/** A difference that means something: not a choice, not another address. */
export interface Difference extends Pattern {
  readonly a: Side;
  readonly b: Side;
  /** What is around it in its call, in both traces. */
  readonly rows: readonly Row[];
}

/** Is told of each difference found: its pattern, its events in both traces (0: nothing there), and a way to have all of it. */
export type Report = (pattern: Pattern, a: number, b: number, whole: () => Difference) => void;

export interface RootComparison {
  /** Choices that differed. */
  readonly choices: number;
  /** Values that differ because others do, and steps that are there or not because a call failed. */
  readonly follows: number;
  /** A call failed in one of the two only. */
  readonly failed: boolean;
}

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

/** The inside of a call. */
interface Inside {
  readonly root: RootCall;
  /** The call and those around it, innermost first. */
  readonly calls: readonly CallNode[];
  readonly items: readonly Item[];
}

/** Where in the alignment of two insides something is. */
interface At {
  readonly a: Inside;
  readonly b: Inside;
  readonly pairs: readonly Pair<Item>[];
  readonly index: number;
}

/** What one trace does in some call and the other, whose packs fill up otherwise, does in another one. */
interface Held {
  readonly at: At;
  readonly items: readonly Item[];
}

const MOST_HELD = 256;

/** What has been paired so far, for as long as the comparison of two traces lasts. */
export interface Paired {
  readonly areas: Renaming;
  readonly programs: Renaming;
  /** Pairs of addresses that differ and were reported. */
  readonly displaced: Set<string>;
  /** Images have other lengths, or packs were filled otherwise before the first event: where chunks lie, and which call needs a new pack, follows from that. */
  otherLayout: boolean;
  /** By the calls it happened in: what waits for its counterpart in a later root call. */
  readonly held: Map<string, { readonly a: Held[]; readonly b: Held[] }>;
}

export const newPaired = (otherLayout = false): Paired => ({
  areas: renaming(),
  programs: renaming(),
  displaced: new Set(),
  otherLayout,
  held: new Map(),
});

/** What of a comparison does not change from root call to root call. */
export interface Comparing {
  readonly paired: Paired;
  readonly report: Report;
  /** Lines around a difference. */
  readonly context: number;
}

const makesPack = (item: Item): boolean =>
  item.node === 'fact'
    ? item.kind === 'pack-created' || item.kind === 'pack-removed'
    : item.children.some(makesPack);

class Comparison {
  readonly scope: Scope;
  failed = false;
  /** What makes packs was put aside: what the direct map got from it comes with it. */
  hasHeld = false;
  readonly #frames: At[] = [];

  constructor(
    private readonly comparing: Comparing,
    private readonly rootA: RootCall,
    private readonly rootB: RootCall,
  ) {
    const { paired } = comparing;
    this.scope = {
      names: { areas: paired.areas, programs: paired.programs, pointers: renaming() },
      otherLengths: false,
      otherLayout: paired.otherLayout,
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
    const insideA = { root: this.rootA, calls: [a, ...outerA], items: a.children };
    const insideB = { root: this.rootB, calls: [b, ...outerB], items: b.children };
    const failure = failsApart(a, b);
    if (failure === null && sameKeys(a.children, b.children)) this.#alike(insideA, insideB);
    else this.#apart(insideA, insideB, failure, a, b, outerA, outerB);
    if (a.results === null || b.results === null) return;
    const results = differingValues(a.results, b.results, this.scope);
    if (results.length === 0 || failure !== null) return;
    this.#values('result', results, a, b, outerA, outerB);
  }

  /** The insides of two calls that hold the same steps in the same order. */
  #alike(a: Inside, b: Inside): void {
    let pairs: readonly Pair<Item>[] | null = null;
    const at = {
      a,
      b,
      index: 0,
      // Needed only where something differs.
      get pairs() {
        pairs ??= a.items.map((item, i) => ({ a: item, b: b.items[i] as Item }));
        return pairs;
      },
    };
    for (; at.index < a.items.length; at.index++)
      this.#pair(a.items[at.index] as Item, b.items[at.index] as Item, at);
  }

  #apart(
    wholeA: Inside,
    wholeB: Inside,
    failure: readonly string[] | null,
    a: CallNode,
    b: CallNode,
    outerA: readonly CallNode[],
    outerB: readonly CallNode[],
  ): void {
    const [itemsA, itemsB] = cutAlike(a.children, b.children);
    const insideA = { ...wholeA, items: itemsA };
    const insideB = { ...wholeB, items: itemsB };
    const pairs = align(insideA.items, insideB.items, keyOf);
    // An error is that of the innermost call that fails; what comes after it follows.
    if (failure !== null && !pairs.some((pair) => bothCalls(pair) && failsApart(pair.a, pair.b) !== null)) {
      this.#values('error', failure, a, b, outerA, outerB);
      this.failed = true;
    }
    this.#items(pairs, insideA, insideB);
  }

  #report(pattern: Pattern, a: number, b: number, whole: () => Difference): void {
    if (this.failed) this.scope.follows++;
    else this.comparing.report(pattern, a, b, whole);
  }

  #values(
    kind: DifferenceKind,
    names: readonly string[],
    a: CallNode,
    b: CallNode,
    outerA: readonly CallNode[],
    outerB: readonly CallNode[],
  ): void {
    const pattern: Pattern = {
      kind,
      name: `${a.fn} ${names.join(', ')}`,
      in: outerA[0]?.fn ?? '',
      only: null,
    };
    const frame = this.#frames.at(-1);
    this.#report(pattern, a.seq, b.seq, () => {
      const { context } = this.comparing;
      const at: At = frame ?? {
        a: { root: this.rootA, calls: outerA, items: [] },
        b: { root: this.rootB, calls: outerB, items: [] },
        pairs: [{ a, b }],
        index: 0,
      };
      return {
        ...pattern,
        a: sideOf(at, 'a', a, context),
        b: sideOf(at, 'b', b, context),
        rows: rowsOf(at, context),
      };
    });
  }

  #items(pairs: readonly Pair<Item>[], a: Inside, b: Inside): void {
    const alone: number[] = [];
    for (const [index, pair] of pairs.entries()) if (pair.a === null || pair.b === null) alone.push(index);
    const held = alone.length > 0 && this.#hold(pairs, alone, a, b);
    for (const [index, pair] of pairs.entries()) {
      const at: At = { a, b, pairs, index };
      if (pair.a !== null && pair.b !== null) this.#pair(pair.a, pair.b, at);
      else if (!held) this.#alone(pair, at);
    }
  }

  /** Puts aside what makes or removes a pack in one trace only, where the other is to do the same in another call; compares what was put aside before. */
  #hold(pairs: readonly Pair<Item>[], alone: readonly number[], a: Inside, b: Inside): boolean {
    const { paired } = this.comparing;
    if (!this.scope.otherLayout || this.failed) return false;
    const items = alone.map((index) => pairs[index] as Pair<Item>);
    const only = items.every((pair) => pair.b === null)
      ? 'a'
      : items.every((pair) => pair.a === null)
        ? 'b'
        : null;
    if (only === null) return false;
    const own = items.map((pair) => (pair.a ?? pair.b) as Item);
    if (!own.some(makesPack)) return false;
    this.hasHeld = true;
    const chain = a.calls.map(({ fn }) => fn).join(' ');
    const waiting = paired.held.get(chain) ?? { a: [], b: [] };
    paired.held.set(chain, waiting);
    const now: Held = { at: { a, b, pairs, index: alone[0] as number }, items: own };
    const other = waiting[only === 'a' ? 'b' : 'a'].shift();
    if (other === undefined) {
      waiting[only].push(now);
      if (waiting[only].length > MOST_HELD) reportHeld(waiting[only].shift() as Held, only, this.comparing);
      return true;
    }
    const [left, right] = only === 'a' ? [now, other] : [other, now];
    const insideA = { ...left.at.a, items: left.items };
    const insideB = { ...right.at.b, items: right.items };
    const wasOther = this.scope.otherLayout;
    this.scope.otherLayout = false;
    this.#items(align(left.items, right.items, keyOf), insideA, insideB);
    this.scope.otherLayout = wasOther;
    return true;
  }

  #pair(x: Item, y: Item, at: At): void {
    if (x.node === 'call' && y.node === 'call') {
      this.#frames.push(at);
      this.calls(x, y, at.a.calls, at.b.calls);
      this.#frames.pop();
      return;
    }
    if (x.node !== 'fact' || y.node !== 'fact' || this.#sameFact(x, y)) return;
    const pattern: Pattern = { kind: x.makes, name: nameOf(x), in: at.a.calls[0]?.fn ?? '', only: null };
    this.#report(pattern, x.seq, y.seq, () => differenceAt(pattern, at, this.comparing.context));
  }

  #sameFact(x: FactNode, y: FactNode): boolean {
    const { scope } = this;
    if (scope.otherLengths) {
      // Sizes and places follow from the lengths of the images, which are choices.
      if (x.place !== null && y.place !== null) samePlacedAddress(x.place, y.place, scope.names);
      return true;
    }
    let same = true;
    for (const name in x.fields) {
      const value = x.fields[name] as number | string;
      const other = y.fields[name] ?? '';
      if (value !== other && isNews(value, other, scope)) same = false;
    }
    const [here, there] = [x.run?.bytes ?? 0, y.run?.bytes ?? 0];
    if (here !== there && isNews(here, there, scope)) same = false;
    if (x.place !== null && y.place !== null && !samePlaces(x.place, y.place, scope)) same = false;
    return same;
  }

  #alone(pair: Pair<Item>, at: At): void {
    const item = (pair.a ?? pair.b) as Item;
    const { a, b } = at;
    // The same thing on the other side of what it is aligned with: another order.
    const key = item.key;
    const count = (items: readonly Item[]): number =>
      items.reduce((sum, known) => sum + (known.key === key ? 1 : 0), 0);
    const moved = count(a.items) === count(b.items);
    if (moved && pair.a === null) return;
    const pattern: Pattern = {
      kind: moved ? 'order' : kindOf(item),
      name: nameOf(item),
      in: (pair.a === null ? b : a).calls[0]?.fn ?? '',
      only: moved ? null : pair.a === null ? 'b' : 'a',
    };
    this.#report(pattern, pair.a?.seq ?? 0, pair.b?.seq ?? 0, () =>
      differenceAt(pattern, at, this.comparing.context),
    );
  }
}

const keyOf = ({ key }: Item): string => key;

const sameKeys = (a: readonly Item[], b: readonly Item[]): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if ((a[i] as Item).key !== (b[i] as Item).key) return false;
  return true;
};

const bothCalls = (pair: Pair<Item>): pair is { readonly a: CallNode; readonly b: CallNode } =>
  pair.a?.node === 'call' && pair.b?.node === 'call';

/** What was put aside and has found no counterpart: one trace alone does it. */
const reportHeld = ({ at, items }: Held, only: 'a' | 'b', { report, context }: Comparing): void => {
  for (const [offset, pair] of at.pairs.entries()) {
    const item = only === 'a' ? pair.a : pair.b;
    if (item === null || !items.includes(item)) continue;
    const pattern: Pattern = {
      kind: kindOf(item),
      name: nameOf(item),
      in: at[only].calls[0]?.fn ?? '',
      only,
    };
    report(pattern, pair.a?.seq ?? 0, pair.b?.seq ?? 0, () =>
      differenceAt(pattern, { ...at, index: offset }, context),
    );
  }
};

/** Reports what is still put aside: no counterpart is to come. */
export const reportAllHeld = (comparing: Comparing): void => {
  for (const waiting of comparing.paired.held.values())
    for (const only of ['a', 'b'] as const)
      for (const held of waiting[only].splice(0)) reportHeld(held, only, comparing);
};

const sideOf = (at: At, which: 'a' | 'b', item: Item | null, context: number): Side => {
  const { root, calls } = at[which];
  const before: Item[] = [];
  for (let i = at.index - 1; i >= 0 && before.length < context; i--) {
    const earlier = at.pairs[i]?.[which];
    if (earlier !== null && earlier !== undefined) before.unshift(earlier);
  }
  return {
    seq:
      item?.seq ??
      at.pairs.slice(0, at.index).findLast((pair) => pair[which] !== null)?.[which]?.seq ??
      calls[0]?.seq ??
      root.call.seq,
    during: duringOf(root),
    calls: calls.map(({ fn }) => fn),
    what: item === null ? null : itemText(item),
    before: before.map(itemText),
  };
};

export const duringOf = ({ during }: RootCall): During | null =>
  during === null ? null : { seq: during.seq, text: during.text };

const rowsOf = (at: At, context: number): readonly Row[] =>
  at.pairs.slice(Math.max(0, at.index - context), at.index + context + 1).map((pair, i) => ({
    a: pair.a === null ? null : itemText(pair.a),
    b: pair.b === null ? null : itemText(pair.b),
    same: pair.a !== null && pair.b !== null && Math.max(0, at.index - context) + i !== at.index,
  }));

const differenceAt = (pattern: Pattern, at: At, context: number): Difference => {
  const pair = at.pairs[at.index];
  return {
    ...pattern,
    a: sideOf(at, 'a', pair?.a ?? null, context),
    b: sideOf(at, 'b', pair?.b ?? null, context),
    rows: rowsOf(at, context),
  };
};

/** The results by which one of two calls failed and the other did not; null: they did not part there. */
const failsApart = (a: CallNode, b: CallNode): readonly string[] | null => {
  if (a.results === null || b.results === null) return null;
  const names = a.results
    .map(({ name }) => name)
    .filter((name) => b.results?.some((other) => other.name === name));
  const apart = names.filter((name) => isError(a, [name]) !== isError(b, [name]));
  return apart.length === 0 ? null : apart;
};

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

const rootSide = (root: RootCall, what: string, seq: number): Side => ({
  seq,
  during: duringOf(root),
  calls: [root.call.fn],
  what: what === '' ? null : what,
  before: [],
});

/** What the direct map got: pages by what was set and cleared, splits unless the leaves met were small already. Gives the number of choices that differ. */
const aliasDifferences = (a: RootCall, b: RootCall, report: Report): number => {
  const found = (
    kind: DifferenceKind,
    only: Pattern['only'],
    texts: readonly [string, string],
    seqs: readonly [number, number],
  ): void => {
    const pattern: Pattern = { kind, name: 'direct map', in: a.call.fn, only };
    report(pattern, only === 'b' ? 0 : seqs[0], only === 'a' ? 0 : seqs[1], () => ({
      ...pattern,
      a: rootSide(a, texts[0], seqs[0]),
      b: rootSide(b, texts[1], seqs[1]),
      rows: [{ a: texts[0] || null, b: texts[1] || null, same: false }],
    }));
  };
  if (a.alias.pages.size > 0 || b.alias.pages.size > 0) {
    const [x, y] = [sums(a.alias.pages), sums(b.alias.pages)];
    if (x !== y) found('permission', null, [x, y], [a.alias.first ?? a.last, b.alias.first ?? b.last]);
  }
  const [m, n] = [a.alias.splits.length, b.alias.splits.length];
  const excused = m < n ? a.alias.small > 0 : b.alias.small > 0;
  if (m === n || excused) return 0;
  // In how many large leaves the frames lie is a choice.
  if (m > 0 && n > 0) return 1;
  found(
    'split',
    m === 0 ? 'b' : 'a',
    [m === 0 ? '' : `${m} large leaves split`, n === 0 ? '' : `${n} large leaves split`],
    [a.alias.splits[0] ?? a.alias.first ?? a.last, b.alias.splits[0] ?? b.alias.first ?? b.last],
  );
  return 0;
};

/** Compares two root calls of the same function; pointers are paired anew. */
export const compareRoots = (a: RootCall, b: RootCall, comparing: Comparing): RootComparison => {
  const comparison = new Comparison(comparing, a, b);
  comparison.calls(a.call, b.call, [], []);
  const { otherLengths, choices, follows } = comparison.scope;
  if (otherLengths) comparing.paired.otherLayout = true;
  const isToldBySteps = !otherLengths && !comparison.failed && !comparison.hasHeld;
  const leaves = isToldBySteps ? aliasDifferences(a, b, comparing.report) : 0;
  return { choices: choices + leaves, follows, failed: comparison.failed };
};
