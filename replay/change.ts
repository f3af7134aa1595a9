/** What one event changed of a subject: the two memories around it, compared. */
import type { Event } from '../core/event/event.js';
import type { Memory, Program } from '../core/memory/memory.js';
import { Address } from '../core/value/address.js';
import { diffStates, type EntityDiff, type MemoryDiff } from './diffStates.js';
import { changedContent, type ChangedContent } from './changedContent.js';
import type { ChunkRange } from './changedPacks.js';
import { changedRanges, type ChangedRange } from './changedRanges.js';
import { bytesOf, type Subject } from './subjects.js';
import { pagesOf } from './touches.js';

export interface Change {
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

/** What an event changed of a subject; null: nothing. */
export const changeBy = (
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
