import { Address } from '../../core/value/address.js';
import type { FactNode } from './facts.js';
import type { Projection } from './shown.js';
import type { CallNode } from './tree.js';

/** What a call holds when calls that do not stand for themselves are looked through. */
export type Item = CallNode | FactNode;

const sameFields = (a: FactNode, b: FactNode): boolean =>
  Object.entries(a.fields).every(([name, value]) => b.fields[name] === value);

/** Facts about neighbouring memory, told one after the other, are one. */
const merge = (items: Item[], fact: FactNode): boolean => {
  const last = items.at(-1);
  if (
    last === undefined ||
    last.node !== 'fact' ||
    last.run === null ||
    fact.run === null ||
    last.key !== fact.key ||
    !sameFields(last, fact) ||
    last.via !== fact.via ||
    Address.minus(fact.run.first, last.run.first) !== last.run.bytes
  )
    return false;
  items[items.length - 1] = {
    ...last,
    run: { first: last.run.first, bytes: last.run.bytes + fact.run.bytes },
  };
  return true;
};

const gather = (
  call: CallNode,
  caller: string,
  via: string | null,
  projection: Projection,
  into: Item[],
): void => {
  for (const child of call.children) {
    if (child.node === 'fact') {
      child.via = via;
      if (!merge(into, child)) into.push(child);
    } else if (projection.keeps(caller, child.fn)) {
      child.via = via;
      into.push(child);
    } else gather(child, caller, via ?? child.fn, projection, into);
  }
};

/** The calls and facts in a call, in order. */
export const itemsOf = (call: CallNode, projection: Projection): readonly Item[] => {
  const items: Item[] = [];
  gather(call, call.fn, null, projection, items);
  return items;
};

/** Root calls that stand for themselves: the call itself, or those in it. */
export const rootsOf = (call: CallNode, projection: Projection): readonly CallNode[] => {
  if (projection.keeps('', call.fn)) return [call];
  const items: Item[] = [];
  gather(call, '', call.fn, projection, items);
  return items.filter((item) => item.node === 'call');
};

/** Items with the same key may stand for each other. */
export const keyOf = (item: Item): string => (item.node === 'call' ? `call ${item.fn}` : item.key);
