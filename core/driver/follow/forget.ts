import { Memory, type Area } from '../../memory/memory.js';
import { UNKNOWN_SHIFT } from '../../memory/pageTable.js';
import { Prot } from '../../value/prot.js';

/** Whether anything is known of a mapped page: its permission, its leaf, its content, its alias. */
const isKnown = (memory: Memory, page: number): boolean => {
  const entry = Memory.page(memory, page);
  if (entry === null) return false;
  if (entry.prot !== Prot.nothingKnown || entry.shift !== UNKNOWN_SHIFT) return true;
  if (Memory.contentOf(memory, entry.frame) !== null) return true;
  const alias = Memory.alias(memory, entry.frame);
  return alias !== null && alias.prot !== Prot.nothingKnown;
};

/** The live areas of which something is known, or was not yet said to be unknown: what a loss of events makes unknown. */
export const knownAreas = (memory: Memory): Area[] => {
  const forgotten = new Map(memory.unknown.map(({ page, pages }) => [page, pages]));
  const found: Area[] = [];
  for (const area of Memory.areas(memory)) {
    if (area.state !== 'live') continue;
    let known = (forgotten.get(area.start) ?? 0) < area.pages;
    for (let i = 0; i < area.pages && !known; i++) known = isKnown(memory, area.start + i);
    if (known) found.push(area);
  }
  return found;
};
