/**
 * vmalloc areas (mm/vmalloc.c) and the module allocators on top of it.
 *
 * Modelled: address choice by first fit, huge mappings (opt-out to 5.18-rc3, opt-in later), guard pages, lazy freeing and purging, the reset of
 * direct-map permissions in vfree (VM_FLUSH_RESET_PERMS). Left out on purpose: per-CPU vmap blocks, NUMA placement of pages.
 */
import { setsDirectMap, unitOf } from '../arch/arch.js';
import { FLAGS_UNKNOWN, VM_FLUSH_RESET_PERMS } from '../event/areas.js';
import { Memory, NO_FRAME, type Area } from '../memory/memory.js';
import { Address } from '../value/address.js';
import { Prot } from '../value/prot.js';
import { Word } from '../value/words.js';
import { setDirectMapDefault, setDirectMapInvalid } from './setMemory.js';
import { vmUnmapAliases } from './purge.js';
import {
  call,
  choose,
  kernelFunction,
  lock,
  state,
  unlock,
  warn,
  type Body,
  type Kernel,
} from './request.js';

const HUGE_VMAP_FLAG = 0x400;
const PMD_SIZE = 0x200000;
const PMD_PAGES = 512;

/** Lowest free address in the range that takes `pages` (guard included) with this alignment; null when none does. */
const lowestFit = (k: Kernel, first: number, last: number, pages: number, align: number): number | null => {
  const search = align > unitOf(k.arch) ? pages + align - 1 : pages;
  let from = first;
  let fallback: number | null = null;
  const tryHole = (start: number, end: number): number | null => {
    const at = Math.ceil(start / align) * align;
    if (at + pages > end) return null;
    if (end - start >= search || end >= last) return at;
    fallback ??= at;
    return null;
  };
  for (const area of Memory.areas(k.memory())) {
    const end = area.start + area.pages;
    if (end <= from) continue;
    if (area.start >= last) break;
    const at = tryHole(from, area.start);
    if (at !== null) return at;
    from = Math.max(from, end);
  }
  return tryHole(from, last) ?? fallback;
};

/** Huge mapping: whether the area is mapped with 2M leaves. */
const wantsHuge = (k: Kernel, size: number, flags: number): boolean => {
  const { hugeVmalloc } = k.profile;
  if (hugeVmalloc === 'none') return false;
  const allowed = hugeVmalloc === 'opt-out' ? (flags & HUGE_VMAP_FLAG) === 0 : (flags & HUGE_VMAP_FLAG) !== 0;
  return allowed && size / k.nodes() >= PMD_SIZE;
};

const vmapPagesRangeNoflush = kernelFunction(
  'vmap_pages_range_noflush',
  function* (
    _k: Kernel,
    a: { addr: Address; end: Address; page_shift: number; pages: number; access: number; parts: string },
  ): Body<undefined> {
    let page: number = a.addr.page;
    for (const part of a.parts.split(' ')) {
      const [frame, pages] = part.split('+').map(Number) as [number, number];
      yield* state({ kind: 'mapped', page, pages, shift: a.page_shift, prot: a.access, frame });
      page += pages;
    }
    return undefined;
  },
);

interface VmallocArgs {
  readonly size: number;
  readonly align: number;
  readonly start: Address;
  readonly end: Address;
  readonly gfp_mask: number | undefined;
  readonly prot: Word | undefined;
  readonly vm_flags: number;
  readonly caller: string;
  /** What `prot` allows; of areas of others: data. */
  readonly access?: number;
  readonly [name: string]: number | Address | Word | string | undefined;
}

/** An area of `size` bytes with its pages mapped RW, NX; null where there is no room or no memory. */
export const vmallocNodeRange = kernelFunction(
  '__vmalloc_node_range',
  function* (k: Kernel, a: VmallocArgs): Body<Address | null> {
    const huge = wantsHuge(k, a.size, a.vm_flags);
    const unit = unitOf(k.arch);
    const align = huge ? PMD_PAGES : unit * Math.max(1, Math.ceil(a.align / k.arch.pageSize));
    const pages = huge
      ? Math.ceil(a.size / PMD_SIZE) * PMD_PAGES
      : unit * Math.ceil(a.size / k.arch.pageSize);
    yield* lock('vmap_area_lock');
    const fit = lowestFit(k, a.start.page, a.end.page, pages + unit, align);
    const at = yield* choose('area', {
      size: a.size,
      predicted: fit === null ? null : Address.of(fit),
      predictable: k.profile.exactFit,
      shared: !k.arch.ownRange,
    });
    if (at === null) {
      yield* unlock('vmap_area_lock');
      return null;
    }
    yield* state({
      kind: 'area-allocated',
      start: at.page,
      pages: pages + unit,
      flags: a.vm_flags & ~HUGE_VMAP_FLAG,
      caller: a.caller,
    });
    yield* unlock('vmap_area_lock');
    const given = yield* choose('frames', { pages, huge });
    const shift = huge ? 21 : (k.arch.leafShifts[0] as number);
    const parts: { frame: number; pages: number }[] = [];
    if (given !== null) parts.push(...given);
    else if (huge)
      for (let i = 0; i < pages; i += PMD_PAGES)
        parts.push({ frame: k.nameFrames(PMD_PAGES), pages: PMD_PAGES });
    else parts.push({ frame: k.nameFrames(pages), pages });
    yield* call(vmapPagesRangeNoflush, {
      addr: at,
      end: Address.of(at.page + pages),
      page_shift: shift,
      pages,
      access: a.access ?? Prot.kernel,
      parts: parts.map((part) => `${part.frame}+${part.pages}`).join(' '),
    });
    return at;
  },
);

/** Pages known to be mapped from here on without a gap: no more than one area, since a guard page ends it. */
const mappedRun = (memory: Memory, first: number): number => {
  let page = first;
  while (Memory.page(memory, page) !== null) page++;
  return page - first;
};

const vunmapRangeNoflush = kernelFunction(
  'vunmap_range_noflush',
  function* (k: Kernel, a: { start: Address; end: Address | undefined }): Body<undefined> {
    const pages = a.end === undefined ? mappedRun(k.memory(), a.start.page) : a.end.page - a.start.page;
    if (pages > 0) yield* state({ kind: 'unmapped', page: a.start.page, pages });
    return undefined;
  },
);

const removeVmArea = kernelFunction(
  'remove_vm_area',
  function* (k: Kernel, a: { addr: Address }): Body<undefined> {
    const area = Memory.areaAt(k.memory(), a.addr.page);
    // An area older than a recording without dump: where it ends shows in the line, if at all.
    const end = area === null ? undefined : Address.of(area.start + area.pages);
    yield* call(vunmapRangeNoflush, { start: a.addr, end });
    if (area === null) return undefined;
    yield* lock('vmap_area_lock');
    yield* state({ kind: 'area-freed', start: area.start });
    yield* unlock('vmap_area_lock');
    return undefined;
  },
);

/** Bytes of a struct page. */
export const STRUCT_PAGE = 64;

const structPage = (k: Kernel, pfn: number): Address | undefined => {
  const base = k.memory().vmemmap;
  return Word.isZero(base) || pfn < 0
    ? undefined
    : Address.add(Word.toAddress(base), (pfn / unitOf(k.arch)) * STRUCT_PAGE);
};

/** Frames of the area in the order of its pages; named ones are asked for. */
const framesBehind = (area: Area | null): number[] =>
  [...(area?.frames ?? [])].filter((frame) => frame !== NO_FRAME);

/** Whether vfree resets the direct map; null: not known. Where the flag is set after the allocation, others than BPF do so unseen. */
const resetsPermissions = (k: Kernel, area: Area | null): boolean | null => {
  if (area === null || area.flags === FLAGS_UNKNOWN) return null;
  if ((area.flags & VM_FLUSH_RESET_PERMS) !== 0) return true;
  if (k.profile.setsResetFlag && k.profile.areaFlags === 0) return null;
  // As who makes his own memory read-only (a program without JIT) does.
  const prot = Memory.page(k.memory(), area.start)?.prot ?? Prot.writable;
  return Prot.has(prot, Prot.writable) ? false : null;
};

/** A frame that had only a name, as the next line shows it; the name where it does not. */
const nameOfFrame = function* (name: number, page: number): Body<number> {
  const found = yield* choose('frame', { name, page });
  if (found < 0) return name;
  if (name !== NO_FRAME) yield* state({ kind: 'identified', frame: name, page: found, pages: 1 });
  return found;
};

/** From the lowest alias of these frames to the end of the highest; undefined where they are not all known. */
const aliasRange = (
  k: Kernel,
  pfns: readonly number[],
): { readonly start: Address | undefined; readonly end: Address | undefined } => {
  const base = k.memory().directBase;
  const complete = base !== 0 && pfns.length > 0 && pfns.every((pfn) => pfn >= 0);
  const unit = unitOf(k.arch);
  const last = Math.max(...pfns);
  return {
    start: complete ? Address.of(base + Math.min(...pfns)) : undefined,
    // Frames are those of pages of 4 KiB, or the first ones of larger pages.
    end: complete ? Address.of(base + last - (last % unit) + unit) : undefined,
  };
};

/** The flush of vm_reset_perms alone. Of an area of one page it shows the frame. */
const flushAliases = function* (k: Kernel, area: Area | null, frames: readonly number[]): Body<undefined> {
  let pfns = frames;
  const unit = unitOf(k.arch);
  const name = frames[0] ?? NO_FRAME;
  if (area !== null && frames.length === unit && name < NO_FRAME) {
    const page = yield* choose('frame', { name, page: area.start });
    if (page >= 0) {
      yield* state({ kind: 'identified', frame: name, page, pages: unit });
      pfns = frames.map((_, i) => page + i);
    }
  }
  yield* call(vmUnmapAliases, { ...aliasRange(k, pfns), flush: 1 });
  return undefined;
};

const vunmap = kernelFunction(
  '__vunmap',
  function* (k: Kernel, a: { addr: Address; deallocate_pages: number }): Body<undefined> {
    if (a.addr.offset !== 0 || a.addr.page % unitOf(k.arch) !== 0) {
      yield* warn(`Trying to vfree() bad address (${Address.toText(a.addr)})`);
      return undefined;
    }
    const area = Memory.areaAt(k.memory(), a.addr.page);
    if (area?.state === 'lazy') {
      yield* warn(`Trying to vfree() nonexistent vm area (${Address.toText(a.addr)})`);
      return undefined;
    }
    let reset = resetsPermissions(k, area);
    const unit = unitOf(k.arch);
    const frames = framesBehind(area);
    // One call a page of the architecture: its first frame.
    const targets = frames.filter((_, i) => i % unit === 0);
    yield* call(removeVmArea, { addr: a.addr });
    const changesAliases = setsDirectMap(k.arch, k.profile);
    if (!changesAliases) {
      // No alias is changed: one flush of the addresses that the aliases have.
      reset ??= yield* choose('more', { fn: '_vm_unmap_aliases' });
      if (reset) yield* flushAliases(k, area, frames);
    } else if (reset === null && targets.length > 0)
      reset = yield* choose('more', { fn: 'set_direct_map_invalid_noflush' });
    if (changesAliases && (reset === true || reset === null)) {
      const pfns: number[] = [];
      let index = 0;
      for (;;) {
        if (
          targets.length > 0
            ? index >= targets.length
            : !(yield* choose('more', { fn: 'set_direct_map_invalid_noflush' }))
        )
          break;
        let pfn = targets[index] ?? NO_FRAME;
        if (pfn < 0) pfn = yield* nameOfFrame(pfn, a.addr.page + index * unit);
        pfns.push(pfn);
        yield* call(setDirectMapInvalid, { page: structPage(k, pfn), pfn });
        index++;
      }
      if (reset === true || pfns.length > 0) {
        yield* call(vmUnmapAliases, { ...aliasRange(k, pfns), flush: 1 });
        for (const [i, before] of pfns.entries()) {
          // The range of the flush may have been the first to tell which frames these are.
          const pfn =
            before >= 0 ? before : yield* nameOfFrame(targets[i] ?? NO_FRAME, a.addr.page + i * unit);
          yield* call(setDirectMapDefault, { page: structPage(k, pfn), pfn });
        }
      }
    }
    if (area !== null) yield* state({ kind: 'frames-released', start: area.start });
    return undefined;
  },
);

/** Gives an area back; with VM_FLUSH_RESET_PERMS the direct-map aliases go not-present and then RW again. */
export const vfree = kernelFunction('vfree', function* (_k: Kernel, a: { addr: Address }): Body<undefined> {
  if (!Address.isZero(a.addr)) yield* call(vunmap, { addr: a.addr, deallocate_pages: 1 });
  return undefined;
});

const areaRequest = (
  k: Kernel,
  size: number,
  flags: number,
  caller: string,
  [first, end] = k.arch.moduleRange(k.profile),
): VmallocArgs => {
  return {
    size,
    align: k.arch.areaAlign,
    start: Address.of(first),
    end: Address.of(end),
    gfp_mask: k.profile.gfp,
    prot: k.arch.protKernel,
    access: k.arch.areaProt(k.profile),
    vm_flags: flags,
    caller,
  };
};

export const moduleAlloc = kernelFunction(
  'module_alloc',
  function* (k: Kernel, a: { size: number }): Body<Address | null> {
    const range = k.arch.modulesOnly?.(k.profile);
    return yield* call(vmallocNodeRange, areaRequest(k, a.size, k.profile.areaFlags, 'module_alloc', range));
  },
);

export const moduleMemfree = kernelFunction(
  'module_memfree',
  function* (_k: Kernel, a: { addr: Address }): Body<undefined> {
    yield* call(vfree, { addr: a.addr });
    return undefined;
  },
);

const execmemVmalloc = kernelFunction(
  'execmem_vmalloc',
  function* (k: Kernel, a: { size: number }): Body<Address | null> {
    return yield* call(vmallocNodeRange, areaRequest(k, a.size, k.profile.areaFlags, 'execmem_alloc'));
  },
);

const EXECMEM_BPF = 3;

/** BPF gets an area of its own; other types may be served from the ROX cache (6.15+), whose inside is not modelled. */
export const execmemAlloc = kernelFunction(
  'execmem_alloc',
  function* (_k: Kernel, a: { type: number; size: number }): Body<Address | null> {
    if (a.type === EXECMEM_BPF || (yield* choose('more', { fn: 'execmem_vmalloc' })))
      return yield* call(execmemVmalloc, { size: a.size });
    return yield* choose('area', { size: a.size, predicted: null, predictable: false, shared: false });
  },
);

export const execmemFree = kernelFunction(
  'execmem_free',
  function* (_k: Kernel, a: { addr: Address }): Body<undefined> {
    yield* call(vfree, { addr: a.addr });
    return undefined;
  },
);

export const bpfJitAllocExec = kernelFunction(
  'bpf_jit_alloc_exec',
  function* (k: Kernel, a: { size: number }): Body<Address | null> {
    switch (k.profile.execAlloc) {
      case 'module_alloc':
        return yield* call(moduleAlloc, { size: a.size });
      case 'execmem_alloc':
        return yield* call(execmemAlloc, { type: EXECMEM_BPF, size: a.size });
      case 'vmalloc':
        return yield* call(
          vmallocNodeRange,
          areaRequest(k, a.size, k.profile.areaFlags, 'bpf_jit_alloc_exec'),
        );
    }
  },
);

export const bpfJitFreeExec = kernelFunction(
  'bpf_jit_free_exec',
  function* (k: Kernel, a: { addr: Address }): Body<undefined> {
    switch (k.profile.execAlloc) {
      case 'module_alloc':
        return yield* call(moduleMemfree, { addr: a.addr });
      case 'execmem_alloc':
        return yield* call(execmemFree, { addr: a.addr });
      case 'vmalloc':
        return yield* call(vfree, { addr: a.addr });
    }
  },
);

/** module_alloc_huge of the series of June 2022 (never merged): asks for huge pages, no reset flag. */
const moduleAllocHuge = kernelFunction(
  'module_alloc_huge',
  function* (k: Kernel, a: { size: number }): Body<Address | null> {
    return yield* call(
      vmallocNodeRange,
      areaRequest(k, a.size, k.profile.areaFlags | HUGE_VMAP_FLAG, 'module_alloc_huge'),
    );
  },
);

/** The area of a pack, or of an image larger than one, through the call that this kernel uses. */
export const allocArea = function* (k: Kernel, size: number): Body<Address | null> {
  if (k.profile.asksHuge) return yield* call(moduleAllocHuge, { size });
  return k.profile.areaCall === 'module_alloc'
    ? yield* call(moduleAlloc, { size })
    : yield* call(bpfJitAllocExec, { size });
};

export const freeArea = function* (k: Kernel, addr: Address): Body<undefined> {
  return k.profile.areaCall === 'module_alloc'
    ? yield* call(moduleMemfree, { addr })
    : yield* call(bpfJitFreeExec, { addr });
};

/** set_vm_flush_reset_perms: later vfree resets the permissions of the pages. */
export const setVmFlushResetPerms = function* (k: Kernel, addr: Address): Body<undefined> {
  const area = Memory.areaAt(k.memory(), addr.page);
  if (!k.profile.setsResetFlag || area === null) return undefined;
  const flags = area.flags === FLAGS_UNKNOWN ? 0 : area.flags;
  if ((flags & VM_FLUSH_RESET_PERMS) === 0)
    yield* state({ kind: 'area-flagged', start: area.start, flags: flags | VM_FLUSH_RESET_PERMS });
  return undefined;
};
