/**
 * History of an address, a range, a program or a pack: every event that changed its permission, leaf, frame, alias or content, or its life, with the calls
 * around it. Read are the segments that may have changed its pages, as the derived tables tell; where these are missing, all of them.
 */
import { eventJson } from '../core/codec/json.js';
import type { Event } from '../core/event/event.js';
import { ORIGINS } from '../core/event/kind.js';
import { evolve, evolveAll } from '../core/memory/evolve.js';
import type { Memory, Program } from '../core/memory/memory.js';
import { Address } from '../core/value/address.js';
import { ok, type Result } from '../core/value/failure.js';
import { circumstancesOf, type Circumstances } from './calls.js';
import { diffStates, type EntityDiff, type MemoryDiff } from './diffStates.js';
import type { At, TraceView } from './log.js';
import { changedContent, type ChangedContent } from './changedContent.js';
import type { ChunkRange } from './changedPacks.js';
import { changedRanges, type ChangedRange } from './changedRanges.js';
import { bytesOf, type Subject } from './subjects.js';
import { frameTracker, mayTouch, pagesOf } from './touches.js';
import type { Run, TraceIndex } from './traceIndex.js';

/** One change of a subject. */
export interface HistoryItem extends Circumstances {
  readonly event: Event;
  /** Virtual pages. */
  readonly mappings: readonly ChangedRange[];
  /** The direct map of the frames behind, by physical address. */
  readonly direct_map: readonly ChangedRange[];
  readonly content: readonly ChangedContent[];
  /** Chunks of a pack taken or given back. */
  readonly taken: readonly ChunkRange[];
  readonly freed: readonly ChunkRange[];
  /** What became of the area, the pack or the program, in words. */
  readonly life: readonly string[];
}

export interface HistoryOptions {
  /** Changes after this moment only; default: all, given facts included. */
  readonly from?: At;
  readonly to?: At;
}

const filtered = <V>(diff: EntityDiff<V>, keep: (key: number) => boolean): EntityDiff<V> => {
  const part = <T>(map: ReadonlyMap<number, T>): ReadonlyMap<number, T> =>
    new Map([...map].filter(([key]) => keep(key)));
  return { added: part(diff.added), removed: part(diff.removed), changed: part(diff.changed) };
};

const areaLife = (diff: MemoryDiff, first: number, end: number): readonly string[] => {
  const words: string[] = [];
  const meets = (start: number, pages: number): boolean => start < end && start + pages > first;
  for (const area of diff.areas.added.values())
    if (meets(area.start, area.pages))
      words.push(`area reserved${area.caller === '' ? '' : ` by ${area.caller}`}`);
  for (const area of diff.areas.removed.values())
    if (meets(area.start, area.pages)) words.push('addresses may be used again');
  for (const [from, to] of diff.areas.changed.values()) {
    if (!meets(to.start, to.pages)) continue;
    if (from.state !== to.state) words.push('area removed, its addresses wait for a purge');
    if (from.flags !== to.flags) words.push(`area flags 0x${to.flags.toString(16)}`);
  }
  return words;
};

const packLife = (diff: MemoryDiff, subject: Subject): readonly string[] => {
  if (subject.kind !== 'pack') return [];
  const start = subject.start.page;
  if (diff.packs.added.has(start)) return ['pack put on the list'];
  if (diff.packs.removed.has(start)) return ['pack taken off the list'];
  const changed = diff.packs.changed.get(start);
  if (changed === undefined || changed[0].dirty === changed[1].dirty) return [];
  return [changed[1].dirty ? 'a predictor flush is due' : 'no predictor flush is due any more'];
};

const programText = (program: Program): string =>
  program.name ?? `program:${program.number} at ${Address.toText(program.chunk)}`;

const programLife = (diff: MemoryDiff, subject: Subject): readonly string[] => {
  const words: string[] = [];
  const { start, bytes } = bytesOf(subject);
  const concerns = (program: Program): boolean => {
    if (subject.kind === 'program') return program.number === subject.number;
    const offset = Address.minus(program.chunk, start);
    return offset < bytes && offset + program.bytes > 0;
  };
  for (const program of diff.programs.added.values())
    if (concerns(program)) words.push(`${programText(program)}: memory allocated, ${program.bytes} bytes`);
  for (const program of diff.programs.removed.values())
    if (concerns(program)) words.push(`${programText(program)}: freed`);
  for (const [from, to] of diff.programs.changed.values()) {
    if (!concerns(to)) continue;
    if (from.start === null && to.start !== null)
      words.push(`${programText(to)}: entry ${Address.toText(to.start)}, ${to.length ?? 0} bytes of code`);
    if (from.symbols < to.symbols) words.push(`${programText(to)}: symbol published`);
    if (from.symbols > to.symbols) words.push(`${programText(from)}: symbol withdrawn`);
    if (from.state !== to.state) words.push(`${programText(to)}: ${to.state}`);
  }
  return words;
};

/** The content that is asked for. */
const contentOf = (subject: Subject, list: readonly ChangedContent[]): readonly ChangedContent[] => {
  const wanted = bytesOf(subject);
  return list.flatMap((range) => {
    const at = Address.parse(range.start) ?? Address.zero;
    const offset = Address.minus(wanted.start, at);
    const from = Math.max(0, offset);
    const bytes = Math.min(range.bytes, offset + wanted.bytes) - from;
    return bytes <= 0 ? [] : [{ ...range, start: Address.toText(Address.add(at, from)), bytes }];
  });
};

const usedDelta = (
  diff: MemoryDiff,
  subject: Subject,
  event: Event,
): { readonly taken: readonly ChunkRange[]; readonly freed: readonly ChunkRange[] } => {
  const none = { taken: [], freed: [] };
  if (subject.kind !== 'pack' || !diff.packs.changed.has(subject.start.page)) return none;
  if (event.kind !== 'chunk-allocated' && event.kind !== 'chunk-freed') return none;
  const range = [{ start: Address.toText(event.at), bytes: event.bytes }];
  return event.kind === 'chunk-allocated' ? { taken: range, freed: [] } : { taken: [], freed: range };
};

type Change = Omit<HistoryItem, keyof Circumstances>;

/** What an event changed of a subject; null: nothing. */
const changeBy = (
  before: Memory,
  after: Memory,
  subject: Subject,
  event: Event,
  frames: ReadonlySet<number>,
): Change | null => {
  const diff = diffStates(before, after);
  const { first, end } = pagesOf(subject);
  const mappings = changedRanges(
    filtered(diff.pages, (page) => page >= first && page < end),
    { direct: false, physical: true },
  );
  const direct_map = changedRanges(
    filtered(diff.direct, (pfn) => frames.has(pfn)),
    { direct: true, physical: true },
  );
  const content = contentOf(subject, changedContent(before, after, diff));
  const life = [
    ...areaLife(diff, first, end),
    ...packLife(diff, subject),
    ...programLife(diff, subject),
    ...forgetting(event, first, end),
  ];
  const { taken, freed } = usedDelta(diff, subject, event);
  const nothing = [mappings, direct_map, content, life, taken, freed].every((list) => list.length === 0);
  return nothing ? null : { event, mappings, direct_map, content, taken, freed, life };
};

const forgetting = (event: Event, first: number, end: number): readonly string[] =>
  event.kind === 'forgotten' && event.page < end && event.page + event.pages > first
    ? [`nothing more is known: ${event.why}`]
    : [];

const isWithin = (subject: Subject, event: Event): boolean =>
  event.seq >= subject.from && (subject.to === null || event.seq <= subject.to);

/** Walks through events and finds the changes of a subject. */
interface Follower {
  /** The event its memory is after. */
  readonly seq: () => number;
  /** Goes on after event `to`; nothing in between concerns the subject. */
  readonly skip: (to: number) => Result<void>;
  /** The changes by the events up to `to`. A failure is the last item. */
  readonly through: (to: number) => Generator<Result<HistoryItem>, void, undefined>;
}

/** Events that are read rather than jumped over: a seek reads as many. */
const NEAR = 8192;

const follower = (trace: TraceView, subject: Subject, begin: Memory): Follower => {
  let memory = begin;
  const tracker = frameTracker(subject);
  tracker.after(memory, null);
  let begun = subject.from === 0;
  return {
    seq: () => memory.seq,
    skip: (to) => {
      if (to - memory.seq > NEAR) {
        const there = trace.at(to);
        if (!there.ok) return there;
        memory = there.value;
        return ok(undefined);
      }
      for (const batch of trace.batches({ from: memory.seq, to, kinds: 'changesMemory' })) {
        if (!batch.ok) return batch;
        memory = evolveAll(memory, batch.value);
      }
      memory = { ...memory, seq: to };
      return ok(undefined);
    },
    *through(to) {
      if (to <= memory.seq) return undefined;
      for (const batch of trace.batches({ from: memory.seq, to, kinds: 'changesMemory' })) {
        if (!batch.ok) return yield batch;
        let from = 0;
        for (const [index, event] of batch.value.entries()) {
          if (!isWithin(subject, event)) continue;
          if (!begun) {
            // Its frames are those behind it when its life begins.
            begun = true;
            memory = evolveAll(memory, batch.value.slice(from, index));
            from = index;
            tracker.after(memory, null);
          }
          if (!mayTouch(memory, subject, tracker.frames(), event)) continue;
          const before: Memory = evolveAll(memory, batch.value.slice(from, index));
          memory = evolve(before, event);
          from = index + 1;
          const behind = tracker.frames();
          tracker.after(memory, event);
          const now = tracker.frames();
          const frames = now === behind ? now : new Set([...behind, ...now]);
          const change = changeBy(before, memory, subject, event, frames);
          if (change === null) continue;
          const around = circumstancesOf(trace, event);
          if (!around.ok) return yield around;
          yield ok({ ...change, ...around.value });
        }
        memory = evolveAll(memory, batch.value.slice(from));
      }
      memory = { ...memory, seq: to };
      return undefined;
    },
  };
};

/** Lets a follower see some runs of events, and nothing between them. */
function* through(follow: Follower, runs: readonly Run[]): Generator<Result<HistoryItem>, void, undefined> {
  for (const { first, last } of runs) {
    if (first - 1 > follow.seq()) {
      const skipped = follow.skip(first - 1);
      if (!skipped.ok) return yield skipped;
    }
    yield* follow.through(last);
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
  const { first, end: stop } = pagesOf(subject);
  const runs = index.value.touched(first, stop, begin, end);
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
  const begin = trace.at(from.value.seq);
  if (!begin.ok) return yield begin;
  const runs = runsOf(trace, subject, from.value.seq, to.value.seq);
  if (!runs.ok) return yield runs;
  yield* through(follower(trace, subject, begin.value), runs.value);
  return undefined;
}

/** Which changes are looked for. */
export type Wanted = (change: HistoryItem) => boolean;

const lastOf = (items: Iterable<Result<HistoryItem>>, wanted: Wanted): Result<HistoryItem | null> => {
  let last: HistoryItem | null = null;
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

/** Segments that are looked into, from the last one backward: one, then twice as many each time. */
const lastByIndex = (
  trace: TraceView,
  subject: Subject,
  end: number,
  wanted: Wanted,
  index: TraceIndex,
): Result<HistoryItem | null> => {
  const { first, end: stop } = pagesOf(subject);
  let before = end + 1;
  for (let most = 1; ; most *= 2) {
    const runs: Run[] = [];
    // One more than are looked into: it shows which frames were behind the pages when the others began.
    while (runs.length <= most) {
      const run = index.touchedBefore(first, stop, runs[0]?.first ?? before);
      if (!run.ok) return run;
      if (run.value === null) break;
      runs.unshift({ first: run.value.first, last: Math.min(run.value.last, before - 1) });
      if (run.value.first <= subject.from) break;
    }
    const begin = runs[0];
    if (begin === undefined) return ok(null);
    const looked = runs.length > most ? (runs[1] as Run).first : begin.first;
    const memory = trace.at(begin.first - 1);
    if (!memory.ok) return memory;
    const changes = through(follower(trace, subject, memory.value), runs);
    const last = lastOf(changes, (item) => item.event.seq >= looked && wanted(item));
    if (!last.ok || last.value !== null) return last;
    if (runs.length <= most) return ok(null);
    before = looked;
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
