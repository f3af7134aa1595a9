/** What has been paired so far, and what waits for its counterpart in a later root call. */
import { renaming, type Renaming, type ShortRenaming } from './addresses.js';
import type { Pattern, Report } from './differences.js';
import { differenceAt, kindOf, nameOf, type At } from './told.js';
import type { Recall } from './trail.js';
import type { Item } from './tree.js';

/** What one trace does in some call and the other, whose packs fill up otherwise, does in another one. */
export interface Held {
  readonly at: At;
  readonly items: readonly Item[];
}

export const MOST_HELD = 256;

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

/** A difference of a known pattern, with its events (0: nothing there). */
export interface Found {
  readonly pattern: Pattern;
  readonly a: number;
  readonly b: number;
}

/** What of a comparison does not change from root call to root call. */
export interface Comparing {
  readonly paired: Paired;
  readonly report: Report;
  /** Counts differences whose patterns are known; false, and nothing is counted, where one of them has to be told whole. */
  readonly again: (found: readonly Found[]) => boolean;
  readonly recall: Recall;
  /** Pointers are paired anew for each pair of root calls. */
  readonly pointers: ShortRenaming;
  /** Lines around a difference. */
  readonly context: number;
}

export const makesPack = (item: Item): boolean =>
  item.node === 'fact'
    ? item.kind === 'pack-created' || item.kind === 'pack-removed'
    : item.children.some(makesPack);

/** What was put aside and has found no counterpart: one trace alone does it. */
export const reportHeld = ({ at, items }: Held, only: 'a' | 'b', { report, context }: Comparing): void => {
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
