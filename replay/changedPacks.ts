import { CHUNK } from '../core/memory/evolvePacks.js';
import type { Memory, Pack } from '../core/memory/memory.js';
import { Address, pageText } from '../core/value/address.js';
import { packDiff } from './diffStates.js';
import { found, pairsOf, type Found } from './found.js';
import { packs, type ShownPack } from './packs.js';

export interface ChunkRange {
  readonly start: string;
  readonly bytes: number;
}

export interface ChangedPack {
  readonly start: string;
  readonly from: ShownPack | null;
  readonly to: ShownPack | null;
  readonly taken: readonly ChunkRange[];
  readonly freed: readonly ChunkRange[];
}

const isUsed = (pack: Pack | null, chunk: number): boolean =>
  pack !== null &&
  chunk < pack.bytes / CHUNK &&
  ((pack.used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0;

/** Chunks that are taken in `to` and not in `from`, as ranges. */
const takenChunks = (from: Pack | null, to: Pack | null): readonly ChunkRange[] => {
  if (to === null) return [];
  const ranges: ChunkRange[] = [];
  const isNew = (chunk: number): boolean => isUsed(to, chunk) && !isUsed(from, chunk);
  for (let chunk = 0; chunk < to.bytes / CHUNK; chunk++) {
    if (!isNew(chunk)) continue;
    const first = chunk;
    while (isNew(chunk)) chunk++;
    const start = Address.add(Address.of(to.start), first * CHUNK);
    ranges.push({ start: Address.toText(start), bytes: (chunk - first) * CHUNK });
  }
  return ranges;
};

const packsByStart = (memory: Memory): ReadonlyMap<string, ShownPack> =>
  new Map(packs(memory).map((pack) => [pack.start, pack]));

/** Packs that came, went, or of which other chunks are taken. */
export const changedPacks = (a: Memory, b: Memory): Found<ChangedPack> => {
  const pairs = pairsOf(packDiff(a, b));
  return found(pairs.length, () => {
    if (pairs.length === 0) return [];
    const [before, after] = [packsByStart(a), packsByStart(b)];
    return pairs.map(([page, from, to]) => {
      const start = pageText(page);
      return {
        start,
        from: before.get(start) ?? null,
        to: after.get(start) ?? null,
        taken: takenChunks(from, to),
        freed: takenChunks(to, from),
      };
    });
  });
};
