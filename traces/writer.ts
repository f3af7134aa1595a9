import { encodeSegment } from '../core/codec/encode.js';
import type { Event } from '../core/event/event.js';
import { livesOf } from '../core/history/lives.js';
import { markersIn } from '../core/history/markers.js';
import { operationsIn } from '../core/history/operations.js';
import type { Batch } from '../core/history/projection.js';
import { touchTracker, type TouchTracker } from '../core/history/touched.js';
import { rectangleTracker, type RectangleTracker } from '../core/history/tracker.js';
import type { Memory } from '../core/memory/memory.js';
import { encodeMemory, REDUCER, snapshotSchedule } from '../core/memory/snapshot.js';
import type { Failure } from '../core/value/failure.js';
import type { NewSegment, Store, TraceLog } from '../store/index.js';

/** Events a segment: imports and emulations cut by count only, so that the same input gives the same root. */
export const SEGMENT_EVENTS = 4096;
/** Segments made durable together: one wait for the disk. */
const GROUP = 16;

export interface WriterOptions {
  readonly store: Store;
  /** A trace of it. */
  readonly log: TraceLog;
  /** Memory after the last event given. */
  readonly memory: () => Memory;
  /** Gets each batch before it is appended. */
  readonly onBatch?: ((batch: readonly Event[]) => void) | undefined;
}

/** Cuts events into segments, appends them in groups, keeps snapshots. */
export interface Writer {
  /** To be called once memory before the first event is there. */
  readonly begin: () => void;
  readonly add: (event: Event) => void;
  /** Appends what is left. */
  readonly end: () => void;
  /** What went wrong; nothing is appended after it. */
  readonly failure: () => Failure | null;
}

export const writer = ({ store, log, memory, onBatch }: WriterOptions): Writer => {
  const snapshots = snapshotSchedule();
  const derived = store.projections();
  const indexed = !derived.ok || derived.value.length > 0;
  // Begins with the memory that the trace begins with: before the first event is given.
  let tracker: RectangleTracker | null = null;
  let touches: TouchTracker | null = null;
  let batch: Event[] = [];
  let group: NewSegment[] = [];
  let failure: Failure | null = null;

  const flush = (): void => {
    if (group.length === 0 || failure !== null) return;
    const appended = log.appendAll(group);
    if (!appended.ok) failure = appended.error;
    group = [];
  };

  const seal = (): void => {
    const first = batch[0];
    const last = batch.at(-1);
    if (first === undefined || last === undefined || failure !== null) return;
    onBatch?.(batch);
    const bytes = encodeSegment(batch);
    const segment = { first: first.seq, count: batch.length, bytes };
    // The derived tables get what they need, not the events: objects that are held until the commit cost more than all the rest.
    const told: Batch | null =
      tracker === null
        ? null
        : {
            rectangles: tracker.take(),
            markers: markersIn(batch),
            operations: operationsIn(batch),
            lives: livesOf(batch),
            touched: touches?.take() ?? { nodes: [], programs: [] },
          };
    group.push(told === null ? segment : { ...segment, batch: told });
    batch = [];
    const due = snapshots.appended(last.seq, bytes.length);
    if (due || group.length >= GROUP) flush();
    if (!due || failure !== null) return;
    const snapshot = encodeMemory(memory());
    snapshots.made(last.seq, snapshot.length);
    // A snapshot is derived: a log without it is as good, only slower.
    log.saveSnapshot(last.seq, snapshot, REDUCER);
  };

  return {
    begin: () => {
      if (!indexed) return;
      tracker = rectangleTracker(memory);
      touches = touchTracker(memory);
      // What was given is written with the genesis.
      tracker.take();
    },
    add: (event) => {
      batch.push(event);
      tracker?.after(event);
      touches?.after(event);
      if (batch.length === SEGMENT_EVENTS) seal();
    },
    end: () => {
      seal();
      flush();
    },
    failure: () => failure,
  };
};
