/** Where the code of programs lies while a log is read: what `Memory.programAt` tells, in plain maps that are changed in place. */
import type { Event } from '../../core/event/event.js';
import { Memory } from '../../core/memory/memory.js';
import { Address } from '../../core/value/address.js';

interface Code {
  readonly number: number;
  /** Its memory: the page and the offset of its beginning. */
  readonly page: number;
  readonly offset: number;
  readonly bytes: number;
  /** Its entry, and the length of its code; -1: not known. */
  startPage: number;
  startOffset: number;
  length: number;
}

export interface Codes {
  /** Takes what events say of programs. */
  readonly take: (event: Event) => void;
  /** The program whose code holds an address: its number and bytes from its entry go to `slots` from `to` on. False: there is none. */
  readonly put: (page: number, offset: number, slots: Float64Array, to: number) => boolean;
}

const PAGE = 4096;
/** Memory of programs is given in blocks of 64 bytes: of those that begin in one block the last counts. */
const BLOCK = 64;

const NONE: readonly Code[] = [];

export const codesIn = (start: Memory): Codes => {
  const byNumber = new Map<number, Code>();
  /** By the page in which their memory begins. */
  const byPage = new Map<number, Code[]>();
  /** Pages that the memory of a program reaches at most. */
  let reach = 1;

  const add = (
    number: number,
    chunk: Address,
    bytes: number,
    entry: Address | null,
    length: number | null,
  ): void => {
    const isPlaced = entry !== null && length !== null;
    const code: Code = {
      number,
      page: chunk.page,
      offset: chunk.offset,
      bytes,
      startPage: isPlaced ? entry.page : -1,
      startOffset: isPlaced ? entry.offset : 0,
      length: isPlaced ? length : -1,
    };
    byNumber.set(number, code);
    const list = byPage.get(code.page);
    if (list === undefined) byPage.set(code.page, [code]);
    else list.push(code);
    reach = Math.max(reach, Math.ceil((code.offset + bytes) / PAGE));
  };
  const drop = (number: number): void => {
    const code = byNumber.get(number);
    if (code === undefined) return;
    byNumber.delete(number);
    const left = (byPage.get(code.page) ?? []).filter((other) => other.number !== number);
    if (left.length === 0) byPage.delete(code.page);
    else byPage.set(code.page, left);
  };
  /** The program that begins nearest before an address. */
  const nearest = (page: number, offset: number): Code | null => {
    let block = Math.floor(offset / BLOCK);
    for (let at = page; at > page - reach; at--) {
      let best: Code | null = null;
      let highest = -1;
      for (const code of byPage.get(at) ?? NONE) {
        const own = Math.floor(code.offset / BLOCK);
        if (own > block || own < highest) continue;
        best = code;
        highest = own;
      }
      if (best !== null) return byNumber.get(best.number) ?? null;
      block = PAGE / BLOCK;
    }
    return null;
  };
  for (const { number, chunk, bytes, start: entry, length } of Memory.programs(start))
    add(number, chunk, bytes, entry, length);
  return {
    take: (event) => {
      if (event.kind === 'program-allocated') add(event.program, event.chunk, event.bytes, null, null);
      else if (event.kind === 'program-known') {
        const isPlaced = !Address.isZero(event.start);
        const { program, chunk, bytes, start: entry, length } = event;
        add(program, chunk, bytes, isPlaced ? entry : null, isPlaced ? length : null);
      } else if (event.kind === 'program-freed') drop(event.program);
      else if (event.kind === 'program-placed') {
        const code = byNumber.get(event.program);
        if (code === undefined) return;
        code.startPage = event.start.page;
        code.startOffset = event.start.offset;
        code.length = event.length;
      }
    },
    put: (page, offset, slots, to) => {
      const code = nearest(page, offset);
      if (code === null || code.length < 0) return false;
      const into = (page - code.page) * PAGE + offset - code.offset;
      if (into < 0 || into >= code.bytes) return false;
      const from = (page - code.startPage) * PAGE + offset - code.startOffset;
      if (from < 0 || from > code.length) return false;
      slots[to] = code.number;
      slots[to + 1] = from;
      return true;
    },
  };
};
