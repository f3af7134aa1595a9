import type { EventOf } from '../event/event.js';
import { PAGE_SIZE, type Address } from '../value/address.js';
import type { Draft } from './evolve.js';
import type { Pack } from './memory.js';

type PackEvent = EventOf<
  | 'pack-created'
  | 'chunk-allocated'
  | 'chunk-freed'
  | 'pack-removed'
  | 'pack-marked'
  | 'charged'
  | 'limit-set'
>;
type MutablePack = { -readonly [K in keyof Pack]: Pack[K] };

export const CHUNK = 64;

/** Index of the chunk at an address of a pack. */
export const chunkIndex = (pack: Pack, at: Address): number =>
  ((at.page - pack.start) * PAGE_SIZE + at.offset) / CHUNK;

const owned = (draft: Draft, token: object, start: number): MutablePack | null => {
  const index = draft.packs.findIndex((pack) => pack.start === start);
  if (index < 0) return null;
  const pack = draft.packs[index] as Pack;
  if (pack.owner === token) return pack;
  const copy: MutablePack = { ...pack, owner: token, used: pack.used.slice() };
  draft.packs = draft.packs.with(index, copy);
  return copy;
};

const mark = (pack: MutablePack, first: number, count: number, taken: boolean): void => {
  const end = Math.min(first + count, pack.bytes / CHUNK);
  for (let chunk = Math.max(first, 0); chunk < end; chunk++) {
    const word = chunk >>> 5;
    const bit = 1 << (chunk & 31);
    const before = ((pack.used[word] as number) & bit) !== 0;
    if (before === taken) continue;
    pack.used[word] = taken ? (pack.used[word] as number) | bit : (pack.used[word] as number) & ~bit;
    pack.usedChunks += taken ? 1 : -1;
  }
};

export const applyPack = (draft: Draft, token: object, event: PackEvent): void => {
  switch (event.kind) {
    case 'pack-created': {
      const chunks = event.bytes / CHUNK;
      const pack: Pack = {
        owner: token,
        start: event.start,
        bytes: event.bytes,
        used: new Uint32Array(Math.ceil(chunks / 32)),
        usedChunks: 0,
        partial: event.partial === 1,
        dirty: false,
      };
      // One that lay there before and was not seen to go is gone.
      draft.packs = [...draft.packs.filter(({ start }) => start !== event.start), pack];
      return;
    }
    case 'pack-removed':
      draft.packs = draft.packs.filter((pack) => pack.start !== event.start);
      return;
    case 'chunk-allocated':
    case 'chunk-freed': {
      const pack = event.pack === 0 ? null : owned(draft, token, event.pack);
      if (pack !== null)
        mark(pack, chunkIndex(pack, event.at), event.bytes / CHUNK, event.kind === 'chunk-allocated');
      return;
    }
    case 'pack-marked':
      draft.packs = draft.packs.map((pack) =>
        event.start === 0 || pack.start === event.start
          ? { ...pack, owner: null, dirty: event.dirty === 1 }
          : pack,
      );
      return;
    case 'charged':
      draft.charged = draft.charged === null ? null : draft.charged + event.bytes;
      return;
    case 'limit-set':
      draft.limit = event.bytes;
      draft.charged = event.charged < 0 ? null : event.charged;
      return;
  }
};

const WORD = 32;

/** Index of the lowest set bit of a word that is not 0. */
const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/** Lowest bit of a word at which `count` (1 to 31) set bits in a row begin, or -1. */
const runIn = (word: number, count: number): number => {
  let starts = word;
  for (let left = count; left > 1;) {
    const half = left >>> 1;
    starts &= starts >>> half;
    left -= half;
  }
  return starts === 0 ? -1 : lowestBit(starts);
};

/**
 * Lowest run of `chunks` (1 or more) free chunks (bitmap_find_next_zero_area with alignment 1), or -1. Looks at 32 chunks at a time: a pack that has been in use
 * for a while has thousands of short runs.
 */
export const firstFit = (pack: Pack, chunks: number): number => {
  const { used } = pack;
  const total = pack.bytes / CHUNK;
  // Free chunks just before the present word.
  let run = 0;
  for (let first = 0; first < total; first += WORD) {
    const end = Math.min(WORD, total - first);
    const free = ~(used[first >>> 5] as number) & (end === WORD ? -1 : (1 << end) - 1);
    const below = free === -1 ? WORD : lowestBit(~free);
    if (run + below >= chunks) return first - run;
    if (below === WORD) {
      run += WORD;
      continue;
    }
    const inside = chunks < WORD ? runIn(free, chunks) : -1;
    if (inside >= 0) return first + inside;
    run = Math.clz32(~free);
  }
  return -1;
};
