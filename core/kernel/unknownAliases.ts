/** Changes to the direct map at a frame that no line names. */
import { NO_FRAME } from '../memory/memory.js';
import { NODE_PAGES } from '../memory/pageTable.js';
import { Prot } from '../value/prot.js';
import { state, type Body, type Kernel } from './request.js';

/**
 * The alias of an unnamed frame changes: any frame that is known to back nothing may be the one, so its bits are no longer known. Frames that back a known
 * page cannot be meant.
 */
export const clearUnknownAliases = function* (
  k: Kernel,
  change: { readonly set: number; readonly clear: number },
): Body<undefined> {
  const { direct } = k.memory();
  const bits = change.set | change.clear;
  const runs: { page: number; pages: number; shift: number; prot: number }[] = [];
  for (const [index, node] of direct.nodes.entries()) {
    const base = (direct.keys[index] as number) * NODE_PAGES;
    for (let slot = 0; slot < NODE_PAGES; slot++) {
      if (node.shift[slot] === 0 || node.frame[slot] !== NO_FRAME) continue;
      const known = node.prot[slot] as number;
      const prot = (known & ~bits) | Prot.unknown(bits);
      if (prot === known) continue;
      const shift = node.shift[slot] as number;
      const last = runs.at(-1);
      if (
        last !== undefined &&
        last.page + last.pages === base + slot &&
        last.shift === shift &&
        last.prot === prot
      )
        last.pages++;
      else runs.push({ page: base + slot, pages: 1, shift, prot });
    }
  }
  for (const run of runs) yield* state({ kind: 'direct-mapped', ...run });
  return undefined;
};
