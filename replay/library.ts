/**
 * The log as `import { open } from 'pagetrail'` gives it: what can fail throws PagetrailError, so that calls can be chained. Programs that want failures
 * as values use `openLog`.
 */
import type { Observable } from 'rxjs';
import type { Event } from '../core/event/event.js';
import type { TraceInfo } from '../store/index.js';
import { cursorOn, type Cursor } from './cursor.js';
import { must } from './failed.js';
import { openLog, type At, type BatchOptions, type TraceView } from './log.js';
import { MemoryView } from './memoryView.js';
import { eventsOf, type EventOptions } from './stream.js';

/** One trace. */
export interface OpenTrace {
  readonly name: string;
  readonly info: TraceInfo;
  /** Batches of events, read as they are asked for; the starting facts (seq 0) first unless `from` is given. Can be iterated again. */
  batches(options?: BatchOptions): Iterable<readonly Event[]>;
  /** The same, event by event, as a stream. */
  events(options?: EventOptions): Observable<Event>;
  /** Memory at a moment: `#loaded8`, `42`, `6.817602s`, `start`, `end`. */
  at(at: At): MemoryView;
  /** Number of the event that a moment is after. */
  find(at: At): number;
  event(seq: number): Event;
  cursor(at?: At): Cursor;
  /** The same trace with failures as values. */
  readonly view: TraceView;
}

/** An open log. */
export interface OpenLog {
  readonly file: string;
  traces(): readonly TraceInfo[];
  trace(name: string): OpenTrace;
  close(): void;
}

const traceOf = (view: TraceView): OpenTrace => ({
  name: view.name,
  get info() {
    return view.info;
  },
  batches: (options) => ({
    *[Symbol.iterator]() {
      for (const batch of view.batches(options)) yield must(batch);
    },
  }),
  events: (options) => eventsOf(view, options),
  at: (at) => new MemoryView(must(view.at(at))),
  find: (at) => must(view.find(at)).seq,
  event: (seq) => must(view.event(seq)),
  cursor: (at) => must(cursorOn(view, at)),
  view,
});

/** Opens a log for reading. */
export const open = (file: string): OpenLog => {
  const log = must(openLog(file));
  return {
    file: log.file,
    traces: () => must(log.traces()),
    trace: (name) => traceOf(must(log.trace(name))),
    close: () => log.close(),
  };
};
