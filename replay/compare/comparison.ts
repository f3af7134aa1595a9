/** Two call trees compared: what one does and the other does not. */
import { align, type Pair } from './align.js';
import { Ask, YES, type Scope } from './decisions.js';
import type { Difference, Pattern } from './differences.js';
import type { DifferenceKind } from './facts.js';
import { makesPack, MOST_HELD, reportHeld, type Comparing, type Held } from './held.js';
import type { RootCall } from './roots.js';
import { cutAlike, mayBeCut } from './runs.js';
import { differenceAt, kindOf, nameOf, rowsOf, sideOf, type At, type Inside } from './told.js';
import { noTrail, type Trail } from './trail.js';
import type { CallNode, FactField, FactNode, Item } from './tree.js';
import {
  differingValues,
  failsApart,
  isNews,
  sameAddresses,
  sameBytes,
  samePlaces,
  type Deciding,
} from './values.js';

export class Comparison {
  failed = false;
  /** What makes packs was put aside: what the direct map got from it comes with it. */
  hasHeld = false;
  readonly #frames: At[] = [];
  /** Those whose values are compared: root calls from before, while what was put aside is compared. */
  #deciding: Deciding;

  constructor(
    private readonly comparing: Comparing,
    private readonly rootA: RootCall,
    private readonly rootB: RootCall,
    private readonly scope: Scope,
    private readonly trail: Trail,
  ) {
    this.#deciding = { a: rootA, b: rootB, scope, trail };
  }

  /** Two calls of the same function. */
  calls(a: CallNode, b: CallNode, outerA: readonly CallNode[], outerB: readonly CallNode[]): void {
    const args = differingValues(a.args, b.args, this.#deciding);
    if (args.length > 0) this.#values('argument', args, a, b, outerA, outerB);
    const insideA = { root: this.rootA, calls: [a, ...outerA], items: a.children };
    const insideB = { root: this.rootB, calls: [b, ...outerB], items: b.children };
    const failure = failsApart(a, b, this.#deciding);
    if (failure === null && sameKeys(a.children, b.children)) this.#alike(insideA, insideB);
    else this.#apart(insideA, insideB, failure, a, b, outerA, outerB);
    if (a.results === null || b.results === null) return;
    const results = differingValues(a.results, b.results, this.#deciding);
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
    // Where runs of facts are cut goes by their lengths.
    if (mayBeCut(a.children, b.children)) this.trail.spoil();
    const [itemsA, itemsB] = cutAlike(a.children, b.children);
    const insideA = { ...wholeA, items: itemsA };
    const insideB = { ...wholeB, items: itemsB };
    const pairs = align(insideA.items, insideB.items, keyOf);
    // An error is that of the innermost call that fails; what comes after it follows.
    if (
      failure !== null &&
      !pairs.some((pair) => bothCalls(pair) && failsApart(pair.a, pair.b, this.#deciding) !== null)
    ) {
      this.#values('error', failure, a, b, outerA, outerB);
      this.failed = true;
    }
    this.#items(pairs, insideA, insideB);
  }

  #report(pattern: Pattern, a: Item | null, b: Item | null, whole: () => Difference): void {
    if (this.failed) {
      this.scope.follows++;
      return;
    }
    this.trail.report({ pattern, i: a?.slot ?? -1, j: b?.slot ?? -1 });
    this.comparing.report(pattern, a?.seq ?? 0, b?.seq ?? 0, whole);
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
    this.#report(pattern, a, b, () => {
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
    this.trail.spoil();
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
    const { scope } = this;
    const deciding = this.#deciding;
    const wasOther = scope.otherLayout;
    scope.otherLayout = false;
    this.#deciding = {
      a: insideA.root,
      b: insideB.root,
      scope,
      trail: noTrail(insideA.root, insideB.root, scope),
    };
    this.#items(align(left.items, right.items, keyOf), insideA, insideB);
    this.#deciding = deciding;
    scope.otherLayout = wasOther;
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
    this.#report(pattern, x, y, () => differenceAt(pattern, at, this.comparing.context));
  }

  #sameFact(x: FactNode, y: FactNode): boolean {
    const pair = this.#deciding;
    const { scope, trail } = pair;
    if (scope.otherLengths) {
      // Sizes and places follow from the lengths of the images, which are choices.
      if (x.place !== null && y.place !== null) sameAddresses(x.place, y.place, pair);
      return true;
    }
    let same = true;
    for (const [i, { isText, slot }] of x.fields.entries()) {
      // Facts of one key have the same fields.
      const other = (y.fields[i] as FactField).slot;
      if (trail.decide(isText ? Ask.texts : Ask.numbers, slot, other) === YES) continue;
      if (isNews(isText ? Ask.newsOfTexts : Ask.newsOfNumbers, slot, other, pair)) same = false;
    }
    if (!sameBytes(x, y, pair)) same = false;
    if (x.place !== null && y.place !== null && !samePlaces(x.place, y.place, pair)) same = false;
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
    this.#report(pattern, pair.a, pair.b, () => differenceAt(pattern, at, this.comparing.context));
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
