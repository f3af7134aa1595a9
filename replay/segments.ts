import type { Only } from '../core/codec/blocks.js';
import { decodeSegment, decodeUpTo, type UpTo } from '../core/codec/decode.js';
import type { Event, EventKind } from '../core/event/event.js';
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

/** Segments decoded last, whole: call chains and cursors come back to them. */
export interface SegmentCache {
  /** The events of the segment that holds event `seq`. */
  readonly around: (seq: number) => Result<readonly Event[]>;
}

const KEPT = 8;

/** `read` finds the segment of an event. */
export const segmentCache = (trace: string, read: (seq: number) => Result<Segment>): SegmentCache => {
  let kept: (readonly Event[])[] = [];
  return {
    around: (seq) => {
      const index = kept.findIndex(
        (events) => seq >= (events[0]?.seq ?? Infinity) && seq <= (events.at(-1)?.seq ?? -1),
      );
      const known = kept[index];
      if (known !== undefined) {
        if (index > 0) kept = [known, ...kept.toSpliced(index, 1)];
        return ok(known);
      }
      const segment = read(seq);
      if (!segment.ok) return segment;
      const events = decoded(trace, segment.value);
      if (!events.ok) return events;
      kept = [events.value, ...kept.slice(0, KEPT - 1)];
      return events;
    },
  };
};
