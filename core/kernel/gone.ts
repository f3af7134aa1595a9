import { Memory, type Pack } from '../memory/memory.js';

/** The memory of a pack was given back while it was in use: nothing is mapped there any more, and the pack is on the list all the same. */
export const isGone = (memory: Memory, pack: Pack): boolean => {
  if (pack.partial || Memory.page(memory, pack.start) !== null) return false;
  const area = Memory.areaAt(memory, pack.start);
  return area === null || area.state === 'lazy';
};
