import { Address } from '../../core/value/address.js';
import type { FactNode } from './facts.js';
import type { Item } from './tree.js';

const sameFields = (a: FactNode, b: FactNode): boolean => {
  for (const name in a.fields) if (b.fields[name] !== a.fields[name]) return false;
  return true;
};

/** Facts about neighbouring memory, told one after the other, are one: whether `fact` went into the last of `items`. */
export const merge = (items: Item[], fact: FactNode): boolean => {
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
