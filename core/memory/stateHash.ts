/**
 * A memory as one short text, equal for memories that differ only in names: numbers of events, moments and identities of programs are left out or renamed.
 * 64 bits: of a million different memories two have the same text with a chance of 3 in 10^8.
 */
import { Cell, ContentClass, type PageContent } from './content.js';
import { Memory } from './memory.js';
import type { PageTable } from './pageTable.js';
import { SparseMap } from './sparse.js';

/** Takes numbers and texts in order; the same sequence gives the same text. */
export interface Digest {
  readonly number: (value: number) => void;
  readonly text: (value: string) => void;
  readonly take: () => string;
}

const WRAP = 0x100000000;

export const digest = (): Digest => {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  const word = (value: number): void => {
    a = Math.imul(a ^ value, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b ^ (value + 0x7f4a7c15), 0x85ebca6b);
    b ^= b >>> 13;
  };
  return {
    number: (value) => {
      word(value | 0);
      // What lies above 32 bits, also of negative numbers.
      const high = Math.floor(value / WRAP);
      if (high !== 0 && high !== -1) word(high | 0);
      else if (high === -1) word(-1);
    },
    text: (value) => {
      for (let i = 0; i < value.length; i++) word(value.charCodeAt(i));
      word(0x10000 + value.length);
    },
    take: () => (a >>> 0).toString(16).padStart(8, '0') + (b >>> 0).toString(16).padStart(8, '0'),
  };
};

const putTable = (out: Digest, table: PageTable): void => {
  for (const [i, node] of table.nodes.entries()) {
    if (node.count === 0 && node.leaf === 0) continue;
    out.number(table.keys[i] as number);
    out.number(node.leaf);
    for (let slot = 0; slot < node.shift.length; slot++) {
      const shift = node.shift[slot] as number;
      if (shift === 0) continue;
      out.number(slot * 4096 + shift * 64 + (node.prot[slot] as number));
      out.number(node.frame[slot] as number);
    }
  }
};

const putContent = (out: Digest, content: PageContent, name: (program: number) => number): void => {
  for (const cell of content.cells) {
    const cls = Cell.class(cell);
    out.number(cls);
    out.number(cls === ContentClass.program ? name(Cell.ref(cell)) : Cell.ref(cell));
  }
};

/** Adds a memory to a digest. */
export const putState = (out: Digest, memory: Memory): void => {
  // Programs are numbered by events: here by their place among those that live. Of one that is gone only that it is matters.
  const places = new Map<number, number>();
  const programs = [...Memory.programs(memory)].sort(
    (x, y) => x.chunk.page - y.chunk.page || x.chunk.offset - y.chunk.offset || x.number - y.number,
  );
  for (const [i, { number }] of programs.entries()) places.set(number, i + 1);
  for (const program of programs) {
    out.number(program.chunk.page);
    out.number(program.chunk.offset);
    out.number(program.bytes);
    out.number(program.pointer.hi);
    out.number(program.pointer.lo);
    out.text(program.state);
    out.text(program.type);
    out.number(program.start?.offset ?? -1);
    out.number(program.symbols);
  }
  putTable(out, memory.virtual);
  putTable(out, memory.direct);
  for (const [key, content] of SparseMap.entries(memory.content)) {
    out.number(key);
    putContent(out, content, (number) => places.get(number) ?? 0);
  }
  for (const area of Memory.areas(memory)) {
    out.number(area.start);
    out.number(area.pages);
    out.number(area.flags);
    out.text(area.state);
    for (const frame of area.frames ?? []) out.number(frame);
  }
  for (const pack of memory.packs) {
    out.number(pack.start);
    out.number(pack.bytes);
    out.number(pack.dirty ? 1 : 0);
    for (const word of pack.used) out.number(word);
  }
  out.number(memory.charged ?? -1);
  out.number(memory.limit ?? -1);
};

export const stateHash = (memory: Memory): string => {
  const out = digest();
  putState(out, memory);
  return out.take();
};
