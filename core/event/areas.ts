import { kindOf, type Common } from './kind.js';

/** vfree makes the aliases of the area's pages what they were before (0x100). */
export const VM_FLUSH_RESET_PERMS = 0x100;
/** No bit of the kernel's: the flags are not known. */
export const FLAGS_UNKNOWN = 2 ** 31;

/** A vmalloc area was reserved (alloc_vmap_area / get_vm_area). */
export interface AreaAllocated extends Common {
  readonly kind: 'area-allocated';
  readonly start: number;
  /** Pages, guard page included. */
  readonly pages: number;
  /** VM_* bits; `FLAGS_UNKNOWN`: not known. */
  readonly flags: number;
  readonly caller: string;
}
export const AreaAllocated = kindOf<AreaAllocated>()('area-allocated', 10, 'a vmalloc area was reserved', {
  start: ['page', 'first page'],
  pages: ['uint', 'pages, guard page included'],
  flags: ['uint', 'VM_* bits; 0x80000000: not known'],
  caller: ['text', 'who asked for it; empty: unknown'],
});

/** The reset flag (or another one) was set on a live area. */
export interface AreaFlagged extends Common {
  readonly kind: 'area-flagged';
  readonly start: number;
  readonly flags: number;
}
export const AreaFlagged = kindOf<AreaFlagged>()('area-flagged', 11, 'flags of a live area were set', {
  start: ['page', 'first page of the area'],
  flags: ['uint', 'VM_* bits now'],
});

/** The area left vmallocinfo's live list; its addresses wait for a purge. */
export interface AreaFreed extends Common {
  readonly kind: 'area-freed';
  readonly start: number;
}
export const AreaFreed = kindOf<AreaFreed>()(
  'area-freed',
  12,
  'the area was removed; its addresses wait for a purge',
  {
    start: ['page', 'first page of the area'],
  },
);

/** The addresses of lazily freed areas may be used again: of one area, or of all when `pages` is 0. */
export interface AreasPurged extends Common {
  readonly kind: 'areas-purged';
  readonly start: number;
  readonly pages: number;
}
export const AreasPurged = kindOf<AreasPurged>()(
  'areas-purged',
  13,
  'lazily freed addresses may be used again (pages 0: all of them)',
  {
    start: ['page', 'first page'],
    pages: ['uint', 'pages; 0: every lazily freed area'],
  },
);
