import type { KernelSymbol, Memory } from '../core/memory/memory.js';
import { SparseMap } from '../core/memory/sparse.js';
import { Address } from '../core/value/address.js';
import { sameSymbol } from './diffStates.js';
import { found, type Found } from './found.js';

export interface ShownSymbol {
  readonly start: string;
  readonly end: string;
  readonly name: string;
}

const shownSymbol = ({ start, end, name }: KernelSymbol): ShownSymbol => ({
  start: Address.toText(start),
  end: Address.toText(end),
  name,
});

const looksSame = (a: KernelSymbol, b: KernelSymbol): boolean =>
  Address.equals(a.start, b.start) && Address.equals(a.end, b.end) && a.name === b.name;

const without = (
  list: readonly KernelSymbol[],
  other: readonly KernelSymbol[],
  same: (a: KernelSymbol, b: KernelSymbol) => boolean,
): readonly KernelSymbol[] => list.filter((symbol) => !other.some((o) => same(symbol, o)));

const NONE: readonly KernelSymbol[] = [];

/** Symbols that came and that went. What looks the same before and after, though it was taken away and put back, is neither. */
export const changedSymbols = (
  a: Memory,
  b: Memory,
): { readonly added: Found<ShownSymbol>; readonly removed: Found<ShownSymbol> } => {
  const added: KernelSymbol[] = [];
  const removed: KernelSymbol[] = [];
  // Symbols that look the same begin in the same page, so each page is told alone.
  for (const [, from = NONE, to = NONE] of SparseMap.changes(a.symbols, b.symbols)) {
    const gone = from.length === 0 || to.length === 0 ? from : without(from, to, sameSymbol);
    const come = from.length === 0 || to.length === 0 ? to : without(to, from, sameSymbol);
    for (const symbol of come.length === 0 || gone.length === 0 ? come : without(come, gone, looksSame))
      added.push(symbol);
    for (const symbol of come.length === 0 || gone.length === 0 ? gone : without(gone, come, looksSame))
      removed.push(symbol);
  }
  return {
    added: found(added.length, () => added.map(shownSymbol)),
    removed: found(removed.length, () => removed.map(shownSymbol)),
  };
};
