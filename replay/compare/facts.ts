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
  /** Names of what counts, and its numbers and texts. */
  readonly names: readonly string[];
  readonly values: readonly (number | string)[];
  /** What it is done to: compared by what that lies in. */
  readonly place: Address | null;
  /** What the fact is about, where that may be told in several facts one behind the other; else null. */
  readonly run: Run | null;
}

const pageRun = (page: number, count: number): Run => ({ first: Address.of(page), bytes: count * PAGE_SIZE });

const NONE: readonly never[] = [];

const told = (
  makes: DifferenceKind,
  key: string,
  names: readonly string[],
  values: readonly (number | string)[],
  place: Address | null = null,
  run: Run | null = null,
): Told => ({ makes, key, names, values, place, run });

/** Fields of facts. */
const SET_CLEAR = ['set', 'clear'];
const SHIFT_PROT = ['shift', 'prot'];
const FROM_TO = ['from', 'to'];
const PATTERN_WAY = ['pattern', 'way'];
const WHAT_WAY = ['what', 'way'];
const WHY = ['why'];
const PAGES_FLAGS = ['pages', 'flags'];
const FLAGS = ['flags'];
const BYTES = ['bytes'];
const DIRTY = ['dirty'];
const BYTES_TYPE = ['bytes', 'type'];
const NAME = ['name'];

/** What counts of an event; null: nothing (choices, identities, what follows from others, direct-map steps, which are told apart). */
export const tell = (event: Event): Told | null => {
  switch (event.kind) {
    case 'permission':
      return event.space === Space.direct
        ? null
        : told(
            'permission',
            'permission',
            SET_CLEAR,
            [event.set, event.clear],
            Address.of(event.page),
            pageRun(event.page, event.pages),
          );
    case 'mapped':
      return told(
        'mapping',
        'mapped',
        SHIFT_PROT,
        [event.shift, event.prot],
        Address.of(event.page),
        pageRun(event.page, event.pages),
      );
    case 'unmapped':
      return told(
        'mapping',
        'unmapped',
        NONE,
        NONE,
        Address.of(event.page),
        pageRun(event.page, event.pages),
      );
    case 'split':
    case 'collapsed':
      return event.space === Space.direct
        ? null
        : told('split', event.kind, FROM_TO, [event.from, event.to], Address.of(event.page));
    case 'filled':
      return told('fill', 'filled', PATTERN_WAY, [`0x${event.pattern.toString(16)}`, event.way], event.to, {
        first: event.to,
        bytes: event.length,
      });
    case 'copied':
      return told('copy', 'copied', WHAT_WAY, [event.what, event.way], event.to, {
        first: event.to,
        bytes: event.length,
      });
    case 'tlb-flushed':
      // Whether a leaf had to be split is told by the splits.
      return event.why === 'split' ? null : told('flush', `flush ${event.why}`, WHY, [event.why]);
    case 'icache-flushed':
      return told('flush', 'flush of the instruction cache', NONE, NONE, event.at);
    case 'area-allocated':
      return told('area', 'area-allocated', PAGES_FLAGS, [event.pages, event.flags]);
    case 'area-flagged':
      return told('area', 'area-flagged', FLAGS, [event.flags], Address.of(event.start));
    case 'area-freed':
      return told('area', 'area-freed', NONE, NONE, Address.of(event.start));
    case 'pack-created':
      return told('pack', 'pack-created', BYTES, [event.bytes], Address.of(event.start));
    case 'pack-removed':
      return told('pack', 'pack-removed', NONE, NONE, Address.of(event.start));
    case 'pack-marked':
      return told('pack', 'pack-marked', DIRTY, [event.dirty]);
    case 'chunk-allocated':
    case 'chunk-freed':
      return told('pack', event.kind, BYTES, [event.bytes], event.at);
    case 'charged':
      return told('charge', 'charged', BYTES, [event.bytes]);
    case 'program-allocated':
      return told('program', 'program-allocated', BYTES_TYPE, [event.bytes, event.type], event.chunk);
    case 'published':
    case 'unpublished':
      return told('program', event.kind, NAME, [symbolParts(event.name).name ?? '']);
    case 'program-finalized':
    case 'program-freed':
      return told('program', event.kind, NONE, NONE);
    default:
      return null;
  }
};
