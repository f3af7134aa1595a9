import { valuesJson } from '../core/codec/json.js';
import type { Event, EventOf } from '../core/event/event.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { landmarkOf, type Landmark, type TraceView } from './log.js';
import type { LandmarkAt, TraceIndex } from './traceIndex.js';

/** A call that was open when something happened. */
export interface OpenCall {
  /** Number of its `entered` event. */
  readonly seq: number;
  readonly fn: string;
  /** Arguments as recorded. */
  readonly args: Readonly<Record<string, string>>;
  readonly task: string;
}

/** What was going on when something happened. */
export interface Circumstances {
  /** Calls, innermost first; the last one is the root call. Empty: outside any call. */
  readonly calls: readonly OpenCall[];
  /** The last marker before (of the same task where it wrote any), or operation of the workload. */
  readonly marker: Landmark | null;
  /** The last `phase: …` marker before. */
  readonly phase: Landmark | null;
}

/** Calls as they are shown, by their events: what happens in a call comes one after the other. */
const shownCalls = new WeakMap<EventOf<'entered'>, OpenCall>();

const openCallOf = (event: EventOf<'entered'>): OpenCall => {
  const known = shownCalls.get(event);
  if (known !== undefined) return known;
  const { seq, fn, names, values, task } = event;
  const call = { seq, fn, args: valuesJson(names, values), task };
  shownCalls.set(event, call);
  return call;
};

/** The calls around an event, innermost first. */
export const callsAround = (trace: TraceView, event: Event): Result<readonly OpenCall[]> => {
  const calls: OpenCall[] = [];
  let call = event.call;
  let below = event.kind === 'entered' ? event.seq : event.seq + 1;
  while (call !== 0) {
    // Calls lie before what happens in them: anything else would go round for ever.
    if (call >= below)
      return fail('damaged', `event ${event.seq} of trace ${trace.name} lies in no call that came before it`);
    const entered = trace.event(call);
    if (!entered.ok) return entered;
    if (entered.value.kind !== 'entered')
      return fail('damaged', `event ${call} of trace ${trace.name} is no call, as event ${event.seq} says`);
    calls.push(openCallOf(entered.value));
    below = call;
    call = entered.value.call;
  }
  return ok(calls);
};

/** Index of the last landmark at or before event `seq`, or -1. */
const lastBefore = (landmarks: readonly Landmark[], seq: number): number => {
  let low = 0;
  let high = landmarks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((landmarks[middle] as Landmark).seq <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/** Landmarks looked back over for one of the same task. */
const LOOK_BACK = 64;
/** Landmarks asked for at first: mostly one of the same task is among them. */
const FIRST = 4;

const landmarkFor = (landmarks: readonly Landmark[], from: number, task: string): Landmark | null => {
  for (let i = from; i >= Math.max(0, from - LOOK_BACK); i--)
    if (landmarks[i]?.task === task) return landmarks[i] as Landmark;
  return landmarks[from] ?? null;
};

/** Of each landmark of a list, as far as was asked: index of the last `phase: …` at or before it, or -1. Lists of landmarks only grow. */
const phases = new WeakMap<readonly Landmark[], number[]>();

const phaseBefore = (landmarks: readonly Landmark[], at: number): Landmark | null => {
  const known = phases.get(landmarks) ?? [];
  if (known.length === 0) phases.set(landmarks, known);
  for (let i = known.length; i <= at; i++)
    known.push(landmarks[i]?.text.startsWith('phase: ') === true ? i : (known[i - 1] ?? -1));
  return landmarks[known[at] ?? -1] ?? null;
};

/** A marker or an operation as its event tells it. */
const landmarkAt = (trace: TraceView, place: LandmarkAt | undefined): Result<Landmark | null> => {
  if (place === undefined) return ok(null);
  if (place.marker !== null) return ok(place.marker);
  const { seq } = place;
  const event = trace.event(seq);
  if (!event.ok) return event;
  const landmark = landmarkOf(event.value);
  return landmark === null
    ? fail(
        'damaged',
        `event ${seq} of trace ${trace.name} is neither a marker nor an operation, as its tables say`,
      )
    : ok(landmark);
};

/** Of the last landmarks before an event the one of its task, else the last one. */
const lastOfTask = (index: TraceIndex, seq: number, task: string): Result<LandmarkAt | undefined> => {
  for (const most of [FIRST, LOOK_BACK + 1]) {
    const before = index.landmarksBefore(seq, most);
    if (!before.ok) return before;
    const own = before.value.find((landmark) => landmark.task === task);
    if (own !== undefined || before.value.length < most || most > LOOK_BACK)
      return ok(own ?? before.value[0]);
  }
  return ok(undefined);
};

const landmarksByIndex = (
  trace: TraceView,
  index: TraceIndex,
  seq: number,
  task: string,
): Result<Pick<Circumstances, 'marker' | 'phase'>> => {
  const place = lastOfTask(index, seq, task);
  if (!place.ok) return place;
  const marker = landmarkAt(trace, place.value);
  if (!marker.ok) return marker;
  const phase = index.phaseBefore(seq);
  return phase.ok ? ok({ marker: marker.value, phase: phase.value }) : phase;
};

/** Calls and markers around an event. `tables`: those of the trace, where they are at hand. */
export const circumstancesOf = (
  trace: TraceView,
  event: Event,
  tables?: TraceIndex | null,
): Result<Circumstances> => {
  const calls = callsAround(trace, event);
  if (!calls.ok) return calls;
  const task = calls.value.at(-1)?.task ?? event.task;
  const index = tables === undefined ? trace.index() : ok(tables);
  if (!index.ok) return index;
  if (index.value !== null) {
    const found = landmarksByIndex(trace, index.value, event.seq, task);
    return found.ok ? ok({ calls: calls.value, ...found.value }) : found;
  }
  const landmarks = trace.landmarks(event.seq);
  if (!landmarks.ok) return landmarks;
  const at = lastBefore(landmarks.value, event.seq);
  return ok({
    calls: calls.value,
    marker: landmarkFor(landmarks.value, at, task),
    phase: phaseBefore(landmarks.value, at),
  });
};
