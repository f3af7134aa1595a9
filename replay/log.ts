import { decodeEvents } from '../core/codec/events.js';
import { eventOf, type Event } from '../core/event/event.js';
import { Origin } from '../core/event/kind.js';
import { evolveAll, folder } from '../core/memory/evolve.js';
import { DERIVED } from '../core/history/versions.js';
import { nothing, type Memory } from '../core/memory/memory.js';
import { decodeMemory, REDUCER } from '../core/memory/snapshot.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  openStore,
  type ProjectionRow,
  type Segment,
  type Store,
  type TraceInfo,
  type TraceLog,
} from '../store/index.js';
import {
  findWhere,
  parseMoment,
  parseWhere,
  whereText,
  type MarkerAt,
  type MomentSource,
  type Where,
} from './moments.js';
import { eventsIndexed, traceIndex, type TraceIndex } from './traceIndex.js';
import {
  decoded,
  decodedUpTo,
  eventIn,
  segmentCache,
  TOLD,
  type Kinds,
  type SegmentEvents,
} from './segments.js';

/** WHERE in a trace: as text, as the number of an event, or read already. */
export type At = string | number | Where;

export interface BatchOptions {
  /** Only events after this moment. Left out: from the starting facts (seq 0) on. */
  readonly from?: At;
  /** Only events up to this moment. */
  readonly to?: At;
  /** Only events of these kinds; the others are not decoded. */
  readonly kinds?: Kinds;
}

/** A moment found in a trace. */
export interface Moment {
  readonly trace: string;
  /** The event it is after; 0: before the first. */
  readonly seq: number;
}

/** One trace of a log, for reading. Expected failures (damage, a moment that is not there) are values. */
export interface TraceView {
  readonly name: string;
  /** As it is now. */
  readonly info: TraceInfo;
  /** From the trace's meta; null where it does not say. */
  readonly arch: string | null;
  readonly kernel: string | null;
  /** Absolute time of the first event in nanoseconds, by the clock of the recording; null where it is not known. */
  readonly origin: bigint | null;
  /** What was known before the first event, as facts with number 0. */
  given(): Result<readonly Event[]>;
  /** Memory before the first event, what was given included. */
  start(): Result<Memory>;
  /** Events as batches, read one segment at a time as they are asked for. A failure is the last item. */
  batches(options?: BatchOptions): Generator<Result<readonly Event[]>, void, undefined>;
  /** Segments as they are in the log, from the one that holds event `from` on, the first when left out; checked, not decoded. A failure is the last item. */
  segments(from?: number): Generator<Result<Segment>, void, undefined>;
  find(at: At): Result<Moment>;
  /** Memory at a moment: from the nearest snapshot, or from the nearest memory asked for before. */
  at(at: At): Result<Memory>;
  /** Event `seq` (1 to info.events). */
  event(seq: number): Result<Event>;
  /** All events of the segment that holds event `seq`. */
  around(seq: number): Result<readonly Event[]>;
  /** The same without returns and choices. */
  told(seq: number): Result<SegmentEvents>;
  /** Markers in order, from their table; where there is none, read from the log at the first call. */
  markers(): Result<readonly MarkerAt[]>;
  /** Markers and operations of a workload, in order: what was going on. All there are now, or at least those up to event `to`. */
  landmarks(to?: number): Result<readonly Landmark[]>;
  /** What the derived tables tell of the trace; null where one of them is missing or behind: then everything is found by replay. */
  index(): Result<TraceIndex | null>;
}

/** A marker, or an operation of an emulated workload. */
export interface Landmark extends MarkerAt {
  readonly kind: 'marker' | 'operation';
  readonly task: string;
}

/** A log of traces, for reading. */
export interface Log {
  readonly file: string;
  traces(): Result<readonly TraceInfo[]>;
  trace(name: string): Result<TraceView>;
  /** Finds `TRACE@WHERE`. */
  moment(text: string): Result<{ readonly trace: TraceView; readonly moment: Moment }>;
  close(): void;
}

/** Where nothing is given, what is charged is not known either. */
const NOTHING_GIVEN: Event = Object.freeze(
  eventOf(
    { seq: 0, time: 0, cpu: 0, task: '', call: 0, origin: Origin.assumed },
    { kind: 'state-known', lowestName: nothing.lowestName, charged: 0, chargedKnown: 0, limit: -1 },
  ),
);

const LANDMARKS = ['marker', 'operation'] as const;
const MARKERS = ['marker'] as const;
const MARKER_ROWS = 'SELECT seq, time, task, text FROM markers WHERE trace = ? ORDER BY seq';

const markerRow = ([seq, time, task, text]: ProjectionRow): Landmark => ({
  seq: Number(seq),
  time: Number(time),
  task: String(task),
  kind: 'marker',
  text: String(text),
});

/** An event as a landmark; null: it is none. */
export const landmarkOf = (event: Event): Landmark | null => {
  if (event.kind !== 'marker' && event.kind !== 'operation') return null;
  const { seq, time, task, kind } = event;
  return { seq, time, task, kind, text: event.kind === 'marker' ? event.text : event.json };
};

/** Landmarks of some kinds as far as they were asked for. */
interface LandmarkList {
  /** All up to event `events`, the last there is now, or at least those up to event `to`. */
  readonly to: (to: number, events?: number) => Result<readonly Landmark[]>;
}

const landmarkList = (
  read: (from: number, to: number, kinds: Kinds) => Iterable<Result<readonly Event[]>>,
  kinds: readonly ('marker' | 'operation')[],
): LandmarkList => {
  const list: Landmark[] = [];
  let done = 0;
  return {
    to: (to, events = to) => {
      if (to <= done) return ok(list);
      for (const batch of read(done, events, kinds)) {
        if (!batch.ok) return batch;
        for (const event of batch.value) {
          const landmark = landmarkOf(event);
          if (landmark !== null) list.push(landmark);
          done = event.seq;
        }
      }
      done = events;
      return ok(list);
    },
  };
};

/** Memories kept in mind: a seek near a place seen before begins there. */
const KEPT = 4;

const textOrNull = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

const originOf = (info: TraceInfo): bigint | null => {
  const origin = info.meta['origin'];
  return typeof origin === 'string' && /^\d+$/.test(origin) ? BigInt(origin) : null;
};

const whereOf = (at: At): Result<Where> => {
  if (typeof at === 'number')
    return Number.isSafeInteger(at) && at >= 0
      ? ok({ kind: 'event', seq: at })
      : fail('bad-moment', `${at} is no number of an event`);
  return typeof at === 'string' ? parseWhere(at) : ok(at);
};

/** Number of the last event at or before a time, 0: none. Times go up with the numbers, as recordings are written. */
const lastAt = (trace: TraceView, events: number, time: number): Result<number> => {
  let low = 0;
  let high = events;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = trace.around(middle);
    if (!found.ok) return found;
    const batch = found.value;
    const first = batch[0] as Event;
    const last = batch.at(-1) as Event;
    if (first.time > time) high = first.seq - 1;
    else if (last.time <= time) low = last.seq;
    else return ok((batch.findLast((event) => event.time <= time) as Event).seq);
  }
  return ok(low);
};

/** The part of a batch that lies after `from` and not after `to`. */
const within = (events: readonly Event[], from: number, to: number): readonly Event[] => {
  const first = events[0];
  const last = events.at(-1);
  if (first === undefined || last === undefined) return events;
  return first.seq > from && last.seq <= to
    ? events
    : events.filter((event) => event.seq > from && event.seq <= to);
};

const viewOf = (log: TraceLog): TraceView => {
  const name = log.info.name;
  const cache = segmentCache(name, (seq) => log.segmentAt(seq));
  const toldCache = segmentCache(name, (seq) => log.segmentAt(seq), TOLD);
  const read = (from: number, to: number, kinds: Kinds) => view.batches({ from, to, kinds });
  const landmarks = landmarkList(read, LANDMARKS);
  // Apart from the landmarks: most segments of an emulation have operations, few a marker, and those without are hardly looked into.
  const markers = landmarkList(read, MARKERS);
  let memories: Memory[] = [];
  let index: TraceIndex | null = null;
  let indexed: number | null = null;

  const view: TraceView = {
    name,
    get info() {
      return log.info;
    },
    get arch() {
      return textOrNull(log.info.meta['arch']);
    },
    get kernel() {
      return textOrNull(log.info.meta['kernel']);
    },
    get origin() {
      return originOf(log.info);
    },
    given: () => {
      const bytes = log.genesis();
      if (!bytes.ok) return bytes;
      return bytes.value.length === 0 ? ok([NOTHING_GIVEN]) : decodeEvents(bytes.value);
    },
    start: () => {
      const given = view.given();
      return given.ok ? ok(evolveAll(nothing, given.value)) : given;
    },
    *batches(options = {}) {
      const from = options.from === undefined ? ok({ seq: 0 }) : view.find(options.from);
      if (!from.ok) return yield from;
      const to = options.to === undefined ? ok({ seq: Infinity }) : view.find(options.to);
      if (!to.ok) return yield to;
      if (options.from === undefined) {
        const given = view.given();
        if (!given.ok) return yield given;
        yield given;
      }
      for (const segment of log.segments(from.value.seq + 1)) {
        if (!segment.ok) return yield segment;
        if (segment.value.first > to.value.seq) return undefined;
        const events = decoded(name, segment.value, options.kinds);
        if (!events.ok) return yield events;
        const own = within(events.value, from.value.seq, to.value.seq);
        if (own.length > 0) yield ok(own);
        if (segment.value.first + segment.value.count > to.value.seq) return undefined;
      }
      return undefined;
    },
    segments: (from = 1) => log.segments(from),
    find: (at) => {
      const where = whereOf(at);
      if (!where.ok) return where;
      const info = log.info;
      const source: MomentSource = {
        name,
        events: info.events,
        origin: view.origin,
        markers: () => view.markers(),
        lastAt: (time) => lastAt(view, info.events, time),
      };
      const seq = findWhere(source, where.value);
      return seq.ok ? ok({ trace: name, seq: seq.value }) : seq;
    },
    at: (at) => {
      const moment = view.find(at);
      if (!moment.ok) return moment;
      const memory = memoryAt(moment.value.seq);
      if (memory.ok)
        memories = [memory.value, ...memories.filter((m) => m.seq !== memory.value.seq)].slice(0, KEPT);
      return memory;
    },
    event: (seq) => {
      const told = toldCache.around(seq);
      if (!told.ok) return told;
      const event = eventIn(told.value.events, seq);
      if (event !== null) return ok(event);
      const all = cache.around(seq);
      return all.ok ? ok(all.value.events[seq - all.value.first] as Event) : all;
    },
    around: (seq) => {
      const all = cache.around(seq);
      return all.ok ? ok(all.value.events) : all;
    },
    told: (seq) => toldCache.around(seq),
    markers: () => {
      const rows = log.derived(DERIVED.markers, MARKER_ROWS);
      if (!rows.ok) return rows;
      return rows.value === null ? markers.to(log.info.events) : ok(rows.value.map(markerRow));
    },
    landmarks: (to = Infinity) => landmarks.to(to, log.info.events),
    index: () => {
      const events = eventsIndexed(log);
      // Nothing was appended since it was made.
      if (index !== null && events === indexed) return ok(index);
      const found = traceIndex(log);
      index = found.ok ? found.value : null;
      indexed = events;
      return found;
    },
  };

  /** The latest memory at or before event `seq` that can be had without reading the log from the beginning, and the owner of one that nobody else has. */
  const nearest = (seq: number): Result<{ readonly memory: Memory; readonly owner?: object }> => {
    const kept = memories.reduce<Memory | null>(
      (best, memory) => (memory.seq <= seq && memory.seq > (best?.seq ?? -1) ? memory : best),
      null,
    );
    const snapshot = log.nearestSnapshot(seq, REDUCER);
    if (!snapshot.ok) return snapshot;
    if (snapshot.value !== null && snapshot.value.seq > (kept?.seq ?? 0)) {
      const owner = {};
      const memory = decodeMemory(snapshot.value.bytes, owner);
      // A snapshot that cannot be read is none: the log says it all.
      if (memory.ok) return ok({ memory: memory.value, owner });
    }
    if (kept !== null) return ok({ memory: kept });
    const start = view.start();
    return start.ok ? ok({ memory: start.value }) : start;
  };

  const memoryAt = (seq: number): Result<Memory> => {
    const start = nearest(seq);
    if (!start.ok) return start;
    const { memory, owner } = start.value;
    if (memory.seq === seq) return ok(memory);
    // One owner for the whole way: what changes again and again is copied once.
    const fold = folder(memory, owner);
    for (const segment of log.segments(memory.seq + 1)) {
      if (!segment.ok) return segment;
      const { first, count } = segment.value;
      const events = decodedUpTo(name, segment.value, seq);
      if (!events.ok) return events;
      for (const event of events.value.events) if (event.seq > memory.seq) fold.apply(event);
      if (seq < first + count) return ok({ ...fold.share(), seq, time: events.value.time });
    }
    return fail('no-such-event', `trace ${name} has no event ${seq}`);
  };
  return view;
};

/** Reads a log whose store is open. Closing the log closes the store. */
export const logOn = (store: Store): Log => {
  const views = new Map<string, TraceView>();
  const log: Log = {
    file: store.file,
    traces: () => store.traces(),
    trace: (name) => {
      const known = views.get(name);
      if (known !== undefined) return ok(known);
      const trace = store.trace(name);
      if (!trace.ok) return trace;
      const view = viewOf(trace.value);
      views.set(name, view);
      return ok(view);
    },
    moment: (text) => {
      const written = parseMoment(text);
      if (!written.ok) return written;
      const trace = log.trace(written.value.trace);
      if (!trace.ok) return trace;
      const moment = trace.value.find(written.value.where);
      return moment.ok ? ok({ trace: trace.value, moment: moment.value }) : moment;
    },
    close: () => store.close(),
  };
  return log;
};

/** Opens a log for reading. */
export const openLog = (file: string): Result<Log> => {
  const store = openStore(file, { readonly: true });
  return store.ok ? ok(logOn(store.value)) : store;
};

/** `TRACE@SEQ`: a moment as every output writes it. */
export const momentText = ({ trace, seq }: Moment): string =>
  `${trace}@${whereText(seq === 0 ? { kind: 'start' } : { kind: 'event', seq })}`;
