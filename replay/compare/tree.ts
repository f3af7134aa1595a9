/** The call tree of a root call, made of its slots: what a comparison shows, and what it goes by where the shapes differ. */
import type { EventKind } from '../../core/event/event.js';
import { Address } from '../../core/value/address.js';
import type { DifferenceKind, Run } from './facts.js';

import type { RootCall } from './roots.js';
import { slotsOf, slotsOfStep, TEXT, type Part, type Step, type ValueColumn } from './shape.js';

/** What a call holds. */
export type Item = CallNode | FactNode;

/** A value of a call line that two traces are compared by: what it is, and where it lies. */
export interface ComparedValue extends ValueColumn {
  readonly slot: number;
  readonly form: number;
  /** Slot of its text; -1: it is none. */
  readonly text: number;
}

/** A call in a tree. */
export interface CallNode {
  readonly node: 'call';
  readonly seq: number;
  /** Where its number lies. */
  readonly slot: number;
  readonly fn: string;
  /** Calls with the same one may stand for each other. */
  readonly key: string;
  readonly args: readonly ComparedValue[];
  results: readonly ComparedValue[] | null;
  /** The calls and facts in it, in order; calls that do not stand for themselves are looked through. */
  readonly children: Item[];
  /** Outermost call around it that the other trace does not show; null: none. */
  readonly via: string | null;
}

/** A field of a fact: where its number or text lies. */
export interface FactField {
  readonly name: string;
  readonly isText: boolean;
  readonly slot: number;
}

/** Where a fact is done: slot and form of an address. */
export interface FactPlace {
  readonly slot: number;
  readonly form: number;
}

/** A fact in the tree of calls. */
export interface FactNode {
  readonly node: 'fact';
  readonly seq: number;
  readonly slot: number;
  readonly kind: EventKind;
  readonly makes: DifferenceKind;
  /** Facts that may stand for each other have the same one. */
  readonly key: string;
  readonly fields: readonly FactField[];
  readonly place: FactPlace | null;
  /** What the fact is about, where that may be told in several facts one behind the other; else null. */
  readonly run: Run | null;
  /** Where its bytes lie; -1: it has no run, or is a part of one that was cut. */
  readonly bytesSlot: number;
  /** Outermost call around it that the other trace does not show; null: none. */
  readonly via: string | null;
}

const keys = new Map<string, string>();

const callKey = (fn: string): string => {
  let key = keys.get(fn);
  if (key === undefined) keys.set(fn, (key = `call ${fn}`));
  return key;
};

const valuesAt = (
  columns: readonly ValueColumn[],
  forms: readonly number[],
  from: number,
): readonly ComparedValue[] => {
  let slot = from;
  return columns.map((column, i) => {
    const form = forms[i] as number;
    const at = slot;
    slot += slotsOf(form);
    return { ...column, slot: at, form: form & 7, text: form & TEXT ? slot - 1 : -1 };
  });
};

const factAt = (part: Part & { readonly part: 'fact' }, step: Step, from: number, slots: Slots): FactNode => {
  const { kind, makes, key, via, hasRun, hasPlace } = part;
  const fields = part.fields.map(([name, isText], i) => ({ name, isText, slot: from + 1 + i }));
  const behind = from + 1 + fields.length;
  const run = hasRun
    ? { first: Address.of(slots.at(behind), slots.at(behind + 1)), bytes: slots.at(behind + 2) }
    : null;
  return {
    node: 'fact',
    seq: slots.at(from),
    slot: from,
    kind,
    makes,
    key,
    fields,
    place: hasPlace ? { slot: behind + (hasRun ? 3 : 0), form: step.forms[0] as number } : null,
    run,
    bytesSlot: hasRun ? behind + 2 : -1,
    via,
  };
};

interface Slots {
  readonly at: (slot: number) => number;
}

/** The tree of a root call. */
export const treeOf = (root: RootCall): CallNode => {
  const slots: Slots = { at: (slot) => root.slots[root.first + slot] as number };
  const calls: CallNode[] = [];
  let from = 0;
  for (const step of root.shape.steps) {
    const { part, node, forms } = step;
    if (part.part === 'enter') {
      const { fn, via, columns } = part;
      const args = valuesAt(columns, forms, from + 1);
      const call: CallNode = {
        node: 'call',
        seq: slots.at(from),
        slot: from,
        fn,
        key: callKey(fn),
        args,
        results: null,
        children: [],
        via,
      };
      calls[node]?.children.push(call);
      calls.push(call);
    } else if (part.part === 'return')
      (calls[node] as CallNode).results = valuesAt(part.columns, forms, from);
    else calls[node]?.children.push(factAt(part, step, from, slots));
    from += slotsOfStep(step);
  }
  return calls[root.shape.top] as CallNode;
};
