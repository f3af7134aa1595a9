/**
 * Rules of kernel-model.md §8.1 that one memory alone can break. They hold between root calls: inside one, a page may be read-only before its alias is.
 */
import { CHUNK } from '../../core/memory/evolvePacks.js';
import { Memory, type Pack, type Program } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { Address, pageText } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';

/** What was there before, and what a kernel allows. */
export interface Allowed {
  /** Memory before the first event: its areas, chunks and charge belong to nobody we know. */
  readonly start: Memory;
  /** The XDP dispatcher is one page that is writable and executable (to 6.0). */
  readonly writableDispatcher: boolean;
  /** Bytes charged for a program. */
  readonly chargeOf: (program: Program) => number;
}

const MODULES = [0xffffffffa0000, 0xffffffffff000] as const;

const chunksOf = (pack: Pack, at: Address, bytes: number): readonly [first: number, end: number] => {
  const first = Address.minus(at, Address.of(pack.start)) / CHUNK;
  return [first, first + Math.ceil(bytes / CHUNK)];
};

const isTaken = (pack: Pack, chunk: number): boolean =>
  ((pack.used[chunk >>> 5] ?? 0) & (1 << (chunk & 31))) !== 0;

/** I4: chunks of live programs are disjoint, and the bitmap is their union (with what was there before). */
export const brokenChunks = (memory: Memory, { start }: Allowed): string[] => {
  const broken: string[] = [];
  const programs = [...Memory.programs(memory)].sort((a, b) => Address.compare(a.chunk, b.chunk));
  for (const [i, program] of programs.entries()) {
    const next = programs[i + 1];
    if (next !== undefined && Address.minus(next.chunk, program.chunk) < program.bytes)
      broken.push(
        `I4: the chunks at ${Address.toText(program.chunk)} and ${Address.toText(next.chunk)} overlap`,
      );
  }
  for (const pack of memory.packs) {
    const total = pack.bytes / CHUNK;
    const live = new Uint8Array(total);
    const before = start.packs.find((p) => p.start === pack.start);
    for (let chunk = 0; chunk < total; chunk++)
      if (before !== undefined && isTaken(before, chunk)) live[chunk] = 1;
    for (const program of programs) {
      if (Memory.packAt(memory, program.chunk.page) !== pack) continue;
      const [first, end] = chunksOf(pack, program.chunk, program.bytes);
      if (!Number.isInteger(first) || end > total)
        broken.push(`I4: ${Address.toText(program.chunk)} fits no chunk`);
      live.fill(1, Math.floor(first), end);
    }
    const wrong = live.findIndex((is, chunk) => (is === 1) !== isTaken(pack, chunk));
    if (wrong >= 0)
      broken.push(
        `I4: chunk ${wrong} of the pack ${pageText(pack.start)} is ${live[wrong] === 1 ? 'in use but free' : 'taken by nobody'}`,
      );
    const count = live.reduce((sum, is) => sum + is, 0);
    if (count !== pack.usedChunks && wrong < 0)
      broken.push(
        `I4: the pack ${pageText(pack.start)} counts ${pack.usedChunks} chunks, ${count} are taken`,
      );
  }
  return broken;
};

/** A page of its own that is no pack, with no program on it but a dispatcher (which is known as one only once it is executable). */
const isDispatcher = (memory: Memory, page: number): boolean => {
  const area = Memory.areaAt(memory, page);
  const program = Memory.programAt(memory, Address.of(page));
  return (
    area?.start === page &&
    area.pages === 2 &&
    Memory.packAt(memory, page) === null &&
    (program === null || program.type === 'dispatcher')
  );
};

/** I2: no page of the module area is writable and executable. Of a range of pages, or of all. */
export const brokenPages = (
  memory: Memory,
  { writableDispatcher }: Allowed,
  first: number = MODULES[0],
  end: number = MODULES[1],
): string[] => {
  const broken: string[] = [];
  for (const [page, node, slot] of PageTable.pages(
    memory.virtual,
    Math.max(first, MODULES[0]),
    Math.min(end, MODULES[1]),
  )) {
    const prot = node.prot[slot] as number;
    if (!Prot.has(prot, Prot.writable) || !Prot.has(prot, Prot.executable)) continue;
    if (!(writableDispatcher && isDispatcher(memory, page)))
      broken.push(`I2: ${pageText(page)} is ${Prot.toText(prot)}`);
  }
  return broken;
};

/** I14: the alias of a page that is executable and not writable is read-only and not executable; I22: and present. */
export const brokenAliases = (memory: Memory): string[] => {
  const broken: string[] = [];
  for (const [page, node, slot] of PageTable.pages(memory.virtual, ...MODULES)) {
    if (Prot.toText(node.prot[slot] as number) !== 'r-x') continue;
    const frame = node.frame[slot] as number;
    const alias = Memory.alias(memory, frame);
    const text = alias === null ? 'unknown' : Prot.toText(alias.prot);
    if (text !== 'r--') broken.push(`I14: the alias of ${pageText(page)} (frame ${frame}) is ${text}`);
  }
  return broken;
};

/** I6: what is charged is the sum of what is charged for live programs. */
export const brokenCharge = (memory: Memory, { start, chargeOf }: Allowed): string[] => {
  if (memory.charged === null || start.charged === null) return [];
  let sum = start.charged;
  for (const program of Memory.programs(memory)) sum += chargeOf(program);
  return sum === memory.charged ? [] : [`I6: ${memory.charged} bytes are charged, live programs have ${sum}`];
};

/** I20: areas do not overlap; what is mapped in the module area lies in one of them, in front of its guard page. */
export const brokenAreas = (memory: Memory): string[] => {
  const broken: string[] = [];
  const areas = [...Memory.areas(memory)].sort((a, b) => a.start - b.start);
  for (const [i, area] of areas.entries()) {
    const next = areas[i + 1];
    if (next !== undefined && area.start + area.pages > next.start)
      broken.push(`I20: the areas ${pageText(area.start)} and ${pageText(next.start)} overlap`);
  }
  for (const [page] of PageTable.pages(memory.virtual, ...MODULES)) {
    const area = Memory.areaAt(memory, page);
    if (area === null || area.state !== 'live' || page === area.start + area.pages - 1)
      broken.push(`I20: ${pageText(page)} is mapped in no live area`);
  }
  return broken;
};

/** All of them. */
export const brokenRules = (memory: Memory, allowed: Allowed): string[] => [
  ...brokenChunks(memory, allowed),
  ...brokenPages(memory, allowed),
  ...brokenAliases(memory),
  ...brokenCharge(memory, allowed),
  ...brokenAreas(memory),
];

/** Pages of the module area that can be executed. */
export const executablePages = (memory: Memory): number[] =>
  [...PageTable.pages(memory.virtual, ...MODULES)]
    .filter(([, node, slot]) => Prot.mayExecute(node.prot[slot] as number))
    .map(([page]) => page);
