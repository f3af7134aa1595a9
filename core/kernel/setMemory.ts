/**
 * Permission calls that every architecture has (include/linux/set_memory.h): what they do is the architecture's own.
 */
import {
  setsDirectMap,
  type DirectMapPage,
  type SetMemoryAction,
  type SetMemoryRange,
} from '../arch/arch.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import type { Address } from '../value/address.js';
import { choose, kernelFunction, state, type Body, type Kernel } from './request.js';

type SetMemory = { readonly addr: Address; readonly numpages: number };

const setMemory = (action: SetMemoryAction) =>
  kernelFunction(`set_memory_${action}`, function* (k: Kernel, a: SetMemory): Body<number> {
    return yield* k.arch.setMemory(k, action, a satisfies SetMemoryRange);
  });

export const setMemoryRo = setMemory('ro');
export const setMemoryRw = setMemory('rw');
export const setMemoryX = setMemory('x');
export const setMemoryNx = setMemory('nx');
export const setMemoryRox = setMemory('rox');
export const setMemoryNp = setMemory('np');

/** `pfn`: not there where a line shows the struct page alone. */
type DirectMap = { readonly page: Address | undefined; readonly pfn?: number };

/** vfree removes the mapping first: of an area that is not known (one of data, whose vfree nobody records) this is the only sight of it. */
const unmapOfOthers = function* (k: Kernel, pfn: number): Body<undefined> {
  const page = Memory.alias(k.memory(), pfn)?.frame ?? NO_FRAME;
  if (page < 0 || Memory.page(k.memory(), page)?.frame !== pfn) return undefined;
  if (Memory.areaAt(k.memory(), page) === null) yield* state({ kind: 'unmapped', page, pages: 1 });
  return undefined;
};

const setDirectMap = (action: 'invalid' | 'default') =>
  kernelFunction(`set_direct_map_${action}_noflush`, function* (k: Kernel, a: DirectMap): Body<number> {
    if (k.arch.setDirectMap === null || !setsDirectMap(k.arch, k.profile)) return 0;
    const pfn = a.pfn ?? (yield* choose('frame', { name: NO_FRAME, page: 0 }));
    if (action === 'invalid') yield* unmapOfOthers(k, pfn);
    return yield* k.arch.setDirectMap(k, action, { page: a.page, pfn } satisfies DirectMapPage);
  });

export const setDirectMapInvalid = setDirectMap('invalid');
export const setDirectMapDefault = setDirectMap('default');
