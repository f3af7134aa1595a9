/** Differences with what is around them, in words. */
import { Word } from '../../core/value/words.js';
import { textIn } from './decisions.js';
import type { Difference, Pattern, Row, Side } from './differences.js';
import { DIFFERENCE_KINDS, type DifferenceKind } from './facts.js';
import type { During } from './landmarks.js';
import type { Pair } from './align.js';
import type { RootCall } from './roots.js';
import { Placed } from './shape.js';
import type { CallNode, ComparedValue, FactField, Item } from './tree.js';

/** A value as a report shows it. */
const valueText = (root: RootCall, { slot, form, text, signed }: ComparedValue): string => {
  if (text >= 0) return JSON.stringify(textIn(root, text));
  const hi = root.slots[root.first + slot] as number;
  const lo = root.slots[root.first + slot + 1] as number;
  if (form !== Placed.none) return Word.toHex({ hi, lo });
  if (signed) return String(lo | 0);
  return hi === 0 && lo < 0x10000 ? String(lo) : Word.toHex({ hi, lo });
};

const valuesText = (root: RootCall, values: readonly ComparedValue[]): string =>
  values.map((value) => `${value.name}=${valueText(root, value)}`).join(' ');

const fieldText = (root: RootCall, { name, isText, slot }: FactField): string =>
  `${name}=${isText ? textIn(root, slot) : (root.slots[root.first + slot] as number)}`;

/** A call or a fact in words. */
export const itemText = (root: RootCall, item: Item): string => {
  if (item.node === 'call') {
    const results =
      item.results === null || item.results.length === 0 ? '' : ` → ${valuesText(root, item.results)}`;
    return `${item.fn}(${valuesText(root, item.args)})${results}`;
  }
  const fields = item.fields.map((field) => fieldText(root, field));
  const run = item.run === null ? [] : [`bytes=${item.run.bytes}`];
  return [item.kind, ...fields, ...run].join(' ');
};

/** What kind of difference a call makes that only one trace has: by the weightiest fact in it. */
export const kindOf = (item: Item): DifferenceKind => {
  if (item.node === 'fact') return item.makes;
  let best: DifferenceKind = 'call';
  for (const child of item.children) {
    const kind = kindOf(child);
    if (DIFFERENCE_KINDS.indexOf(kind) < DIFFERENCE_KINDS.indexOf(best)) best = kind;
  }
  return best;
};

/** By which name a difference goes: the call that does it, where the other trace does not show that, or itself. */
export const nameOf = (item: Item): string => item.via ?? (item.node === 'call' ? item.fn : item.kind);

/** The inside of a call. */
export interface Inside {
  readonly root: RootCall;
  /** The call and those around it, innermost first. */
  readonly calls: readonly CallNode[];
  readonly items: readonly Item[];
}

/** Where in the alignment of two insides something is. */
export interface At {
  readonly a: Inside;
  readonly b: Inside;
  readonly pairs: readonly Pair<Item>[];
  readonly index: number;
}

export const sideOf = (at: At, which: 'a' | 'b', item: Item | null, context: number): Side => {
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
      root.seq,
    during: duringOf(root),
    calls: calls.map(({ fn }) => fn),
    what: item === null ? null : itemText(root, item),
    before: before.map((earlier) => itemText(root, earlier)),
  };
};

export const duringOf = ({ during }: RootCall): During | null =>
  during === null ? null : { seq: during.seq, text: during.text };

export const rowsOf = (at: At, context: number): readonly Row[] =>
  at.pairs.slice(Math.max(0, at.index - context), at.index + context + 1).map((pair, i) => ({
    a: pair.a === null ? null : itemText(at.a.root, pair.a),
    b: pair.b === null ? null : itemText(at.b.root, pair.b),
    same: pair.a !== null && pair.b !== null && Math.max(0, at.index - context) + i !== at.index,
  }));

export const differenceAt = (pattern: Pattern, at: At, context: number): Difference => {
  const pair = at.pairs[at.index];
  return {
    ...pattern,
    a: sideOf(at, 'a', pair?.a ?? null, context),
    b: sideOf(at, 'b', pair?.b ?? null, context),
    rows: rowsOf(at, context),
  };
};
