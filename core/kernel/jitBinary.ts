/**
 * Memory of one JIT image (kernel/bpf/core.c): charge, header and image in an area of their own or in a pack, finalisation, release.
 *
 * Modelled: both allocators, the limit, the size that error paths read from a header which nothing has written. Left out on purpose: the code itself.
 */
import { ContentClass, PageContent, BLOCK } from '../memory/content.js';
import { Memory, NO_FRAME } from '../memory/memory.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { isGone } from './gone.js';
import { bpfProgPackAlloc, bpfProgPackFree, jitFillHole } from './packs.js';
import { call, choose, kernelFunction, state, type Body, type Kernel, type Value } from './request.js';
import { bpfArchTextCopy } from './textPoke.js';
import { bpfJitAllocExec, bpfJitFreeExec } from './vmalloc.js';

const HEADER = 8;

const roundUp = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Size that the pack allocator is asked for: bpf_jit_binary_pack_alloc, 5.18+. */
export const packedSize = (proglen: number): number => roundUp(proglen + HEADER + 16, 64);
/** Size of the area of bpf_jit_binary_alloc. */
export const areaSize = (proglen: number, pageSize: number): number =>
  roundUp(proglen + HEADER + 128, pageSize);

export const bpfJitChargeModmem = kernelFunction(
  'bpf_jit_charge_modmem',
  function* (k: Kernel, a: { size: number }): Body<number> {
    const bytes = k.profile.chargeUnit === 'pages' ? a.size * k.arch.pageSize : a.size;
    const { charged, limit } = k.memory();
    const over = charged === null || limit === null ? null : charged + bytes > limit;
    const result = yield* choose('charge', { size: bytes, over });
    if (result !== 0) return result;
    yield* state({ kind: 'charged', bytes });
    return 0;
  },
);

export const bpfJitUnchargeModmem = kernelFunction(
  'bpf_jit_uncharge_modmem',
  function* (k: Kernel, a: { size: number }): Body<undefined> {
    yield* state({
      kind: 'charged',
      bytes: -(k.profile.chargeUnit === 'pages' ? a.size * k.arch.pageSize : a.size),
    });
    return undefined;
  },
);

/** Header and image in an area of their own, RW and NX, filled with traps. */
export const bpfJitBinaryAlloc = kernelFunction(
  'bpf_jit_binary_alloc',
  function* (k: Kernel, a: { proglen: number; alignment: number; fill: string }): Body<Address | null> {
    const size = areaSize(a.proglen, k.arch.pageSize);
    const unit = k.profile.chargeUnit === 'pages' ? size / k.arch.pageSize : size;
    if ((yield* call(bpfJitChargeModmem, { size: unit })) !== 0) return null;
    const area = yield* call(bpfJitAllocExec, { size });
    if (area === null) {
      yield* call(bpfJitUnchargeModmem, { size: unit });
      return null;
    }
    yield* state({ kind: 'filled', to: area, length: size, pattern: k.arch.trap, way: 'store' });
    return area;
  },
);

interface Packed {
  readonly ro: Address | null;
  readonly rw: Word;
}

/** Read-only chunk and RW buffer. */
export const bpfJitBinaryPackAlloc = kernelFunction(
  'bpf_jit_binary_pack_alloc',
  function* (
    k: Kernel,
    a: { proglen: number; alignment: number; fill: string; was_classic: number },
  ): Body<Packed> {
    const none: Packed = { ro: null, rw: Word.zero };
    const size = packedSize(a.proglen);
    if ((yield* call(bpfJitChargeModmem, { size })) !== 0) return none;
    const ro = yield* call(bpfProgPackAlloc, { size, fill: a.fill, was_classic: a.was_classic });
    if (ro === null) {
      yield* call(bpfJitUnchargeModmem, { size });
      return none;
    }
    const rw = yield* choose('buffer', { size });
    if (rw === null) {
      // What frees by the header needs the size there (to 6.7); whether the copy worked is not looked at.
      let written: number | undefined = size;
      if (k.profile.packFreeBy === 'header') {
        const copied = yield* call(bpfArchTextCopy, { dst: ro, src: undefined, len: 4, what: 'code' });
        if (typeof copied === 'number' && !k.profile.errorPathsBySize) written = headerWord(k, ro);
      }
      yield* call(bpfProgPackFree, { ptr: ro, size: written });
      yield* call(bpfJitUnchargeModmem, { size });
      return none;
    }
    yield* call(jitFillHole, {
      area: Word.isZero(rw) ? undefined : Word.toAddress(rw),
      size,
      where: 'buffer',
    });
    return { ro, rw };
  },
  (result) => ({ ret: result.ro ?? 0, rw_header: Word.isZero(result.rw) ? undefined : result.rw }),
);

/** What the first word of a chunk can be where older content decides: nothing, a chunk, more than any pack. */
export const UNWRITTEN_SIZES: readonly number[] = [0, BLOCK, 0xffffffff];

/** First word of a chunk as far as its content is known. */
export const headerWord = (k: Kernel, at: Address): number | undefined => {
  const entry = Memory.page(k.memory(), at.page);
  if (entry === null || entry.frame === NO_FRAME) return undefined;
  const content = Memory.contentOf(k.memory(), entry.frame);
  if (content === null) return undefined;
  const seen = content.seen?.get(at.offset);
  if (seen !== undefined) return seen >>> 0;
  const cls = PageContent.classAt(content, Math.floor(at.offset / BLOCK));
  if (cls === ContentClass.trap) return k.arch.trap >>> 0;
  if (cls === ContentClass.zero) return 0;
  if (cls !== ContentClass.bytes || content.bytes === null) return undefined;
  let word = 0;
  for (let i = 3; i >= 0; i--) word = word * 256 + (content.bytes[at.offset + i] as number);
  return word;
};

interface Finalize {
  readonly prog: Word;
  readonly ro_header: Address;
  readonly rw_header: Word | undefined;
  readonly ro_header_size: number | undefined;
  readonly rw_header_size: number;
  readonly [name: string]: Value;
}

/** The chunk is given back by the size in its header, which nothing has written, and stays charged: so on every kernel so far. */
export const failFinalize = function* (k: Kernel, a: Finalize, errno: number): Body<number> {
  const size = k.profile.errorPathsBySize ? a.rw_header_size : headerWord(k, a.ro_header);
  yield* call(bpfProgPackFree, { ptr: a.ro_header, size });
  if (k.profile.errorPathsBySize) yield* call(bpfJitUnchargeModmem, { size: a.rw_header_size });
  return errno;
};

/** Copies the RW buffer into the chunk. */
export const bpfJitBinaryPackFinalize = kernelFunction(
  'bpf_jit_binary_pack_finalize',
  function* (k: Kernel, a: Finalize): Body<number> {
    const src = a.rw_header === undefined ? undefined : Word.toAddress(a.rw_header);
    const copied = yield* call(bpfArchTextCopy, {
      dst: a.ro_header,
      src,
      len: a.rw_header_size,
      what: 'image',
    });
    return typeof copied === 'number' ? yield* failFinalize(k, a, copied) : 0;
  },
);

export const bpfJitBinaryPackFree = kernelFunction(
  'bpf_jit_binary_pack_free',
  function* (
    k: Kernel,
    a: { ro_header: Address; rw_header: Word; size: number | undefined },
  ): Body<undefined> {
    const pack = Memory.packAt(k.memory(), a.ro_header.page);
    if (pack !== null && isGone(k.memory(), pack)) {
      yield* state({
        kind: 'warned',
        text: `no page at ${Address.toText(a.ro_header)} to read from`,
        bug: 1,
      });
      return undefined;
    }
    // As its header says; of a program older than the recording, or one that was never finalized, a line shows it.
    const size = a.size ?? (yield* choose('result', { fn: 'header', predicted: BLOCK }));
    yield* call(bpfProgPackFree, { ptr: a.ro_header, size });
    yield* call(bpfJitUnchargeModmem, { size });
    return undefined;
  },
);

export const bpfJitBinaryFree = kernelFunction(
  'bpf_jit_binary_free',
  function* (k: Kernel, a: { hdr: Address; size: number | undefined }): Body<undefined> {
    const size = a.size ?? (yield* choose('result', { fn: 'header', predicted: k.arch.pageSize }));
    yield* call(bpfJitFreeExec, { addr: a.hdr });
    yield* call(bpfJitUnchargeModmem, {
      size: k.profile.chargeUnit === 'pages' ? size / k.arch.pageSize : size,
    });
    return undefined;
  },
);

/**
 * What becomes of the image of a function that the JIT gives up: its size is copied into the chunk, whose header it is freed by; whether that worked is not
 * looked at.
 */
export const discardImage = function* (k: Kernel, chunk: Address, bytes: number): Body<undefined> {
  if (k.profile.allocator === 'binary') return yield* call(bpfJitBinaryFree, { hdr: chunk, size: bytes });
  const copied = yield* call(bpfArchTextCopy, { dst: chunk, src: undefined, len: 4, what: 'code' });
  const written = typeof copied !== 'number' || k.profile.errorPathsBySize;
  const size = written ? bytes : headerWord(k, chunk);
  return yield* call(bpfJitBinaryPackFree, { ro_header: chunk, rw_header: Word.zero, size });
};
