/** Streams of events and of memories. The only files that load RxJS are this one, cursor.ts and library.ts. */
import { Observable, type OperatorFunction } from 'rxjs';
import type { Event } from '../core/event/event.js';
import { evolve } from '../core/memory/evolve.js';
import { nothing, type Memory } from '../core/memory/memory.js';
import { PagetrailError } from './failed.js';
import type { BatchOptions, TraceView } from './log.js';
import { memoryView, MemoryView } from './memoryView.js';

export interface EventOptions extends BatchOptions {
  /** Goes on with events as they are appended, until the trace is complete or nobody listens. */
  readonly live?: boolean;
  /** How often to look for new events, in milliseconds; 200. */
  readonly period?: number;
}

/**
 * The events of a trace, one by one: pulled batch by batch as they are taken, never ahead. Each subscription reads for itself. A failure of the log
 * is an error of the stream (PagetrailError).
 */
export const eventsOf = (trace: TraceView, options: EventOptions = {}): Observable<Event> =>
  new Observable((subscriber) => {
    let last = 0;
    let timer: NodeJS.Timeout | undefined;

    /** False when the stream is over. */
    const drain = (from: BatchOptions): boolean => {
      for (const batch of trace.batches(from)) {
        if (!batch.ok) {
          subscriber.error(new PagetrailError(batch.error));
          return false;
        }
        for (const event of batch.value) {
          last = event.seq;
          subscriber.next(event);
          if (subscriber.closed) return false;
        }
      }
      return true;
    };

    const watch = (): void => {
      const complete = trace.info.complete;
      if (!drain({ ...options, from: last })) return;
      if (complete) subscriber.complete();
      else timer = setTimeout(watch, options.period ?? 200);
    };

    if (options.live === true && options.from !== undefined) {
      const from = trace.find(options.from);
      if (from.ok) last = from.value.seq;
    }
    if (!drain(options)) return undefined;
    if (options.live === true) watch();
    else subscriber.complete();
    return () => clearTimeout(timer);
  });

/** An event, and memory before and after it. */
export interface Played {
  readonly event: Event;
  readonly before: MemoryView;
  readonly memory: MemoryView;
}

/** Pairs every event with the memory after it. `start`: memory before the first one; nothing unless given. */
export const replay =
  (start: Memory | MemoryView = nothing): OperatorFunction<Event, Played> =>
  (events) =>
    new Observable((subscriber) => {
      let memory = memoryView(start);
      return events.subscribe({
        next: (event) => {
          const before = memory;
          memory = new MemoryView(evolve(before.state, event));
          subscriber.next({ event, before, memory });
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
