import type { Event } from '../core/event/event.js';
import { evolve, evolveAll } from '../core/memory/evolve.js';
import type { Memory } from '../core/memory/memory.js';
import { ok, type Result } from '../core/value/failure.js';
import type { TraceView } from './log.js';

/** An event and the memory after it. Before the first event there is none. */
export interface Step {
  readonly seq: number;
  readonly memory: Memory;
  readonly event: Event | null;
}

/** Memory after every event, for one who goes forward and back by single steps. */
export interface Stepper {
  /** The step at event `seq`, 0 to the number of events. */
  readonly at: (seq: number) => Result<Step>;
}

/** Events between two memories that are kept of a batch. */
const STRIDE = 64;
/** Batches whose beginnings are kept. */
const STARTS = 16;

/** A batch being walked: memories at every 64th event, and those of one stretch of 64 events one by one. */
interface Walk {
  readonly events: readonly Event[];
  readonly first: number;
  /** Memory before event `first + STRIDE × i`. */
  readonly marks: Memory[];
  /** Which stretch, and memories after its first, second … event as far as they were asked for. */
  stretch: number;
  readonly fine: Memory[];
}

const walkOf = (events: readonly Event[], start: Memory): Walk => ({
  events,
  first: (events[0] as Event).seq,
  marks: [start],
  stretch: -1,
  fine: [],
});

/** Memory before stretch `index` of a batch. */
const markAt = ({ events, marks }: Walk, index: number): Memory => {
  for (let i = marks.length; i <= index; i++)
    marks.push(evolveAll(marks[i - 1] as Memory, events.slice((i - 1) * STRIDE, i * STRIDE)));
  return marks[index] as Memory;
};

/** Memory after event `index` of a batch. */
const memoryAfter = (walk: Walk, index: number): Memory => {
  const stretch = Math.floor(index / STRIDE);
  if (walk.stretch !== stretch) {
    walk.stretch = stretch;
    walk.fine.length = 0;
  }
  for (let i = walk.fine.length; i <= index % STRIDE; i++) {
    const before = i === 0 ? markAt(walk, stretch) : (walk.fine[i - 1] as Memory);
    walk.fine.push(evolve(before, walk.events[stretch * STRIDE + i] as Event));
  }
  return walk.fine[index % STRIDE] as Memory;
};

/** Memory after the whole batch. */
const memoryAtEnd = (walk: Walk): Memory => {
  const full = Math.floor(walk.events.length / STRIDE);
  const rest = walk.events.slice(full * STRIDE);
  return evolveAll(markAt(walk, full), rest);
};

/**
 * Walks a trace by steps. Of the present batch a memory is kept every 64 events and each one in the present stretch of 64; of earlier batches the
 * beginnings of the last 16. Memories share what they have in common, so that costs little; everything else is folded again from there or from a
 * snapshot.
 */
export const stepper = (trace: TraceView): Stepper => {
  const starts = new Map<number, Memory>();
  let walk: Walk | null = null;

  const remember = (first: number, memory: Memory): void => {
    starts.delete(first);
    starts.set(first, memory);
    for (const old of starts.keys()) {
      if (starts.size <= STARTS) break;
      starts.delete(old);
    }
  };

  const startOf = (first: number): Result<Memory> => {
    const known = starts.get(first);
    if (known !== undefined) return ok(known);
    if (walk !== null && walk.first + walk.events.length === first) return ok(memoryAtEnd(walk));
    return trace.at(first - 1);
  };

  /** The walk of the batch that holds an event. */
  const walkAt = (seq: number): Result<Walk> => {
    if (walk !== null && seq >= walk.first && seq < walk.first + walk.events.length) return ok(walk);
    const events = trace.around(seq);
    if (!events.ok) return events;
    const { seq: first } = events.value[0] as Event;
    const start = startOf(first);
    if (!start.ok) return start;
    remember(first, start.value);
    walk = walkOf(events.value, start.value);
    return ok(walk);
  };

  return {
    at: (seq) => {
      if (seq === 0) {
        const start = trace.start();
        return start.ok ? ok({ seq, memory: start.value, event: null }) : start;
      }
      const found = walkAt(seq);
      if (!found.ok) return found;
      const index = seq - found.value.first;
      return ok({
        seq,
        memory: memoryAfter(found.value, index),
        event: found.value.events[index] as Event,
      });
    },
  };
};
