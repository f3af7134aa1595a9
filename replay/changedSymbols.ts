import type { KernelSymbol } from '../core/memory/memory.js';
import type { SymbolColumns } from '../core/memory/symbolColumns.js';
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

/** The symbols that begin in a page, as places in the columns. */
interface Page {
  readonly symbols: SymbolColumns;
  readonly first: number;
  readonly end: number;
}

const pageAt = (symbols: SymbolColumns, page: number): Page => ({
  symbols,
  first: symbols.firsts[page] as number,
  end: symbols.firsts[page + 1] as number,
});

/** What stands at the address of a symbol in the other memory. */
const NOTHING = 0;
const ALIKE = 1;
const OTHER = 2;

class Changes {
  readonly added: number[] = [];
  readonly removed: number[] = [];
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;

  constructor(a: SymbolColumns, b: SymbolColumns) {
    this.#before = new Uint8Array(a.offset.length);
    this.#after = new Uint8Array(b.offset.length);
  }

  add({ first, end }: Page): void {
    for (let i = first; i < end; i++) this.added.push(i);
  }

  remove({ first, end }: Page): void {
    for (let i = first; i < end; i++) this.removed.push(i);
  }

  /** A page as it was and is. */
  compare(from: Page, to: Page): void {
    if (!this.#match(from, to)) {
      this.#each(from, to);
      return;
    }
    for (let i = from.first; i < from.end; i++) if (this.#before[i] !== ALIKE) this.removed.push(i);
    for (let j = to.first; j < to.end; j++) if (this.#after[j] !== ALIKE) this.added.push(j);
  }

  /** Finds what stands at the same addresses; false where it is more than one. A page has few symbols, in no order. */
  #match({ symbols: a, first, end }: Page, { symbols: b, first: start, end: stop }: Page): boolean {
    for (let i = first; i < end; i++) {
      const offset = a.offset[i] as number;
      for (let j = start; j < stop; j++) {
        if (b.offset[j] !== offset) continue;
        if (this.#before[i] !== NOTHING || this.#after[j] !== NOTHING) return false;
        const alike =
          a.endOffset[i] === b.endOffset[j] && a.endPage[i] === b.endPage[j] && a.name(i) === b.name(j);
        this.#before[i] = this.#after[j] = alike ? ALIKE : OTHER;
      }
    }
    return true;
  }

  /** Of several at one address each that is the same takes no part; then each is held against all others. */
  #each(before: Page, after: Page): void {
    const from = placesOf(before);
    const to = placesOf(after);
    const gone = without(from, to, sameSymbol);
    const come = without(to, from, sameSymbol);
    for (const { place } of without(come, gone, looksSame)) this.added.push(place);
    for (const { place } of without(gone, come, looksSame)) this.removed.push(place);
  }
}

interface Placed {
  readonly place: number;
  readonly symbol: KernelSymbol;
}

const without = (list: readonly Placed[], other: readonly Placed[], same: typeof looksSame) =>
  list.filter(({ symbol }) => !other.some((o) => same(symbol, o.symbol)));

const placesOf = ({ symbols, first, end }: Page): readonly Placed[] =>
  Array.from({ length: end - first }, (_, i) => ({ place: first + i, symbol: symbols.symbol(first + i) }));

const told = (symbols: SymbolColumns, places: readonly number[]): Found<ShownSymbol> =>
  found(places.length, () => places.map((i) => shownSymbol(symbols.symbol(i))));

/** Symbols that came and that went. What looks the same before and after, though it was taken away and put back, is neither. */
export const changedSymbols = (
  a: SymbolColumns,
  b: SymbolColumns,
): { readonly added: Found<ShownSymbol>; readonly removed: Found<ShownSymbol> } => {
  const changes = new Changes(a, b);
  let i = 0;
  let j = 0;
  // Symbols that look the same begin in the same page, so each page is told alone.
  while (i < a.pages.length || j < b.pages.length) {
    const before = a.pages[i] ?? Infinity;
    const after = b.pages[j] ?? Infinity;
    if (before < after) changes.remove(pageAt(a, i++));
    else if (after < before) changes.add(pageAt(b, j++));
    else changes.compare(pageAt(a, i++), pageAt(b, j++));
  }
  return { added: told(b, changes.added), removed: told(a, changes.removed) };
};
