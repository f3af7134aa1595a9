import type { EventOf } from '../event/event.js';
import { Space } from '../event/pages.js';
import { Address } from '../value/address.js';
import { ContentClass, PageContent } from './content.js';
import type { Draft } from './evolve.js';
import { putProgram } from './evolvePrograms.js';
import { frameKey, Memory, NO_FRAME, type ProgramState } from './memory.js';
import { NODE_PAGES, PageTable, type PageNode } from './pageTable.js';
import { SparseMap } from './sparse.js';

type KnownEvent = EventOf<
  'pages-known' | 'area-backed' | 'frames-named' | 'word-seen' | 'program-known' | 'state-known'
>;

/** How frames follow each other from a first one: pfns up, names down, no frame stays none. */
export const frameStep = (first: number): number => (first === NO_FRAME ? 0 : first < 0 ? -1 : 1);

const applyPages = (draft: Draft, token: object, event: EventOf<'pages-known'>): void => {
  const direct = event.space === Space.direct;
  draft.virtual = PageTable.own(draft.virtual, token);
  draft.direct = PageTable.own(draft.direct, token);
  const table = direct ? draft.direct : draft.virtual;
  const step = frameStep(event.frame);
  const end = event.page + event.pages;
  for (let page = event.page; page < end;) {
    const node = PageTable.writable(table, token, page, true) as PageNode;
    const first = page % NODE_PAGES;
    const stop = Math.min(NODE_PAGES, first + end - page);
    for (let slot = first; slot < stop; slot++) if (node.shift[slot] === 0) node.count++;
    node.shift.fill(event.shift, first, stop);
    node.prot.fill(event.prot, first, stop);
    node.mark.fill(event.mark, first, stop);
    for (let slot = first; slot < stop; slot++) {
      const index = page - event.page + slot - first;
      node.frame[slot] = event.frame + step * index;
      node.cause[slot] = event.seq + event.stride * index;
    }
    if (direct) node.leaf = event.leaf;
    page += stop - first;
  }
};

const applyBacked = (draft: Draft, token: object, event: EventOf<'area-backed'>): void => {
  const area = SparseMap.get(draft.areas, event.start);
  if (area === undefined) return;
  const frames = area.frames?.slice() ?? new Float64Array(area.pages).fill(NO_FRAME);
  const step = frameStep(event.frame);
  for (let i = 0; i < event.pages && event.index + i < frames.length; i++)
    frames[event.index + i] = event.frame + step * i;
  draft.areas = SparseMap.set(draft.areas, token, area.start, { ...area, frames });
};

const applyWord = (draft: Draft, token: object, event: EventOf<'word-seen'>): void => {
  const before = Memory.contentOf(draft, event.frame) ?? PageContent.uniform(ContentClass.unknown, 0);
  const after = PageContent.writable(before, token);
  const seen = new Map([...(after.seen ?? []), [event.offset, event.value]]);
  draft.content = SparseMap.set(draft.content, token, frameKey(event.frame), { ...after, seen });
};

const applyProgramKnown = (draft: Draft, token: object, event: EventOf<'program-known'>): void => {
  const placed = !Address.isZero(event.start);
  putProgram(draft, token, {
    number: event.program,
    pointer: event.pointer,
    chunk: event.chunk,
    bytes: event.bytes,
    proglen: event.proglen,
    type: event.type,
    start: placed ? event.start : null,
    length: placed ? event.length : null,
    name: event.name === '' ? null : event.name,
    id: event.id === 0 ? null : event.id,
    symbols: event.symbols,
    state: event.state as ProgramState,
  });
};

/** What snapshots say. */
export const applyKnown = (draft: Draft, token: object, event: KnownEvent): void => {
  switch (event.kind) {
    case 'pages-known':
      return applyPages(draft, token, event);
    case 'area-backed':
      return applyBacked(draft, token, event);
    case 'frames-named':
      for (let i = 0; i < event.pages; i++)
        draft.names = SparseMap.set(draft.names, token, i - event.frame, event.page + i);
      return;
    case 'word-seen':
      return applyWord(draft, token, event);
    case 'program-known':
      return applyProgramKnown(draft, token, event);
    case 'state-known':
      draft.lowestName = event.lowestName;
      draft.charged = event.chargedKnown === 0 ? null : event.charged;
      draft.limit = event.limit < 0 ? null : event.limit;
      return;
  }
};
