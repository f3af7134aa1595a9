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
  for (let chunk = first; chunk < end; chunk++) {
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

/**
 * Lowest run of `chunks` free chunks (bitmap_find_next_zero_area with alignment 1), or -1.
 */
export const firstFit = (pack: Pack, chunks: number): number => {
  const total = pack.bytes / CHUNK;
  const used = pack.used;
  let run = 0;
  let chunk = 0;
  while (chunk < total) {
    const word = used[chunk >>> 5] as number;
    if ((chunk & 31) === 0) {
      if (word === -1 >>> 0) {
        run = 0;
        chunk += 32;
        continue;
      }
      if (word === 0 && run + 32 < chunks && chunk + 32 <= total) {
        run += 32;
        chunk += 32;
        continue;
      }
    }
    if ((word & (1 << (chunk & 31))) === 0) {
      run++;
      if (run === chunks) return chunk - chunks + 1;
    } else run = 0;
    chunk++;
  }
  return -1;
};
