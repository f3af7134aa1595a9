import type { Event } from '../event/event.js';
import { Space } from '../event/pages.js';
import { Address, PAGE_SIZE } from '../value/address.js';

/** Virtual addresses that an event is about. */
export interface Extent {
  readonly address: Address;
  /** Size in bytes; null where the event does not say. */
  readonly bytes: number | null;
}

const pages = (page: number, count: number | null): Extent => ({
  address: Address.of(page),
  bytes: count === null ? null : count * PAGE_SIZE,
});

const virtual = (space: number, extent: Extent): Extent | null => (space === Space.virtual ? extent : null);

/** null where an event names no virtual address: calls, frames, the direct map (by pfn), what concerns everything. */
export function extentOf(event: Event): Extent | null {
  switch (event.kind) {
    case 'area-allocated':
      return pages(event.start, event.pages);
    case 'areas-purged':
      return event.pages === 0 ? null : pages(event.start, event.pages);
    case 'area-flagged':
    case 'area-freed':
    case 'frames-released':
    case 'pack-removed':
      return pages(event.start, null);
    case 'pack-marked':
      return event.start === 0 ? null : pages(event.start, null);
    case 'pack-created':
      return { address: Address.of(event.start), bytes: event.bytes };
    case 'mapped':
    case 'unmapped':
    case 'forgotten':
      return pages(event.page, event.pages);
    case 'tlb-flushed':
      return event.pages === 0 ? null : pages(event.page, event.pages);
    case 'permission':
      return virtual(event.space, pages(event.page, event.pages));
    case 'split':
    case 'collapsed':
      return virtual(event.space, {
        address: Address.of(event.page),
        bytes: 2 ** Math.max(event.from, event.to),
      });
    case 'copied':
    case 'filled':
      return { address: event.to, bytes: event.length };
    case 'icache-flushed':
      return { address: event.at, bytes: event.length };
    case 'seen':
      return { address: event.at, bytes: 4 };
    case 'chunk-allocated':
    case 'chunk-freed':
      return { address: event.at, bytes: event.bytes };
    case 'program-allocated':
      return { address: event.chunk, bytes: event.bytes };
    case 'program-placed':
      return { address: event.start, bytes: event.length };
    case 'published':
      return { address: event.start, bytes: Address.minus(event.end, event.start) };
    case 'unpublished':
      return { address: event.start, bytes: null };
    default:
      return null;
  }
}
