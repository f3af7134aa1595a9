import { extentOf } from '../core/codec/extent.js';
import type { Event } from '../core/event/event.js';
import { Space } from '../core/event/pages.js';
import type { Place } from '../core/history/touched.js';
import { Memory, NO_FRAME } from '../core/memory/memory.js';
import { Address, PAGE_SIZE } from '../core/value/address.js';
import { bytesOf, type Subject } from './subjects.js';

/** Pages of a subject. */
export const pagesOf = ({ start, bytes }: Subject): { readonly first: number; readonly end: number } => ({
  first: start.page,
  end: Address.add(start, Math.max(bytes, 1) - 1).page + 1,
});

/** Frame behind a page: that of its mapping, or the one its area still holds after the unmapping. */
const frameBehind = (memory: Memory, page: number): number => {
  const mapped = Memory.page(memory, page)?.frame ?? NO_FRAME;
  if (mapped !== NO_FRAME) return mapped;
  const area = Memory.areaAt(memory, page);
  return area?.frames?.[page - area.start] ?? NO_FRAME;
};

/** All of some pages. */
export const wholePages = (first: number, end: number): Place => ({
  first,
  end,
  start: Address.of(first),
  bytes: (end - first) * PAGE_SIZE,
});

/** Where events may touch a subject. */
export const placeOf = (subject: Subject): Place => {
  const { start, bytes } = bytesOf(subject);
  return { ...pagesOf(subject), start, bytes };
};

/** Frames behind the pages of a subject. */
export const framesOf = (memory: Memory, subject: Subject): ReadonlySet<number> => {
  const { first, end } = pagesOf(subject);
  const frames = new Set<number>();
  for (let page = first; page < end; page++) {
    const frame = frameBehind(memory, page);
    if (frame !== NO_FRAME) frames.add(frame);
  }
  return frames;
};

/** Frames of a subject as they are followed: also after its pages are unmapped, until they are released or back something else. */
export interface FrameTracker {
  readonly frames: () => ReadonlySet<number>;
  /** To be told of each event that may touch the subject, with the memory after it. */
  readonly after: (memory: Memory, event: Event | null) => void;
}

/** Events that may put other frames behind a page. */
const MOVES_FRAMES: ReadonlySet<Event['kind']> = new Set([
  'mapped',
  'unmapped',
  'identified',
  'frames-released',
  'area-allocated',
  'area-freed',
  'areas-purged',
]);

export const frameTracker = (subject: Subject): FrameTracker => {
  const { first } = pagesOf(subject);
  let frames: ReadonlySet<number> = new Set();
  let area: number | null = null;
  return {
    frames: () => frames,
    after: (memory, event) => {
      if (event !== null && !MOVES_FRAMES.has(event.kind)) return;
      const now = framesOf(memory, subject);
      area = Memory.areaAt(memory, first)?.start ?? area;
      if (now.size > 0) frames = now;
      else if (event?.kind === 'frames-released' && event.start === area) frames = new Set();
      else
        frames = new Set([...frames].filter((frame) => (Memory.alias(memory, frame)?.frame ?? NO_FRAME) < 0));
    },
  };
};

const overlaps = (frames: ReadonlySet<number>, first: number, count: number): boolean => {
  if (count <= frames.size) {
    for (let i = 0; i < count; i++) if (frames.has(first + i)) return true;
    return false;
  }
  for (const frame of frames) if (frame >= first && frame < first + count) return true;
  return false;
};

/**
 * Whether an event may change something of a subject, its frames or the area around it: a quick test, true more often than needed. `frames`: those
 * that back the subject before the event.
 */
export const mayTouch = (
  memory: Memory,
  subject: Subject,
  frames: ReadonlySet<number>,
  event: Event,
): boolean => {
  const { first, end } = pagesOf(subject);
  switch (event.kind) {
    case 'direct-mapped':
      return overlaps(frames, event.page, event.pages);
    case 'leaf-known':
      return overlaps(frames, event.page - (event.page % 512), 512);
    case 'permission':
    case 'split':
    case 'collapsed':
      if (event.space === Space.virtual) break;
      return overlaps(
        frames,
        event.page,
        event.kind === 'permission' ? event.pages : 2 ** (Math.max(event.from, event.to) - 12),
      );
    case 'identified':
      return (
        overlaps(frames, event.frame - event.pages + 1, event.pages) ||
        overlaps(frames, event.page, event.pages)
      );
    case 'content':
    case 'word-seen':
      return frames.has(event.frame);
    case 'frames-released':
      return frames.size > 0;
    case 'area-freed':
    case 'area-flagged': {
      const area = Memory.areaAt(memory, event.start);
      return area !== null && area.start < end && area.start + area.pages > first;
    }
    case 'areas-purged':
    case 'pack-marked':
      return subject.kind !== 'program';
    case 'pack-removed':
      return subject.kind === 'pack' && event.start === subject.start.page;
    case 'program-freed':
    case 'program-finalized':
    case 'program-joined': {
      if (subject.kind === 'program') return event.program === subject.number;
      const program = Memory.program(memory, event.program);
      return (
        program !== null &&
        program.chunk.page < end &&
        Address.add(program.chunk, program.bytes).page >= first
      );
    }
    case 'mapped':
      // Other pages may be mapped to these frames, too.
      if (
        event.frame !== NO_FRAME &&
        overlaps(frames, Math.min(event.frame, event.frame - event.pages), event.pages * 2)
      )
        return true;
      break;
    default:
      break;
  }
  const extent = extentOf(event);
  if (extent === null) return false;
  const last = Address.add(extent.address, Math.max(extent.bytes ?? 1, 1) - 1).page;
  return extent.address.page < end && last >= first;
};

const isProgramIn = (memory: Memory, number: number, first: number, end: number): boolean => {
  const program = Memory.program(memory, number);
  return (
    program !== null &&
    program.chunk.page < end &&
    Address.add(program.chunk, Math.max(program.bytes, 1) - 1).page >= first
  );
};

/**
 * Whether memory around a subject is followed only when this event is applied: everything that `mayTouch` accepts, and what says more of the
 * areas and programs that its pages lie in.
 */
export const concerns = (
  memory: Memory,
  subject: Subject,
  frames: ReadonlySet<number>,
  event: Event,
): boolean => {
  const { first, end } = pagesOf(subject);
  switch (event.kind) {
    case 'gap':
    case 'areas-purged':
    case 'frames-released':
      return true;
    case 'program-freed':
    case 'program-finalized':
    case 'program-joined':
      return isProgramIn(memory, event.program, first, end);
    case 'program-placed':
    case 'published':
      if (isProgramIn(memory, event.program, first, end)) return true;
      break;
    case 'unpublished': {
      const program = Memory.programAt(memory, event.start);
      if (program !== null && isProgramIn(memory, program.number, first, end)) return true;
      break;
    }
    default:
      break;
  }
  return mayTouch(memory, subject, frames, event);
};

/** Whether an event puts frames behind a subject: what is known of these may have come about elsewhere. */
export const bringsFrames = (subject: Subject, event: Event): boolean => {
  if (event.kind === 'identified') return true;
  const { first, end } = pagesOf(subject);
  return (
    event.kind === 'mapped' &&
    event.frame !== NO_FRAME &&
    event.page < end &&
    event.page + event.pages > first
  );
};
