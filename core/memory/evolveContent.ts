import type { EventOf } from '../event/event.js';
import { Address, PAGE_SIZE } from '../value/address.js';
import { BLOCK, BLOCKS_PER_PAGE, Cell, ContentClass, PageContent } from './content.js';
import type { Draft } from './evolve.js';
import { frameKey, Memory, NO_FRAME } from './memory.js';
import { PageTable } from './pageTable.js';
import { SparseMap } from './sparse.js';

const put = (draft: Draft, token: object, frame: number, content: PageContent | undefined): void => {
  draft.content = SparseMap.set(draft.content, token, frameKey(frame), content);
};

/** Of what a leftover is one: of a program, as far as that is known. */
const refLeft = (cell: number): number => {
  const cls = Cell.class(cell);
  return cls === ContentClass.program || cls === ContentClass.leftover ? Cell.ref(cell) : 0;
};

/** A frame was handed out again: what lies in it is what was left there. */
export const inheritContent = (draft: Draft, token: object, frame: number): void => {
  const before = Memory.contentOf(draft, frame);
  if (before === null || before.uniform) {
    const ref = before === null ? 0 : refLeft(PageContent.cellAt(before, 0));
    put(draft, token, frame, PageContent.uniform(ContentClass.leftover, ref));
    return;
  }
  const after = PageContent.writable(before, token);
  for (let block = 0; block < BLOCKS_PER_PAGE; block++)
    after.cells[block] = Cell.of(ContentClass.leftover, refLeft(after.cells[block] as number));
  after.bytes = null;
  after.seen = null;
  put(draft, token, frame, after);
};

/** Content of a named frame now belongs to a pfn (or to nobody: NO_FRAME). Leftover blocks keep what was known of the pfn. */
export const moveContent = (draft: Draft, token: object, name: number, pfn: number): void => {
  const content = Memory.contentOf(draft, name);
  if (content === null) return;
  put(draft, token, name, undefined);
  if (pfn === NO_FRAME) return;
  const older = Memory.contentOf(draft, pfn);
  if (older === null) {
    put(draft, token, pfn, content);
    return;
  }
  inheritContent(draft, token, pfn);
  const base = PageContent.writable(Memory.contentOf(draft, pfn) as PageContent, token);
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
    const cell = PageContent.cellAt(content, block);
    if (Cell.class(cell) !== ContentClass.leftover) base.cells[block] = cell;
  }
  base.seen = content.seen;
  base.bytes = content.bytes?.slice() ?? null;
  put(draft, token, pfn, base);
};

/** Words seen that a write leaves as they were. */
const seenOutside = (seen: PageContent['seen'], offset: number, length: number): PageContent['seen'] => {
  if (seen === null) return null;
  const left = new Map([...seen].filter(([at]) => at + 4 <= offset || at >= offset + length));
  return left.size === 0 ? null : left;
};

/** What a block holds of which only a part was filled: nothing that can be named, unless it held the same already. */
const partly = (before: number, cell: number): number =>
  before === cell ? cell : Cell.of(ContentClass.unknown, 0);

/** Writes one class over a byte range of virtual memory; pages whose frame is not known are passed over. */
const write = (draft: Draft, token: object, to: Address, length: number, cls: number, ref: number): void => {
  let page: number = to.page;
  let offset = to.offset;
  let rest = length;
  const cell = Cell.of(cls, ref);
  const isFill = cls === ContentClass.trap || cls === ContentClass.zero;
  const uniform = length < PAGE_SIZE ? null : PageContent.uniform(cls, ref);
  while (rest > 0) {
    const part = Math.min(rest, PAGE_SIZE - offset);
    const entry = PageTable.node(draft.virtual, page);
    const slot = page % 512;
    const frame = entry !== undefined && entry.shift[slot] !== 0 ? (entry.frame[slot] as number) : NO_FRAME;
    if (frame !== NO_FRAME) {
      if (part === PAGE_SIZE && uniform !== null) put(draft, token, frame, uniform);
      else {
        const before = Memory.contentOf(draft, frame) ?? PageContent.uniform(ContentClass.unknown, 0);
        const after = PageContent.writable(before, token);
        const last = Math.floor((offset + part - 1) / BLOCK);
        for (let block = Math.floor(offset / BLOCK); block <= last; block++) {
          const whole = block * BLOCK >= offset && (block + 1) * BLOCK <= offset + part;
          after.cells[block] = whole || !isFill ? cell : partly(after.cells[block] as number, cell);
        }
        after.seen = seenOutside(after.seen, offset, part);
        if (after !== before) put(draft, token, frame, after);
      }
    }
    rest -= part;
    page++;
    offset = 0;
  }
};

export const applyFilled = (draft: Draft, token: object, event: EventOf<'filled'>): void => {
  if (event.pattern === 0) write(draft, token, event.to, event.length, ContentClass.zero, 0);
  else write(draft, token, event.to, event.length, ContentClass.trap, event.pattern);
};

/** A patched instruction: the image stays that of its program, but bytes that a dump or a line had shown are no longer those. */
const patchImage = (draft: Draft, token: object, to: Address, length: number, program: number): void => {
  for (let rest = length, at = to; rest > 0;) {
    const part = Math.min(rest, BLOCK - (at.offset % BLOCK));
    const frame = Memory.page(draft, at.page)?.frame ?? NO_FRAME;
    const before = frame === NO_FRAME ? null : Memory.contentOf(draft, frame);
    const block = Math.floor(at.offset / BLOCK);
    const dumped = before !== null && PageContent.classAt(before, block) === ContentClass.bytes;
    if (before !== null && (dumped || before.seen !== null)) {
      const after = PageContent.writable(before, token);
      if (dumped) after.cells[block] = Cell.of(ContentClass.program, program);
      after.seen = seenOutside(after.seen, at.offset, part);
      if (after !== before) put(draft, token, frame, after);
    }
    at = Address.add(at, part);
    rest -= part;
  }
};

export const applyCopied = (draft: Draft, token: object, event: EventOf<'copied'>): void => {
  if (event.what === 'image') {
    const program = Memory.programAt(draft, event.to);
    if (program !== null) {
      write(draft, token, event.to, event.length, ContentClass.program, program.number);
      return;
    }
  }
  if (event.what === 'instruction') {
    const program = Memory.programAt(draft, event.to);
    if (program !== null) {
      patchImage(draft, token, event.to, event.length, program.number);
      return;
    }
  }
  write(draft, token, event.to, event.length, ContentClass.code, 0);
};

export const applySeen = (draft: Draft, token: object, event: EventOf<'seen'>): void => {
  const entry = Memory.page(draft, event.at.page);
  if (entry === null || entry.frame === NO_FRAME) return;
  const before = Memory.contentOf(draft, entry.frame) ?? PageContent.uniform(ContentClass.unknown, 0);
  const cls = PageContent.classAt(before, Math.floor(event.at.offset / BLOCK));
  if (cls === ContentClass.trap || cls === ContentClass.zero) return;
  const after = PageContent.writable(before, token);
  after.seen = new Map([...(after.seen ?? []), [event.at.offset, event.value]]);
  put(draft, token, entry.frame, after);
};

export const applyContent = (draft: Draft, token: object, event: EventOf<'content'>): void => {
  if (event.block === 0 && event.blocks === BLOCKS_PER_PAGE && event.bytes.length === 0) {
    put(draft, token, event.frame, PageContent.uniform(event.class, event.ref));
    return;
  }
  const before = Memory.contentOf(draft, event.frame) ?? PageContent.uniform(ContentClass.unknown, 0);
  const after = PageContent.writable(before, token);
  const cell = Cell.of(event.class, event.ref);
  for (let block = event.block; block < event.block + event.blocks; block++) after.cells[block] = cell;
  after.seen = seenOutside(after.seen, event.block * BLOCK, event.blocks * BLOCK);
  if (event.bytes.length > 0) {
    const bytes = after.bytes ?? new Uint8Array(PAGE_SIZE);
    bytes.set(event.bytes.subarray(0, event.blocks * BLOCK), event.block * BLOCK);
    after.bytes = bytes;
  }
  put(draft, token, event.frame, after);
};
