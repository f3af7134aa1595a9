/**
 * History of an address, a range, a program or a pack: every event that changed its permission, leaf, frame, alias or content, or its life, with the calls
 * around it. Read are the segments that may have changed it, as the derived tables tell; where these are missing, all of them.
 */
import { eventJson } from '../core/codec/json.js';
import { ORIGINS } from '../core/event/kind.js';
import { ok, type Result } from '../core/value/failure.js';
import { beginAfter, closeUpBefore } from './closeUp.js';
import { circumstancesOf, type Circumstances } from './calls.js';
import type { Change } from './change.js';
import type { Follower } from './follower.js';
import type { At, TraceView } from './log.js';
import type { Subject } from './subjects.js';
import { framesOf, placeOf } from './touches.js';
import type { Run, TraceIndex } from './traceIndex.js';

/** One change of a subject, and what was going on. */
export type HistoryItem = Change & Circumstances;

const withCalls = (trace: TraceView, change: Result<Change>): Result<HistoryItem> => {
  if (!change.ok) return change;
  const around = circumstancesOf(trace, change.value.event);
  return around.ok ? ok({ ...change.value, ...around.value }) : around;
};

export interface HistoryOptions {
  /** Changes after this moment only; default: all, given facts included. */
  readonly from?: At;
  readonly to?: At;
}

/** Lets a follower see some runs of events, and nothing between them; changes before event `from` are not told. */
function* through(
  follow: Follower,
  runs: readonly Run[],
  from = 0,
): Generator<Result<Change>, void, undefined> {
  for (const { first, last } of runs) {
    if (first - 1 > follow.seq()) {
      const skipped = follow.skip(first - 1);
      if (!skipped.ok) return yield skipped;
    }
    yield* follow.through(last, from);
  }
  return undefined;
}

/** Where a subject may have changed, between two moments; by the tables, or everywhere. */
const runsOf = (trace: TraceView, subject: Subject, from: number, to: number): Result<readonly Run[]> => {
  const begin = Math.max(from + 1, subject.from);
  const end = Math.min(to, subject.to ?? Infinity);
  if (begin > end) return ok([]);
  const index = trace.index();
  if (!index.ok) return index;
  if (index.value === null) return ok([{ first: from + 1, last: end }]);
  const runs = index.value.touched(placeOf(subject), begin, end);
  return runs.ok
    ? ok(runs.value.map((run) => ({ first: Math.max(run.first, from + 1), last: Math.min(run.last, end) })))
    : runs;
};

/**
 * The changes of a subject in order, found as they are asked for. A failure is the last item.
 */
export function* history(
  trace: TraceView,
  subject: Subject,
  options: HistoryOptions = {},
): Generator<Result<HistoryItem>, void, undefined> {
  const from = trace.find(options.from ?? 'start');
  if (!from.ok) return yield from;
  const to = trace.find(options.to ?? 'end');
  if (!to.ok) return yield to;
  // Before its life only its pages are what they are: nothing of that is told.
  const follow = beginAfter(
    trace,
    subject,
    Math.max(from.value.seq, Math.min(subject.from - 1, to.value.seq)),
  );
  if (!follow.ok) return yield follow;
  const runs = runsOf(trace, subject, from.value.seq, to.value.seq);
  if (!runs.ok) return yield runs;
  for (const change of through(follow.value, runs.value)) yield withCalls(trace, change);
  return undefined;
}

/** Which changes are looked for. */
export type Wanted = (change: Change) => boolean;

const lastOf = <T extends Change>(items: Iterable<Result<T>>, wanted: Wanted): Result<T | null> => {
  let last: T | null = null;
  for (const item of items) {
    if (!item.ok) return item;
    if (wanted(item.value)) last = item.value;
  }
  return ok(last);
};

/** The last change of a subject (of those that are wanted) at or before a moment; null: there is none since the trace began. */
export const lastChange = (
  trace: TraceView,
  subject: Subject,
  to: At = 'end',
  wanted: Wanted = () => true,
): Result<HistoryItem | null> => {
  const moment = trace.find(to);
  if (!moment.ok) return moment;
  const index = trace.index();
  if (!index.ok) return index;
  if (index.value === null) return lastOf(history(trace, subject, { to: moment.value.seq }), wanted);
  const end = Math.min(moment.value.seq, subject.to ?? Infinity);
  return lastByIndex(trace, subject, end, wanted, index.value);
};

/** The last segments that may have changed a subject, at most `most`, that begin before event `before`; in order. */
const runsBefore = (
  index: TraceIndex,
  subject: Subject,
  before: number,
  most: number,
): Result<readonly Run[]> => {
  const place = placeOf(subject);
  const runs: Run[] = [];
  while (runs.length < most) {
    const run = index.touchedBefore(place, runs[0]?.first ?? before);
    if (!run.ok) return run;
    if (run.value === null) break;
    runs.unshift({ first: run.value.first, last: Math.min(run.value.last, before - 1) });
    if (run.value.first <= subject.from) break;
  }
  return ok(runs);
};

/** Segments that are looked into, from the last one backward: one, then twice as many each time. */
const lastByIndex = (
  trace: TraceView,
  subject: Subject,
  end: number,
  wanted: Wanted,
  index: TraceIndex,
): Result<HistoryItem | null> => {
  let before = end + 1;
  for (let most = 1; ; most *= 2) {
    const looked = runsBefore(index, subject, before, most);
    if (!looked.ok) return looked;
    const begin = looked.value[0];
    if (begin === undefined) return ok(null);
    const runs = [...looked.value];
    let follow = closeUpBefore(trace, subject, begin.first);
    if (!follow.ok) return follow;
    // Frames count after they were taken away, too: who looks in from there on has to know them from the time when they were behind the pages.
    while (framesOf(follow.value.memory(), subject).size === 0) {
      const earlier = runsBefore(index, subject, (runs[0] as Run).first, 1);
      if (!earlier.ok) return earlier;
      const [run] = earlier.value;
      if (run === undefined) break;
      runs.unshift(run);
      follow = closeUpBefore(trace, subject, run.first);
      if (!follow.ok) return follow;
    }
    const last = lastOf(through(follow.value, runs, begin.first), wanted);
    if (!last.ok) return last;
    if (last.value !== null) return withCalls(trace, ok(last.value));
    if (looked.value.length < most || begin.first <= subject.from) return ok(null);
    before = begin.first;
  }
};

/** The first change of a subject after a moment; null: it has not changed since. */
export const firstChange = (
  trace: TraceView,
  subject: Subject,
  from: At = 'start',
): Result<HistoryItem | null> => {
  for (const item of history(trace, subject, { from })) return item;
  return ok(null);
};

/** A change as JSON. */
export const historyJson = ({ event, calls, marker, phase, ...change }: HistoryItem) => ({
  seq: event.seq,
  time_ns: String(event.time),
  task: event.task,
  kind: event.kind,
  origin: ORIGINS[event.origin],
  ...change,
  event: eventJson(event),
  calls,
  marker: marker === null ? null : { seq: marker.seq, text: marker.text },
  phase: phase === null ? null : { seq: phase.seq, text: phase.text },
});
