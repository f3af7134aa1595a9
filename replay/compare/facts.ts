/** Facts by which two traces are compared, and what of them counts. */
import type { Event } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import { symbolParts } from '../programs.js';

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

/** What counts of a fact. */
export interface Told {
  readonly makes: DifferenceKind;
  /** Facts that may stand for each other have the same one, and the same fields. */
  readonly key: string;
  /** Numbers and texts that count. */
  readonly fields: readonly (readonly [name: string, value: number | string])[];
  /** What it is done to: compared by what that lies in. */
  readonly place: Address | null;
  /** What the fact is about, where that may be told in several facts one behind the other; else null. */
  readonly run: Run | null;
}

const pageRun = (page: number, count: number): Run => ({ first: Address.of(page), bytes: count * PAGE_SIZE });

const told = (
  makes: DifferenceKind,
  key: string,
  fields: Readonly<Record<string, number | string>>,
  place: Address | null = null,
  run: Run | null = null,
): Told => ({ makes, key, fields: Object.entries(fields), place, run });

/** What counts of an event; null: nothing (choices, identities, what follows from others, direct-map steps, which are told apart). */
export const tell = (event: Event): Told | null => {
  switch (event.kind) {
    case 'permission':
      return event.space === Space.direct
        ? null
        : told(
            'permission',
            'permission',
            { set: event.set, clear: event.clear },
            Address.of(event.page),
            pageRun(event.page, event.pages),
          );
    case 'mapped':
      return told(
        'mapping',
        'mapped',
        { shift: event.shift, prot: event.prot },
        Address.of(event.page),
        pageRun(event.page, event.pages),
      );
    case 'unmapped':
      return told('mapping', 'unmapped', {}, Address.of(event.page), pageRun(event.page, event.pages));
    case 'split':
    case 'collapsed':
      return event.space === Space.direct
        ? null
        : told('split', event.kind, { from: event.from, to: event.to }, Address.of(event.page));
    case 'filled':
      return told(
        'fill',
        'filled',
        { pattern: `0x${event.pattern.toString(16)}`, way: event.way },
        event.to,
        { first: event.to, bytes: event.length },
      );
    case 'copied':
      return told('copy', 'copied', { what: event.what, way: event.way }, event.to, {
        first: event.to,
        bytes: event.length,
      });
    case 'tlb-flushed':
      // Whether a leaf had to be split is told by the splits.
      return event.why === 'split' ? null : told('flush', `flush ${event.why}`, { why: event.why });
    case 'icache-flushed':
      return told('flush', 'flush of the instruction cache', {}, event.at);
    case 'area-allocated':
      return told('area', 'area-allocated', { pages: event.pages, flags: event.flags });
    case 'area-flagged':
      return told('area', 'area-flagged', { flags: event.flags }, Address.of(event.start));
    case 'area-freed':
      return told('area', 'area-freed', {}, Address.of(event.start));
    case 'pack-created':
      return told('pack', 'pack-created', { bytes: event.bytes }, Address.of(event.start));
    case 'pack-removed':
      return told('pack', 'pack-removed', {}, Address.of(event.start));
    case 'pack-marked':
      return told('pack', 'pack-marked', { dirty: event.dirty });
    case 'chunk-allocated':
    case 'chunk-freed':
      return told('pack', event.kind, { bytes: event.bytes }, event.at);
    case 'charged':
      return told('charge', 'charged', { bytes: event.bytes });
    case 'program-allocated':
      return told('program', 'program-allocated', { bytes: event.bytes, type: event.type }, event.chunk);
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
