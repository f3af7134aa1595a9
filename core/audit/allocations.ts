/** Which memory images hold: chunks of packs, and areas of images that no pack can take. */
import type { Event } from '../event/event.js';
import { Memory } from '../memory/memory.js';
import { Address, PAGE_SIZE } from '../value/address.js';

/** Memory that one image holds. */
export interface Allocation {
  readonly at: Address;
  readonly bytes: number;
  /** First page of its pack; 0: an area of its own. */
  readonly pack: number;
  /** Event that took it; 0: it is older than the trace. */
  readonly seq: number;
}

export interface Allocations {
  /** The one that begins there. */
  readonly at: (address: Address) => Allocation | null;
  /** The one that holds an address. */
  readonly around: (address: Address) => Allocation | null;
}

export interface AllocationTracker extends Allocations {
  /** To be told of every event after rules have seen what was before it. */
  readonly apply: (event: Event) => void;
}

const CHUNK = 64;
const CHUNKS_PER_PAGE = PAGE_SIZE / CHUNK;

/** Addresses that are 2^58 bytes apart have the same numbers: no kernel has code so far apart, and larger numbers would not be exact. */
const PAGES = 2 ** 46;

/** Number of a chunk. */
const keyOf = (at: Address): number => (at.page % PAGES) * CHUNKS_PER_PAGE + Math.floor(at.offset / CHUNK);

export const allocationTracker = (start: Memory): AllocationTracker => {
  const held = new Map<number, Allocation>();
  /** How many images lie in each pack. */
  const inPack = new Map<number, number>();
  /** Chunks of the largest ever held: how far back a look has to go. */
  let longest = 1;

  const add = (allocation: Allocation): void => {
    const key = keyOf(allocation.at);
    if (held.has(key)) drop(key);
    held.set(key, allocation);
    if (allocation.pack !== 0) inPack.set(allocation.pack, (inPack.get(allocation.pack) ?? 0) + 1);
    longest = Math.max(longest, Math.ceil(allocation.bytes / CHUNK));
  };
  const drop = (key: number): void => {
    const pack = held.get(key)?.pack ?? 0;
    held.delete(key);
    if (pack === 0) return;
    const left = (inPack.get(pack) ?? 1) - 1;
    if (left === 0) inPack.delete(pack);
    else inPack.set(pack, left);
  };
  const dropWithin = (first: number, pages: number): void => {
    for (let page = first; page < first + pages; page++) {
      // An area of its own begins with its image.
      held.delete(keyOf(Address.of(page)));
      if (inPack.delete(page)) for (const [key, { pack }] of held) if (pack === page) held.delete(key);
    }
  };

  for (const program of Memory.programs(start)) {
    const pack = Memory.packAt(start, program.chunk.page)?.start ?? 0;
    add({ at: program.chunk, bytes: program.bytes, pack, seq: 0 });
  }

  return {
    at: (address) => held.get(keyOf(address)) ?? null,
    around: (address) => {
      const key = keyOf(address);
      for (let back = 0; back < longest; back++) {
        const found = held.get(key - back);
        if (found !== undefined) return back * CHUNK < found.bytes ? found : null;
      }
      return null;
    },
    apply: (event) => {
      switch (event.kind) {
        case 'chunk-allocated':
          return add({ at: event.at, bytes: event.bytes, pack: event.pack, seq: event.seq });
        case 'chunk-freed':
          return drop(keyOf(event.at));
        case 'unmapped':
          return dropWithin(event.page, event.pages);
        case 'program-allocated':
          if (!held.has(keyOf(event.chunk)))
            add({ at: event.chunk, bytes: event.bytes, pack: 0, seq: event.seq });
          return;
        default:
          return;
      }
    },
  };
};
