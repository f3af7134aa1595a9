/**
 * Lazily freed addresses and their flush (mm/vmalloc.c): every permission call and every free with reset of permissions comes through here.
 */
import { Memory, type Area } from '../memory/memory.js';
import type { Address } from '../value/address.js';
import { call, choose, kernelFunction, lock, state, unlock, type Body, type Kernel } from './request.js';

export const flushTlbKernelRange = kernelFunction(
  'flush_tlb_kernel_range',
  function* (_k: Kernel, _a: { start: Address | undefined; end: Address | undefined }): Body<undefined> {
    return undefined;
  },
);

const lazyAreas = (k: Kernel): Area[] => [...Memory.lazyAreas(k.memory())];

/**
 * Releases the areas that were freed lazily when it began, after one flush over their union: the list is taken first, what is freed meanwhile waits for
 * the next purge. What others freed lazily is not known here: a choice.
 */
export const purgeVmapAreaLazy = kernelFunction(
  '__purge_vmap_area_lazy',
  function* (k: Kernel, _a: { start: Address | undefined; end: Address | undefined }): Body<number> {
    const lazy = lazyAreas(k);
    const purged = yield* choose('purge', { predicted: lazy.length > 0 ? 1 : null });
    if (purged === 0) return 0;
    yield* call(flushTlbKernelRange, { start: undefined, end: undefined });
    yield* state({ kind: 'tlb-flushed', page: 0, pages: 0, why: 'purge' });
    yield* lock('vmap_area_lock');
    const since = new Map(lazy.map((area) => [area.start, area.since]));
    const now = lazyAreas(k);
    const left = now.filter((area) => since.get(area.start) === area.since);
    if (left.length === now.length) yield* state({ kind: 'areas-purged', start: 0, pages: 0 });
    else for (const { start, pages } of left) yield* state({ kind: 'areas-purged', start, pages });
    yield* unlock('vmap_area_lock');
    return purged;
  },
);

export const vmUnmapAliases = kernelFunction(
  '_vm_unmap_aliases',
  function* (
    _k: Kernel,
    a: { start: Address | undefined; end: Address | undefined; flush: number },
  ): Body<undefined> {
    yield* lock('vmap_purge_lock');
    const purged = yield* call(purgeVmapAreaLazy, { start: a.start, end: a.end });
    if (purged === 0 && a.flush !== 0) {
      yield* call(flushTlbKernelRange, { start: a.start, end: a.end });
      yield* state({ kind: 'tlb-flushed', page: 0, pages: 0, why: 'purge' });
    }
    yield* unlock('vmap_purge_lock');
    return undefined;
  },
);
