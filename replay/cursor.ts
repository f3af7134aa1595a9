import { BehaviorSubject } from 'rxjs';
import type { Event } from '../core/event/event.js';
import { ok, type Result } from '../core/value/failure.js';
import type { At, TraceView } from './log.js';
import { MemoryView } from './memoryView.js';
import { stepper, type Step } from './stepper.js';

/** Where a cursor is. */
export interface CursorMoment {
  /** The event it is after; 0: before the first. */
  readonly seq: number;
  readonly memory: MemoryView;
  /** That event; null before the first. */
  readonly event: Event | null;
}

/** A place in a trace that goes forward and back. Every move tells `moment$`; a failure leaves the cursor where it was. */
export interface Cursor {
  readonly moment$: BehaviorSubject<CursorMoment>;
  /** Forward by this many events (1), at most to the end. */
  step(count?: number): Result<CursorMoment>;
  /** Back by this many events (1), at most to the start. */
  back(count?: number): Result<CursorMoment>;
  goto(at: At): Result<CursorMoment>;
  /** Before the first event. */
  first(): Result<CursorMoment>;
  /** After the last event there is now. */
  last(): Result<CursorMoment>;
  /** Ends `moment$`. */
  close(): void;
}

const momentOf = ({ seq, memory, event }: Step): CursorMoment => ({
  seq,
  memory: new MemoryView(memory),
  event,
});

/** A cursor at a moment of a trace (`start` unless given). */
export const cursorOn = (trace: TraceView, at: At = 'start'): Result<Cursor> => {
  const steps = stepper(trace);
  const place = trace.find(at);
  if (!place.ok) return place;
  const begin = steps.at(place.value.seq);
  if (!begin.ok) return begin;
  const moment$ = new BehaviorSubject(momentOf(begin.value));

  const move = (wanted: number): Result<CursorMoment> => {
    const seq = Math.max(0, wanted);
    if (seq === moment$.value.seq) return ok(moment$.value);
    const step = steps.at(seq);
    if (!step.ok) return step;
    const moment = momentOf(step.value);
    moment$.next(moment);
    return ok(moment);
  };

  return ok({
    moment$,
    step: (count = 1) => move(Math.min(moment$.value.seq + count, trace.info.events)),
    back: (count = 1) => move(moment$.value.seq - count),
    goto: (where) => {
      const found = trace.find(where);
      return found.ok ? move(found.value.seq) : found;
    },
    first: () => move(0),
    last: () => move(trace.info.events),
    close: () => moment$.complete(),
  });
};
