/** Walks through the events of a trace and finds the changes of a subject. */
import type { Event } from '../core/event/event.js';
import { evolve, evolveAll } from '../core/memory/evolve.js';
import { Memory } from '../core/memory/memory.js';
import { Address } from '../core/value/address.js';
import { ok, type Result } from '../core/value/failure.js';
import { changeBy, type Change } from './change.js';
import type { TraceView } from './log.js';
import type { Subject } from './subjects.js';
import { bringsFrames, concerns, frameTracker, mayTouch } from './touches.js';

export interface Follower {
  /** The event its memory is after. */
  readonly seq: () => number;
  /** Of the subject and what it depends on; more of it may be of an earlier moment. */
  readonly memory: () => Memory;
  /** Goes on after event `to`; nothing in between concerns the subject. */
  readonly skip: (to: number) => Result<void>;
  /** The changes by the events up to `to`, of event `from` and later ones. A failure is the last item. */
  readonly through: (to: number, from?: number) => Generator<Result<Change>, void, undefined>;
}

const isWithin = (subject: Subject, event: Event): boolean =>
  event.seq >= subject.from && (subject.to === null || event.seq <= subject.to);

/** Tells the changes that pairs of memories show. */
interface Teller {
  /** Whether an event may be a change. */
  readonly wants: (before: Memory, event: Event) => boolean;
  /** Null: it is none, or is not to be told. */
  readonly tell: (before: Memory, after: Memory, event: Event, told: boolean) => Change | null;
}

const teller = (subject: Subject, start: Memory): Teller => {
  const tracker = frameTracker(subject);
  tracker.after(start, null);
  let begun = subject.from === 0;
  return {
    wants: (before, event) => {
      if (!isWithin(subject, event)) return false;
      if (!begun) {
        // Its frames are those behind it when its life begins.
        begun = true;
        tracker.after(before, null);
      }
      return mayTouch(before, subject, tracker.frames(), event);
    },
    tell: (before, after, event, told) => {
      const behind = tracker.frames();
      tracker.after(after, event);
      if (!told) return null;
      const now = tracker.frames();
      const frames = now === behind ? now : new Set([...behind, ...now]);
      return changeBy(before, after, subject, event, frames);
    },
  };
};

/** Events that are read rather than jumped over: a seek reads as many. */
const NEAR = 8192;

/** Follows all of memory. */
export const follower = (
  trace: TraceView,
  subject: Subject,
  begin: Memory,
  { wants, tell } = teller(subject, begin),
): Follower => {
  let memory = begin;
  return {
    seq: () => memory.seq,
    memory: () => memory,
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
    *through(to, from = 0) {
      if (to <= memory.seq) return undefined;
      for (const batch of trace.batches({ from: memory.seq, to, kinds: 'changesMemory' })) {
        if (!batch.ok) return yield batch;
        let applied = 0;
        for (const [index, event] of batch.value.entries()) {
          if (!isWithin(subject, event)) continue;
          if (!wants(memory, event)) continue;
          const before: Memory = evolveAll(memory, batch.value.slice(applied, index));
          memory = evolve(before, event);
          applied = index + 1;
          const change = tell(before, memory, event, event.seq >= from);
          if (change !== null) yield ok(change);
        }
        memory = evolveAll(memory, batch.value.slice(applied));
      }
      memory = { ...memory, seq: to };
      return undefined;
    },
  };
};

/** Without the programs that must have gone, unseen from here, before this one came. */
const cleared = (memory: Memory, event: Event): Memory => {
  if (event.kind !== 'program-allocated') return memory;
  const end = Address.add(event.chunk, event.bytes);
  let left = memory;
  for (const { number, chunk, bytes } of Memory.programs(memory))
    if (Address.compare(chunk, end) < 0 && Address.compare(Address.add(chunk, bytes), event.chunk) > 0)
      left = evolve(left, { ...event, kind: 'program-freed', program: number, seq: left.seq });
  return left;
};

/** Seeks for the sake of frames from elsewhere, after which all of memory is followed. */
const FEW = 3;

/** Follows what concerns a subject alone: nothing else is applied, and nothing between the runs is read. */
export const closeFollower = (trace: TraceView, subject: Subject, begin: Memory): Follower => {
  let memory = begin;
  let seeks = 0;
  let wide: Follower | null = null;
  const telling = teller(subject, begin);
  const { wants, tell } = telling;
  const near = frameTracker(subject);
  near.after(begin, null);
  const widen = (seq: number): Result<void> => {
    const there = trace.at(seq);
    if (!there.ok) return there;
    wide = follower(trace, subject, there.value, telling);
    return ok(undefined);
  };
  return {
    seq: () => wide?.seq() ?? memory.seq,
    memory: () => wide?.memory() ?? memory,
    skip: (to) => {
      if (seeks < FEW) {
        memory = { ...memory, seq: to };
        return ok(undefined);
      }
      return wide === null ? widen(to) : wide.skip(to);
    },
    *through(to, from = 0) {
      const widened = seeks >= FEW && wide === null ? widen(memory.seq) : ok(undefined);
      if (!widened.ok) return yield widened;
      if (wide !== null) return yield* wide.through(to, from);
      for (let at = memory.seq; at < to;) {
        // With the calls around: who finds a change asks for them next.
        const batch = trace.told(at + 1);
        if (!batch.ok) return yield batch;
        const { events, last } = batch.value;
        for (const event of events) {
          if (event.seq <= at) continue;
          if (event.seq > to) break;
          if (!concerns(memory, subject, near.frames(), event)) continue;
          if (bringsFrames(subject, event)) {
            seeks++;
            const there = trace.at(event.seq - 1);
            if (!there.ok) return yield there;
            memory = there.value;
          }
          const before = cleared(memory, event);
          memory = evolve(before, event);
          near.after(memory, event);
          if (!wants(before, event)) continue;
          const change = tell(before, memory, event, event.seq >= from);
          if (change !== null) yield ok(change);
        }
        at = last;
      }
      memory = { ...memory, seq: to };
      return undefined;
    },
  };
};
