import type { Fact } from '../../event/event.js';
import { Memory, type Area } from '../../memory/memory.js';
import { NODE_PAGES, UNKNOWN_SHIFT } from '../../memory/pageTable.js';
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

const SMALL = 12;

/** What a loss of events makes unknown in the direct map. A region that was split stays split: nothing merges it again. */
export const forgottenAliases = ({ direct }: Memory): Fact[] => {
  const facts: Fact[] = [];
  for (const [index, node] of direct.nodes.entries()) {
    const base = (direct.keys[index] as number) * NODE_PAGES;
    const split = node.leaf === SMALL;
    if (node.leaf !== 0 && !split) facts.push({ kind: 'leaf-known', page: base, shift: 0 });
    const shift = split ? SMALL : UNKNOWN_SHIFT;
    let first = -1;
    for (let slot = 0; slot <= NODE_PAGES; slot++) {
      const known =
        slot < NODE_PAGES &&
        node.shift[slot] !== 0 &&
        (node.prot[slot] !== Prot.nothingKnown || node.shift[slot] !== shift);
      if (known && first < 0) first = slot;
      if (known || first < 0) continue;
      facts.push({
        kind: 'direct-mapped',
        page: base + first,
        pages: slot - first,
        shift,
        prot: Prot.nothingKnown,
      });
      first = -1;
    }
  }
  return facts;
};
