/**
 * Memory as absolute facts: folded from `nothing` they give an equal memory, causes included. This is what a snapshot holds, and, encoded, the
 * canonical form of a memory: two memories are equal when their facts are.
 */
import { eventOf, type Event, type Fact } from '../event/event.js';
import { Origin } from '../event/kind.js';
import { Space } from '../event/pages.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { BLOCK, BLOCKS_PER_PAGE, ContentClass, PageContent } from './content.js';
import { frameStep } from './evolveKnown.js';
import { CHUNK } from './evolvePacks.js';
import { frameOfKey, Memory, NO_FRAME, type Area, type Program } from './memory.js';
import { NODE_PAGES, type PageNode, type PageTable } from './pageTable.js';
import { SparseMap } from './sparse.js';

type Say = (cause: number, fact: Fact) => void;

const NO_BYTES = new Uint8Array(0);

/** The number that follows in a run of frames (or of virtual pages backed). */
const follows = (first: number, index: number): number => first + frameStep(first) * index;

const areaFacts = ({ start, pages, flags, caller, since, state }: Area, say: Say): void => {
  say(since, { kind: 'area-allocated', start, pages, flags, caller });
  if (state === 'lazy') say(since, { kind: 'area-freed', start });
};

const backingFacts = ({ start, since, frames }: Area, say: Say): void => {
  if (frames === null) return;
  for (let index = 0; index < frames.length;) {
    const frame = frames[index] as number;
    let count = 1;
    while (index + count < frames.length && frames[index + count] === follows(frame, count)) count++;
    if (frame !== NO_FRAME) say(since, { kind: 'area-backed', start, index, pages: count, frame });
    index += count;
  }
};

/** A run of pages that one fact says. */
interface Run {
  readonly page: number;
  pages: number;
  readonly node: PageNode;
  readonly slot: number;
  /** How much later the cause of each next page is; of a single page not settled. */
  stride: number;
}

/** Whether the next page belongs to a run; the second page settles the stride. */
const continues = (run: Run, node: PageNode, slot: number, direct: boolean): boolean => {
  if (
    node.shift[slot] !== run.node.shift[run.slot] ||
    node.prot[slot] !== run.node.prot[run.slot] ||
    node.mark[slot] !== run.node.mark[run.slot] ||
    node.frame[slot] !== follows(run.node.frame[run.slot] as number, run.pages) ||
    (direct && node.leaf !== run.node.leaf)
  )
    return false;
  const later = (node.cause[slot] as number) - (run.node.cause[run.slot] as number);
  if (run.pages > 1) return later === run.stride * run.pages;
  run.stride = later;
  return later >= 0;
};

const pageFacts = (table: PageTable, space: Space, say: Say): void => {
  const direct = space === Space.direct;
  let run: Run | null = null;
  const close = (): void => {
    if (run === null) return;
    const { page, pages, node, slot } = run;
    say(node.cause[slot] as number, {
      kind: 'pages-known',
      space,
      page,
      pages,
      shift: node.shift[slot] as number,
      prot: node.prot[slot] as number,
      frame: node.frame[slot] as number,
      mark: node.mark[slot] as number,
      leaf: direct ? node.leaf : 0,
      stride: pages > 1 ? run.stride : 0,
    });
    run = null;
  };
  for (const [index, node] of table.nodes.entries()) {
    const base = (table.keys[index] as number) * NODE_PAGES;
    if (node.count === 0) {
      if (direct && node.leaf !== 0) say(0, { kind: 'leaf-known', page: base, shift: node.leaf });
      continue;
    }
    for (let slot = 0; slot < NODE_PAGES; slot++) {
      if (node.shift[slot] === 0) continue;
      const last: Run | null = run;
      if (last !== null && last.page + last.pages === base + slot && continues(last, node, slot, direct)) {
        last.pages++;
        continue;
      }
      close();
      run = { page: base + slot, pages: 1, node, slot, stride: 0 };
    }
  }
  close();
};

const nameFacts = (names: SparseMap<number>, say: Say): void => {
  let frame = 0;
  let page = 0;
  let pages = 0;
  const close = (): void => {
    if (pages > 0) say(0, { kind: 'frames-named', frame, page, pages });
  };
  for (const [name, at] of SparseMap.entries(names)) {
    if (pages > 0 && name === -frame + pages && at === page + pages) {
      pages++;
      continue;
    }
    close();
    [frame, page, pages] = [-name, at, 1];
  }
  close();
};

const contentFacts = (frame: number, content: PageContent, say: Say): void => {
  for (let block = 0; block < BLOCKS_PER_PAGE;) {
    const cls = PageContent.classAt(content, block);
    const ref = PageContent.refAt(content, block);
    let blocks = 1;
    while (
      block + blocks < BLOCKS_PER_PAGE &&
      PageContent.classAt(content, block + blocks) === cls &&
      PageContent.refAt(content, block + blocks) === ref
    )
      blocks++;
    const bytes =
      cls === ContentClass.bytes && content.bytes !== null
        ? content.bytes.slice(block * BLOCK, (block + blocks) * BLOCK)
        : NO_BYTES;
    say(0, { kind: 'content', frame, block, blocks, class: cls, ref, bytes });
    block += blocks;
  }
  for (const [offset, value] of content.seen ?? []) say(0, { kind: 'word-seen', frame, offset, value });
};

const packFacts = (memory: Memory, say: Say): void => {
  for (const { start, bytes, partial, used, dirty } of memory.packs) {
    say(0, { kind: 'pack-created', start, bytes, partial: partial ? 1 : 0 });
    const chunks = bytes / CHUNK;
    const isUsed = (chunk: number): boolean =>
      chunk < chunks && ((used[chunk >>> 5] as number) & (1 << (chunk & 31))) !== 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      if (!isUsed(chunk)) continue;
      const first = chunk;
      while (isUsed(chunk)) chunk++;
      const at = Address.add(Address.of(start), first * CHUNK);
      say(0, { kind: 'chunk-allocated', pack: start, at, bytes: (chunk - first) * CHUNK });
    }
    if (dirty) say(0, { kind: 'pack-marked', start, dirty: 1 });
  }
};

const programFacts = (program: Program, say: Say): void => {
  const { number, pointer, chunk, bytes, proglen, type, start, length, name, id, symbols, state } = program;
  say(0, {
    kind: 'program-known',
    program: number,
    pointer,
    chunk,
    bytes,
    proglen,
    type,
    start: start ?? Address.zero,
    length: length ?? 0,
    name: name ?? '',
    id: id ?? 0,
    symbols,
    state,
  });
};

/** Programs, in an order that gives both indexes their order again. */
const allPrograms = (memory: Memory, say: Say): void => {
  const place = new Map<number, number>();
  for (const [, entries] of SparseMap.entries(memory.programsByChunk))
    for (let i = 0; i < entries.length; i += 2) {
      const number = entries[i] as number;
      const program = Memory.program(memory, number);
      if (program === null || place.has(number)) continue;
      place.set(number, place.size);
      programFacts(program, say);
    }
  for (const [, numbers] of SparseMap.entries(memory.programsByPointer)) {
    const known = numbers.filter((number) => place.has(number));
    const places = known.map((number) => place.get(number) as number);
    if (places.every((at, i) => i === 0 || at > (places[i - 1] as number))) continue;
    for (const number of known) {
      const { pointer } = Memory.program(memory, number) as Program;
      say(0, { kind: 'program-joined', program: number, pointer });
    }
  }
};

const COUNTERS = [
  ['direct_map_level2_splits', 'level2Splits'],
  ['direct_map_level3_splits', 'level3Splits'],
  ['direct_map_level2_collapses', 'level2Collapses'],
  ['direct_map_level3_collapses', 'level3Collapses'],
] as const;

const singleFacts = (memory: Memory, say: Say): void => {
  for (const [name, key] of COUNTERS)
    if (memory.counters[key] !== 0) say(0, { kind: 'counter', name, value: memory.counters[key] });
  const { lowestName, charged, limit } = memory;
  say(memory.seq, {
    kind: 'state-known',
    lowestName,
    charged: charged ?? 0,
    chargedKnown: charged === null ? 0 : 1,
    limit: limit ?? -1,
  });
};

/**
 * Facts that say the whole of a memory, in a fixed order. Each has as its seq the event that caused what it says (0 where memory keeps no cause); the
 * last one has seq and time of the memory.
 */
export const factsOf = (memory: Memory): Event[] => {
  const facts: Event[] = [];
  const say: Say = (seq, fact) => {
    const time = fact.kind === 'state-known' ? memory.time : 0;
    facts.push(eventOf({ seq, time, cpu: 0, task: '', call: 0, origin: Origin.derived }, fact));
  };
  // First: packs and the charge are said again below.
  if (memory.lost > 0) say(memory.lostAt, { kind: 'gap', lost: memory.lost, why: '' });
  const { directBase, vmemmap } = memory;
  if (directBase !== 0 || !Word.isZero(vmemmap))
    say(0, { kind: 'bases-learned', direct: directBase, vmemmap });
  for (const area of Memory.areas(memory)) areaFacts(area, say);
  // Before the pages and the frames of areas: what is forgotten here is said of them again below.
  for (const { page, pages, why, seq } of memory.unknown) say(seq, { kind: 'forgotten', page, pages, why });
  for (const area of Memory.areas(memory)) backingFacts(area, say);
  // Before the programs, whose states would change.
  for (const { start, end, name, ksym, program, since } of Memory.symbols(memory))
    say(since, { kind: 'published', program, start, end, name, id: 0, ksym });
  allPrograms(memory, say);
  pageFacts(memory.virtual, Space.virtual, say);
  pageFacts(memory.direct, Space.direct, say);
  nameFacts(memory.names, say);
  for (const [key, content] of SparseMap.entries(memory.content)) contentFacts(frameOfKey(key), content, say);
  packFacts(memory, say);
  singleFacts(memory, say);
  return facts;
};
