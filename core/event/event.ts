import * as areas from './areas.js';
import * as calls from './calls.js';
import type { Common, Kind } from './kind.js';
import * as known from './known.js';
import * as packs from './packs.js';
import * as pages from './pages.js';
import * as programs from './programs.js';
import * as text from './text.js';
import * as trace from './trace.js';

/** Everything that can happen, as an immutable value. */
export type Event =
  | calls.Entered
  | calls.Returned
  | calls.Chosen
  | areas.AreaAllocated
  | areas.AreaFlagged
  | areas.AreaFreed
  | areas.AreasPurged
  | pages.Mapped
  | pages.Unmapped
  | pages.DirectMapped
  | pages.Permission
  | pages.Split
  | pages.Collapsed
  | pages.Identified
  | pages.FramesReleased
  | pages.BasesLearned
  | pages.LeafKnown
  | text.Copied
  | text.Filled
  | text.Seen
  | text.Content
  | text.TlbFlushed
  | text.IcacheFlushed
  | packs.PackCreated
  | packs.ChunkAllocated
  | packs.ChunkFreed
  | packs.PackRemoved
  | packs.PackMarked
  | packs.Charged
  | packs.LimitSet
  | programs.ProgramAllocated
  | programs.ProgramPlaced
  | programs.ProgramFinalized
  | programs.Published
  | programs.Unpublished
  | programs.ProgramFreed
  | programs.ProgramJoined
  | trace.Marker
  | trace.Gap
  | trace.Divergence
  | trace.Forgotten
  | trace.Operation
  | trace.Counter
  | trace.Noted
  | trace.Warned
  | known.PagesKnown
  | known.AreaBacked
  | known.FramesNamed
  | known.WordSeen
  | known.ProgramKnown
  | known.StateKnown;

export type EventKind = Event['kind'];
export type EventOf<K extends EventKind> = Extract<Event, { readonly kind: K }>;

/** What a kernel function says happened: the payload of an event, the driver adds the common fields. */
export type Fact = { [K in EventKind]: Omit<EventOf<K>, keyof Common> }[EventKind];

/** Descriptors of all kinds, in the order of their codes. */
export const KINDS: readonly Kind[] = [areas, calls, known, packs, pages, programs, text, trace]
  .flatMap((module) => Object.values(module) as unknown[])
  .filter((value): value is Kind => typeof value === 'object' && value !== null && 'changesMemory' in value)
  .sort((a, b) => a.code - b.code);

/**
 * Fact to event. The common fields are written out: of `{ ...common, ...fact }` V8 makes an object with a hidden class of its own each time
 * (0.7 µs instead of 0.06, and everything that reads such events is three times as slow).
 */
export const eventOf = ({ seq, time, cpu, task, call, origin }: Common, fact: Fact): Event =>
  ({ seq, time, cpu, task, call, origin, ...fact }) as Event;
