import type { Only } from '../core/codec/blocks.js';
import { decodeSegment, decodeUpTo, type UpTo } from '../core/codec/decode.js';
import { KINDS, type Event, type EventKind } from '../core/event/event.js';
import { fail, ok, type Failure, type Result } from '../core/value/failure.js';
import type { Segment } from '../store/index.js';

/** Kinds to decode: those that move memory, these, or all. */
export type Kinds = 'changesMemory' | Iterable<EventKind> | undefined;

const damagedIn = (trace: string, segment: Segment, { code, what, hint }: Failure): Result<never> =>
  fail(code, what, `segment ${segment.index} of trace ${trace}`, hint);

/** A trace's segment as events. */
export const decoded = (trace: string, segment: Segment, kinds?: Kinds): Result<Event[]> => {
  const only: Only = typeof kinds === 'string' || kinds === undefined ? kinds : new Set(kinds);
  const events = decodeSegment(segment.bytes, only === undefined ? {} : { only });
  return events.ok ? events : damagedIn(trace, segment, events.error);
};

/** What moves memory in a trace's segment up to event `last`, and when that was. */
export const decodedUpTo = (trace: string, segment: Segment, last: number): Result<UpTo> => {
  const events = decodeUpTo(segment.bytes, last, { only: 'changesMemory' });
  return events.ok ? events : damagedIn(trace, segment, events.error);
};

/** The events of a segment; of some kinds, where only these were wanted. */
export interface SegmentEvents {
  /** Number of its first event, of whatever kind. */
  readonly first: number;
  readonly last: number;
  readonly events: readonly Event[];
}

/** Segments decoded last: call chains and cursors come back to them. */
export interface SegmentCache {
  readonly around: (seq: number) => Result<SegmentEvents>;
}

const KEPT = 8;

/** `read` finds the segment of an event. */
export const segmentCache = (
  trace: string,
  read: (seq: number) => Result<Segment>,
  kinds?: Kinds,
): SegmentCache => {
  let kept: SegmentEvents[] = [];
  return {
    around: (seq) => {
      const index = kept.findIndex(({ first, last }) => seq >= first && seq <= last);
      const known = kept[index];
      if (known !== undefined) {
        if (index > 0) kept = [known, ...kept.toSpliced(index, 1)];
        return ok(known);
      }
      const segment = read(seq);
      if (!segment.ok) return segment;
      const events = decoded(trace, segment.value, kinds);
      if (!events.ok) return events;
      const { first, count } = segment.value;
      const all = { first, last: first + count - 1, events: events.value };
      kept = [all, ...kept.slice(0, KEPT - 1)];
      return ok(all);
    },
  };
};

/** Kinds that only say how a call went on: nearly half of a log, and nothing in them is history. */
const PASSING: ReadonlySet<EventKind> = new Set(['returned', 'chosen']);

/** All others. */
export const TOLD: readonly EventKind[] = KINDS.map(({ kind }) => kind as EventKind).filter(
  (kind) => !PASSING.has(kind),
);

/** Event `seq` of events in order; null: it is not among them. */
export const eventIn = (events: readonly Event[], seq: number): Event | null => {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle] as Event).seq < seq) low = middle + 1;
    else high = middle;
  }
  const found = events[low];
  return found?.seq === seq ? found : null;
};
