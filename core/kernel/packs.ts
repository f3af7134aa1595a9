/**
 * The BPF pack allocator (kernel/bpf/core.c, 5.18 to 7.2): bpf_prog_pack_alloc, bpf_prog_pack_free.
 *
 * Modelled: the list of packs, first fit over 64-byte chunks, new packs, images larger than a pack, owner by mask or by range, fill and invalidate, the
 * dirty mark of the predictor flush. Left out on purpose: nothing that touches memory.
 */
import { CHUNK, firstFit } from '../memory/evolvePacks.js';
import { Memory, type Pack } from '../memory/memory.js';
import { Address, PAGE_SIZE as UNIT } from '../value/address.js';
import { isGone } from './gone.js';
import { setMemoryNx, setMemoryRo, setMemoryRox, setMemoryRw, setMemoryX } from './setMemory.js';
import {
  call,
  choose,
  kernelFunction,
  lock,
  state,
  unlock,
  wait,
  warn,
  type Body,
  type Kernel,
} from './request.js';
import { bpfArchTextInvalidate } from './textPoke.js';
import { allocArea, freeArea, setVmFlushResetPerms, vfree } from './vmalloc.js';

const PMD_SIZE = 0x200000;

/** The fill function of the JIT, where the recording shows it. */
export const jitFillHole = kernelFunction(
  'jit_fill_hole',
  function* (k: Kernel, a: { area: Address | undefined; size: number; where: string }): Body<undefined> {
    if (a.where === 'area' && a.area !== undefined)
      yield* state({ kind: 'filled', to: a.area, length: a.size, pattern: k.arch.trap, way: 'store' });
    return undefined;
  },
);

/** `trap`: the JIT's fill; `zero`: the dispatcher's. */
const fillArea = function* (k: Kernel, area: Address, size: number, fill: string): Body<undefined> {
  if (fill === 'trap') return yield* call(jitFillHole, { area, size, where: 'area' });
  yield* state({ kind: 'filled', to: area, length: size, pattern: 0, way: 'store' });
  return undefined;
};

/** Makes an area read-only and executable, in the way of this kernel. Returns the first error where errors are looked at. */
export const protect = function* (k: Kernel, addr: Address, numpages: number): Body<number> {
  yield* setVmFlushResetPerms(k, addr);
  for (const step of k.profile.protect) {
    const fn = step === 'ro' ? setMemoryRo : step === 'x' ? setMemoryX : setMemoryRox;
    const error = yield* call(fn, { addr, numpages });
    if (error !== 0 && k.profile.protectChecked) return error;
  }
  return 0;
};

/** Size of a pack on this kernel. Under `trial` it is 2 MiB per node where a trial allocation gets huge pages, else a page. */
export const packSize = (k: Kernel): number => {
  if (k.profile.pack.size !== 'trial') return PMD_SIZE * k.nodes();
  const huge =
    k.profile.hugeVmalloc === 'opt-out' || (k.profile.hugeVmalloc === 'opt-in' && k.profile.asksHuge);
  return huge ? PMD_SIZE * k.nodes() : k.arch.pageSize;
};

/** 5.18, 5.19: a trial allocation tells whether huge pages are to be had. Done once. */
const selectBpfProgPackSize = function* (k: Kernel): Body<undefined> {
  if (k.profile.pack.size !== 'trial' || !(yield* choose('trial', {}))) return undefined;
  const area = yield* allocArea(k, PMD_SIZE * k.nodes());
  if (area !== null) yield* call(vfree, { addr: area });
  return undefined;
};

const allocNewPack = kernelFunction(
  'alloc_new_pack',
  function* (k: Kernel, a: { fill: string }): Body<Address | null> {
    // How many nodes there are shows in the next line at the latest.
    yield* wait();
    const size = packSize(k);
    const area = yield* allocArea(k, size);
    if (area === null) return null;
    if (k.profile.pack.fillNew) yield* fillArea(k, area, size, a.fill);
    const create = { kind: 'pack-created', start: area.page, bytes: size, partial: 0 } as const;
    if (k.profile.pack.listedFirst) yield* state(create);
    const error = yield* protect(k, area, size / k.arch.pageSize);
    if (error !== 0) {
      yield* freeArea(k, area);
      return null;
    }
    if (!k.profile.pack.listedFirst) yield* state(create);
    return area;
  },
);

/** An image that no pack can hold: an area of its own. */
const allocOversize = function* (k: Kernel, size: number, fill: string): Body<Address | null> {
  const rounded = Math.ceil(size / k.arch.pageSize) * k.arch.pageSize;
  const area = yield* allocArea(k, rounded);
  if (area === null) return null;
  if (k.profile.pack.fillNew) yield* fillArea(k, area, rounded, fill);
  const error = yield* protect(k, area, rounded / k.arch.pageSize);
  if (error === 0) return area;
  yield* freeArea(k, area);
  return null;
};

const fitIn = (pack: Pack, chunks: number): Address | null => {
  const at = firstFit(pack, chunks);
  return at < 0 ? null : Address.add(Address.of(pack.start), at * CHUNK);
};

/**
 * Packs in the order in which they are looked through. Where a predictor flush is due for reused memory (7.1+, static key on), classic programs try the
 * clean ones first, others the dirty ones.
 */
const searched = (packs: readonly Pack[], flushing: boolean, classic: boolean): readonly Pack[] =>
  flushing
    ? [...packs.filter(({ dirty }) => dirty !== classic), ...packs.filter(({ dirty }) => dirty === classic)]
    : packs;

/** First pack, in the order of the list, with a run of free chunks; lowest such run. */
export const searchPacks = (packs: readonly Pack[], size: number): Address | null => {
  const chunks = Math.ceil(size / CHUNK);
  for (const pack of packs) {
    const at = fitIn(pack, chunks);
    if (at !== null) return at;
  }
  return null;
};

/** Room for an image: chunks of a pack, or an area of its own. Null where there is none. */
export const bpfProgPackAlloc = kernelFunction(
  'bpf_prog_pack_alloc',
  function* (k: Kernel, a: { size: number; fill: string; was_classic: number }): Body<Address | null> {
    yield* lock('pack_mutex');
    yield* wait();
    if (k.memory().packs.length === 0 && k.profile.pack.size === 'trial') yield* selectBpfProgPackSize(k);
    // A kernel of more nodes than are known makes a pack of it.
    if (a.size > packSize(k) && !(yield* choose('more', { fn: 'alloc_new_pack' }))) {
      if (k.profile.predictorFlush && a.was_classic === 1 && (yield* choose('predictor', {})))
        yield* warn('a classic program larger than a pack: no predictor flush');
      const area = yield* allocOversize(k, a.size, a.fill);
      yield* unlock('pack_mutex');
      if (area !== null) yield* state({ kind: 'chunk-allocated', pack: 0, at: area, bytes: a.size });
      return area;
    }
    const bytes = Math.ceil(a.size / CHUNK) * CHUNK;
    const flushing = k.profile.predictorFlush && (yield* choose('predictor', {}));
    const classic = a.was_classic === 1;
    let at = yield* choose('chunk', {
      size: a.size,
      predicted: searchPacks(searched(k.memory().packs, flushing, classic), a.size),
      wasClassic: classic,
    });
    if (at === null) {
      at = yield* call(allocNewPack, { fill: a.fill });
      if (at !== null && flushing) yield* state({ kind: 'pack-marked', start: at.page, dirty: 1 });
    }
    if (at !== null) {
      const pack = Memory.packAt(k.memory(), at.page);
      // The predictors are flushed on every CPU, so no pack is dirty any more.
      if (flushing && classic && pack?.dirty === true)
        yield* state({ kind: 'pack-marked', start: 0, dirty: 0 });
      yield* state({ kind: 'chunk-allocated', pack: pack?.start ?? 0, at, bytes });
    }
    yield* unlock('pack_mutex');
    return at;
  },
);

/** The pack that the kernel finds for a chunk: by mask it may miss (two nodes, 5.18), by range it does not. */
const ownerOf = (k: Kernel, ptr: Address): Pack | null => {
  const found = Memory.packAt(k.memory(), ptr.page);
  if (k.profile.pack.owner === 'range' || found === null) return found;
  const maskPages = Math.min(packSize(k), PMD_SIZE) / UNIT;
  const masked = ptr.page - (ptr.page % maskPages);
  return found.start === masked ? found : null;
};

const freeWhole = function* (k: Kernel, ptr: Address, size: number): Body<undefined> {
  if (k.profile.pack.resetBeforeFree) {
    const numpages = Math.floor(size / k.arch.pageSize);
    yield* call(setMemoryNx, { addr: ptr, numpages });
    yield* call(setMemoryRw, { addr: ptr, numpages });
  }
  return yield* freeArea(k, ptr);
};

/**
 * Gives chunks back; the last ones of a pack take the pack with them. `size` is what the header says; unknown for a program older than the recording until
 * a line shows it. Returns the size.
 */
export const bpfProgPackFree = kernelFunction(
  'bpf_prog_pack_free',
  function* (k: Kernel, a: { ptr: Address; size: number | undefined }): Body<number> {
    const size = a.size ?? (yield* choose('result', { fn: 'header', predicted: CHUNK }));
    yield* lock('pack_mutex');
    yield* freeChunks(k, a.ptr, size);
    yield* unlock('pack_mutex');
    return size;
  },
  () => ({}),
);

const freeChunks = function* (k: Kernel, ptr: Address, size: number): Body<undefined> {
  const flushing = k.profile.predictorFlush && (yield* choose('predictor', {}));
  if (size > packSize(k)) return yield* freeWhole(k, ptr, size);
  const pack = ownerOf(k, ptr);
  if (pack === null && Memory.packAt(k.memory(), ptr.page) !== null) {
    yield* warn('bpf_prog_pack bug');
    return undefined;
  }
  // A pack whose memory was given back while it was in use: it is on the list all the same.
  const gone = pack !== null && isGone(k.memory(), pack);
  if (!k.profile.pack.invalidate) yield* wait();
  else if ((yield* call(bpfArchTextInvalidate, { dst: ptr, len: size })) !== 0)
    yield* warn('bpf_prog_pack bug: missing bpf_arch_text_invalidate?');
  yield* state({
    kind: 'chunk-freed',
    pack: pack?.start ?? 0,
    at: ptr,
    bytes: Math.ceil(size / CHUNK) * CHUNK,
  });
  if (flushing && pack !== null && !pack.dirty)
    yield* state({ kind: 'pack-marked', start: pack.start, dirty: 1 });
  const after = pack === null ? null : Memory.packAt(k.memory(), pack.start);
  const known = after !== null && !after.partial;
  const empty = known
    ? after.usedChunks === 0
      ? Address.of(after.start)
      : null
    : yield* choose('emptied', { at: ptr });
  if (empty === null) return undefined;
  if (after !== null) yield* state({ kind: 'pack-removed', start: after.start });
  if (gone) {
    yield* warn(`Trying to vfree() nonexistent vm area (${Address.toText(empty)})`);
    return undefined;
  }
  return yield* freeWhole(k, empty, after?.bytes ?? packSize(k));
};
