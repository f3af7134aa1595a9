/** Facts by which two traces are compared, and what of them counts. */
import type { Event, EventKind } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import type { Memory } from '../../core/memory/memory.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import { symbolParts } from '../programs.js';
import { placedAddress, type PlacedAddress } from './addresses.js';

/** What kind of difference a fact or a call that only one trace has makes; earlier ones outweigh later ones in a call that holds several. */
export const DIFFERENCE_KINDS = [
  'permission',
  'split',
  'fill',
  'copy',
  'mapping',
  'flush',
  'pack',
  'area',
  'program',
  'charge',
  'error',
  'order',
  'argument',
  'result',
  'call',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** Bytes (or pages) one behind the other. */
export interface Run {
  readonly first: Address;
  readonly bytes: number;
}

/** A fact in the tree of calls. */
export interface FactNode {
  readonly node: 'fact';
  readonly seq: number;
  readonly kind: EventKind;
  readonly makes: DifferenceKind;
  /** Facts that may stand for each other have the same one. */
  readonly key: string;
  /** Numbers and texts that count. */
  readonly fields: Readonly<Record<string, number | string>>;
  readonly place: PlacedAddress | null;
  /** What the fact is about, where that may be told in several facts one behind the other; else null. */
  readonly run: Run | null;
  /** Outermost call around it that the other trace does not show; null: none. */
  via: string | null;
}

type Told = Omit<FactNode, 'node' | 'seq' | 'kind' | 'via'>;

const pages = (memory: Memory, page: number): PlacedAddress => placedAddress(memory, Address.of(page));

const pageRun = (page: number, count: number): Run => ({ first: Address.of(page), bytes: count * PAGE_SIZE });

const told = (
  makes: DifferenceKind,
  key: string,
  fields: Told['fields'],
  place: PlacedAddress | null = null,
  run: Told['run'] = null,
): Told => ({ makes, key, fields, place, run });

/** What counts of an event; null: nothing (choices, identities, what follows from others, direct-map steps, which are told apart). */
const tell = (event: Event, memory: Memory): Told | null => {
  switch (event.kind) {
    case 'permission':
      return event.space === Space.direct
        ? null
        : told(
            'permission',
            'permission',
            { set: event.set, clear: event.clear },
            pages(memory, event.page),
            pageRun(event.page, event.pages),
          );
    case 'mapped':
      return told(
        'mapping',
        'mapped',
        { shift: event.shift, prot: event.prot },
        pages(memory, event.page),
        pageRun(event.page, event.pages),
      );
    case 'unmapped':
      return told('mapping', 'unmapped', {}, pages(memory, event.page), pageRun(event.page, event.pages));
    case 'split':
    case 'collapsed':
      return event.space === Space.direct
        ? null
        : told('split', event.kind, { from: event.from, to: event.to }, pages(memory, event.page));
    case 'filled':
      return told(
        'fill',
        'filled',
        { pattern: `0x${event.pattern.toString(16)}`, way: event.way },
        placedAddress(memory, event.to),
        { first: event.to, bytes: event.length },
      );
    case 'copied':
      return told('copy', 'copied', { what: event.what, way: event.way }, placedAddress(memory, event.to), {
        first: event.to,
        bytes: event.length,
      });
    case 'tlb-flushed':
      // Whether a leaf had to be split is told by the splits.
      return event.why === 'split' ? null : told('flush', `flush ${event.why}`, { why: event.why });
    case 'icache-flushed':
      return told('flush', 'flush of the instruction cache', {}, placedAddress(memory, event.at));
    case 'area-allocated':
      return told('area', 'area-allocated', { pages: event.pages, flags: event.flags });
    case 'area-flagged':
      return told('area', 'area-flagged', { flags: event.flags }, pages(memory, event.start));
    case 'area-freed':
      return told('area', 'area-freed', {}, pages(memory, event.start));
    case 'pack-created':
      return told('pack', 'pack-created', { bytes: event.bytes }, pages(memory, event.start));
    case 'pack-removed':
      return told('pack', 'pack-removed', {}, pages(memory, event.start));
    case 'pack-marked':
      return told('pack', 'pack-marked', { dirty: event.dirty });
    case 'chunk-allocated':
    case 'chunk-freed':
      return told('pack', event.kind, { bytes: event.bytes }, placedAddress(memory, event.at));
    case 'charged':
      return told('charge', 'charged', { bytes: event.bytes });
    case 'program-allocated':
      return told(
        'program',
        'program-allocated',
        { bytes: event.bytes, type: event.type },
        placedAddress(memory, event.chunk),
      );
    case 'published':
    case 'unpublished':
      return told('program', event.kind, { name: symbolParts(event.name).name ?? '' });
    case 'program-finalized':
    case 'program-freed':
      return told('program', event.kind, {});
    default:
      return null;
  }
};

/** An event as a fact to compare. `memory`: after the event (before it for what goes). */
export const factNode = (event: Event, memory: Memory): FactNode | null => {
  const fact = tell(event, memory);
  return fact === null ? null : { node: 'fact', seq: event.seq, kind: event.kind, via: null, ...fact };
};
