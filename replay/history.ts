/**
 * History of an address, a program or a pack: every event that changed its permission, leaf, frame, alias or content, or its life, with the calls
 * around it. By replay: the whole trace is folded once.
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
import {
  changedContent,
  changedRanges,
  type ChangedContent,
  type ChangedRange,
  type ChunkRange,
} from './shownDiff.js';
import { bytesOf, type Subject } from './subjects.js';
import { frameTracker, mayTouch, pagesOf } from './touches.js';

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

/** Events folded at once while nothing touches the subject. */
const isWithin = (subject: Subject, event: Event): boolean =>
  event.seq >= subject.from && (subject.to === null || event.seq <= subject.to);

/**
 * The changes of a subject in order, found as they are asked for. A failure is the last item.
 */
export function* history(
  trace: TraceView,
  subject: Subject,
  options: HistoryOptions = {},
): Generator<Result<HistoryItem>, void, undefined> {
  const start = options.from === undefined ? null : trace.at(options.from);
  if (start?.ok === false) return yield start;
  let memory: Memory | null = start?.value ?? null;
  const tracker = frameTracker(subject);
  if (memory !== null) tracker.after(memory, null);
  const batches = trace.batches({
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.to === undefined ? {} : { to: options.to }),
    kinds: 'changesMemory',
  });
  for (const batch of batches) {
    if (!batch.ok) return yield batch;
    if (memory === null) {
      // The given facts, as one: what was there before the first event.
      const begun = trace.start();
      if (!begun.ok) return yield begun;
      memory = begun.value;
      tracker.after(memory, null);
      continue;
    }
    let from = 0;
    for (const [index, event] of batch.value.entries()) {
      if (!isWithin(subject, event) || !mayTouch(memory, subject, tracker.frames(), event)) continue;
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
  return undefined;
}

/** The last change of a subject at or before a moment; null: it has not changed since the trace began. */
export const lastChange = (
  trace: TraceView,
  subject: Subject,
  to: At = 'end',
): Result<HistoryItem | null> => {
  let last: HistoryItem | null = null;
  for (const item of history(trace, subject, { to })) {
    if (!item.ok) return item;
    last = item.value;
  }
  return ok(last);
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
