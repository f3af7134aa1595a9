/**
 * The diff of two memories as people and programs are shown it: ranges, chunks and programs; without causes, which are no state. All that differs is found
 * at once; a list is put into texts when it is first looked at.
 */
import type { Area, Memory } from '../core/memory/memory.js';
import { SparseMap } from '../core/memory/sparse.js';
import { differentContent, type ChangedContent } from './changedContent.js';
import { changedPacks, type ChangedPack } from './changedPacks.js';
import { changedPrograms, type Changed } from './changedPrograms.js';
import { changedTables, type ChangedRange } from './changedRanges.js';
import { changedSymbols, type ShownSymbol } from './changedSymbols.js';
import { found, type Found } from './found.js';
import { knownPrograms, type ShownProgram } from './programs.js';
import { hasGuard } from './ranges.js';
import { shownArea, type ShownArea } from './state.js';
import { unknownRanges, type UnknownRange } from './unknown.js';

export interface ShownDiff {
  /** How many entries all lists have together. */
  readonly differences: number;
  readonly mappings: readonly ChangedRange[];
  readonly direct_map: readonly ChangedRange[];
  readonly areas: readonly Changed<ShownArea>[];
  readonly packs: readonly ChangedPack[];
  readonly programs: readonly Changed<ShownProgram>[];
  readonly symbols: { readonly added: readonly ShownSymbol[]; readonly removed: readonly ShownSymbol[] };
  readonly content: readonly ChangedContent[];
  readonly unknown: { readonly added: readonly UnknownRange[]; readonly removed: readonly UnknownRange[] };
  /** Counters and single values by name. */
  readonly counters: Readonly<Record<string, readonly [from: number | null, to: number | null]>>;
}

export interface ShownDiffOptions {
  /** Physical addresses count: true for two moments of one trace, false for those of two (another boot, other frames). */
  readonly physical?: boolean;
}

const sameArea = (a: Area, b: Area): boolean =>
  a.start === b.start &&
  a.pages === b.pages &&
  hasGuard(a.flags) === hasGuard(b.flags) &&
  a.state === b.state &&
  a.caller === b.caller;

const areaOf = (area: Area | null): ShownArea | null => (area === null ? null : shownArea(area));

const changedAreas = (a: Memory, b: Memory): Found<Changed<ShownArea>> => {
  const pairs: Changed<Area>[] = [];
  for (const [, from = null, to = null] of SparseMap.changes(a.areas, b.areas))
    if (from === null || to === null || !sameArea(from, to)) pairs.push({ from, to });
  return found(pairs.length, () => pairs.map(({ from, to }) => ({ from: areaOf(from), to: areaOf(to) })));
};

const textOf = ({ start, end, why }: UnknownRange): string => `${start} ${end} ${why}`;

const missingIn = (
  other: readonly UnknownRange[],
  list: readonly UnknownRange[],
): readonly UnknownRange[] => {
  const known = new Set(other.map(textOf));
  return list.filter((range) => !known.has(textOf(range)));
};

const SPLITS = /^direct_map_/;

const singleValues = ({ counters, charged, limit }: Memory): Readonly<Record<string, number | null>> => ({
  direct_map_level2_splits: counters.level2Splits,
  direct_map_level3_splits: counters.level3Splits,
  direct_map_level2_collapses: counters.level2Collapses,
  direct_map_level3_collapses: counters.level3Collapses,
  jit_charged: charged,
  jit_limit: limit,
});

const changedCounters = (a: Memory, b: Memory): ShownDiff['counters'] => {
  const [before, after] = [singleValues(a), singleValues(b)];
  return Object.fromEntries(
    Object.keys(before)
      // What was lost may have been splits: the counters then prove nothing.
      .filter((name) => before[name] !== after[name] && !(SPLITS.test(name) && a.lost + b.lost > 0))
      .map((name) => [name, [before[name] ?? null, after[name] ?? null]]),
  );
};

const NOTHING: Found<never> = { count: 0, told: () => [] };

/** What differs from memory `a` to memory `b`, as shown. */
export const shownDiff = (a: Memory, b: Memory, { physical = true }: ShownDiffOptions = {}): ShownDiff => {
  const [knownA, knownB] = [knownPrograms(a), knownPrograms(b)];
  const mappings = changedTables(a.virtual, b.virtual, { direct: false, physical });
  const direct = physical ? changedTables(a.direct, b.direct, { direct: true, physical }) : NOTHING;
  const areas = changedAreas(a, b);
  const packs = changedPacks(a, b);
  const programs = changedPrograms(a, b, knownA, knownB);
  const symbols = changedSymbols(knownA.symbols, knownB.symbols);
  const content = differentContent(a, b, knownA, knownB);
  const [before, after] = [unknownRanges(a, knownA), unknownRanges(b, knownB)];
  const unknown = { added: missingIn(before, after), removed: missingIn(after, before) };
  const counters = changedCounters(a, b);
  const lists = [mappings, direct, areas, packs, programs, symbols.added, symbols.removed, content];
  return {
    differences:
      lists.reduce((sum, { count }) => sum + count, 0) +
      unknown.added.length +
      unknown.removed.length +
      Object.keys(counters).length,
    get mappings() {
      return mappings.told();
    },
    get direct_map() {
      return direct.told();
    },
    get areas() {
      return areas.told();
    },
    get packs() {
      return packs.told();
    },
    get programs() {
      return programs.told();
    },
    symbols: {
      get added() {
        return symbols.added.told();
      },
      get removed() {
        return symbols.removed.told();
      },
    },
    get content() {
      return content.told();
    },
    unknown,
    counters,
  };
};
