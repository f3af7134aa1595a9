/** Facts about neighbouring memory, cut alike in both traces: then only the part that differs does. */
import { Address } from '../../core/value/address.js';
import type { Run as FactRun } from './facts.js';
import type { FactNode, Item } from './tree.js';

/** Facts of one kind one behind the other, other facts between them or not. */
interface Run {
  /** Indices of its items. */
  readonly at: number[];
  readonly facts: FactNode[];
  bytes: number;
  /** Where it is cut, in bytes from its beginning. */
  readonly cuts: number[];
}

const goesOn = (run: Run, next: FactNode): boolean => {
  const last = run.facts.at(-1)?.run ?? null;
  return last !== null && next.run !== null && Address.minus(next.run.first, last.first) === last.bytes;
};

const runsOf = (items: readonly Item[]): ReadonlyMap<string, readonly Run[]> => {
  const byKey = new Map<string, Run[]>();
  const open = new Map<string, Run>();
  for (const [index, item] of items.entries()) {
    if (item.node === 'call') {
      open.clear();
      continue;
    }
    if (item.run === null) continue;
    const run = open.get(item.key);
    if (run !== undefined && goesOn(run, item)) {
      run.at.push(index);
      run.facts.push(item);
      run.cuts.push(run.bytes);
      run.bytes += item.run.bytes;
      continue;
    }
    const begun: Run = { at: [index], facts: [item], bytes: item.run.bytes, cuts: [] };
    open.set(item.key, begun);
    const own = byKey.get(item.key);
    if (own === undefined) byKey.set(item.key, [begun]);
    else own.push(begun);
  }
  return byKey;
};

type Parts = Map<number, readonly FactNode[]>;

/** Puts down the parts of each fact of a run that is cut; the place of a fact is that of its beginning. */
const cutAt = ({ at, facts }: Run, cuts: ReadonlySet<number>, into: Parts): void => {
  let begins = 0;
  for (const [index, fact] of facts.entries()) {
    const { first, bytes } = fact.run as FactRun;
    const start = begins;
    const inside = [...cuts].filter((cut) => cut > start && cut < start + bytes).sort((x, y) => x - y);
    const edges = [start, ...inside, start + bytes];
    begins += bytes;
    if (inside.length === 0) continue;
    const parts: FactNode[] = [];
    for (let i = 0; i + 1 < edges.length; i++) {
      const [from, to] = [edges[i] as number, edges[i + 1] as number];
      const run = { first: Address.add(first, from - start), bytes: to - from };
      parts.push({ ...fact, run, bytesSlot: -1, place: i === 0 ? fact.place : null });
    }
    into.set(at[index] as number, parts);
  }
};

const replaced = (items: readonly Item[], parts: Parts): readonly Item[] =>
  parts.size === 0 ? items : items.flatMap((item, i): readonly Item[] => parts.get(i) ?? [item]);

/** The items of both, runs of equal length cut at the same places. */
export const cutAlike = (
  a: readonly Item[],
  b: readonly Item[],
): readonly [readonly Item[], readonly Item[]] => {
  const [runsA, runsB] = [runsOf(a), runsOf(b)];
  const [partsA, partsB]: [Parts, Parts] = [new Map(), new Map()];
  for (const [key, own] of runsA)
    for (const [i, left] of own.entries()) {
      const right = runsB.get(key)?.[i];
      if (right === undefined || right.bytes !== left.bytes || String(left.cuts) === String(right.cuts))
        continue;
      const cuts = new Set([...left.cuts, ...right.cuts]);
      cutAt(left, cuts, partsA);
      cutAt(right, cuts, partsB);
    }
  return [replaced(a, partsA), replaced(b, partsB)];
};

/** How many facts of each key are about a run. */
const countRuns = (items: readonly Item[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const item of items)
    if (item.node === 'fact' && item.run !== null) counts.set(item.key, (counts.get(item.key) ?? 0) + 1);
  return counts;
};

/** Whether it depends on lengths what `cutAlike` gives: where both have one fact of a key there is nothing to cut. */
export const mayBeCut = (a: readonly Item[], b: readonly Item[]): boolean => {
  const countsB = countRuns(b);
  for (const [key, count] of countRuns(a)) {
    const other = countsB.get(key) ?? 0;
    if (other > 0 && count + other > 2) return true;
  }
  return false;
};
