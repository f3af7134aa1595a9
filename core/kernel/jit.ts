/**
 * JIT memory of one function (kernel/bpf/core.c, arch/x86/net/bpf_jit_comp.c): charge, allocation, finalisation, release.
 *
 * Modelled: both allocators, two passes of multi-function programs, blinding clones, the limit. Left out on purpose: the code itself.
 */
import { ContentClass, PageContent, BLOCK } from '../memory/content.js';
import { Memory, NO_FRAME, type Program } from '../memory/memory.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { bpfProgPackAlloc, bpfProgPackFree, jitFillHole, protect } from './packs.js';
import { call, choose, kernelFunction, state, type Body, type Kernel, type Value } from './request.js';
import { bpfArchTextCopy, flushIcache, patchLive } from './textPoke.js';
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
const bpfJitBinaryAlloc = kernelFunction(
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
const bpfJitBinaryPackAlloc = kernelFunction(
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

/** First word of a chunk as far as its content is known. */
const headerWord = (k: Kernel, at: Address): number | undefined => {
  const entry = Memory.page(k.memory(), at.page);
  if (entry === null || entry.frame === NO_FRAME) return undefined;
  const content = Memory.contentOf(k.memory(), entry.frame);
  if (content === null) return undefined;
  const cls = PageContent.classAt(content, Math.floor(at.offset / BLOCK));
  if (cls === ContentClass.trap) return k.arch.trap >>> 0;
  if (cls === ContentClass.zero) return 0;
  return undefined;
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

/** Constant blinding: the program itself, or a clone of it (bpf_jit_harden). */
export const bpfJitBlindConstants = kernelFunction(
  'bpf_jit_blind_constants',
  function* (_k: Kernel, a: { prog: Word }): Body<Word> {
    return yield* choose('clone', { prog: a.prog });
  },
);

export const bpfJitProgReleaseOther = kernelFunction(
  'bpf_jit_prog_release_other',
  function* (_k: Kernel, _a: { prog: Word; other: Word }): Body<undefined> {
    return undefined;
  },
);

interface Compiled {
  readonly prog: Word;
  readonly placement: { readonly start: Address; readonly length: number } | null;
  readonly jited: boolean;
}

const finish = function* (k: Kernel, program: Program): Body<number> {
  if (k.profile.allocator === 'binary') {
    const error = yield* protect(k, program.chunk, program.bytes / k.arch.pageSize);
    if (error !== 0) {
      yield* call(bpfJitBinaryFree, { hdr: program.chunk, size: program.bytes });
      yield* state({ kind: 'program-freed', program: program.number });
      return error;
    }
  } else {
    const error = yield* call(bpfJitBinaryPackFinalize, {
      prog: program.pointer,
      ro_header: program.chunk,
      rw_header: undefined,
      ro_header_size: headerWord(k, program.chunk),
      rw_header_size: program.bytes,
    });
    if (error !== 0) {
      yield* state({ kind: 'program-freed', program: program.number });
      return error;
    }
  }
  yield* state({ kind: 'program-finalized', program: program.number });
  if (k.profile.fixesTailCalls) yield* bpfTailCallDirectFixup(k, program);
  return 0;
};

/** Tail calls whose targets are in their arrays already become jumps. */
const bpfTailCallDirectFixup = function* (k: Kernel, { number }: Program): Body<undefined> {
  for (;;) {
    const site = yield* choose('patch', { fn: 'bpf_tail_call_direct_fixup', program: number });
    if (site === null) return undefined;
    yield* patchLive(k, site.at, site.length);
  }
};

const allocateImage = function* (k: Kernel, prog: Word, proglen: number): Body<Program | null> {
  const binary = k.profile.allocator === 'binary';
  const type = yield* choose('type', { prog });
  let chunk: Address | null;
  if (binary)
    chunk = yield* call(bpfJitBinaryAlloc, { proglen, alignment: k.arch.codeAlignment, fill: 'trap' });
  else
    chunk = (yield* call(bpfJitBinaryPackAlloc, {
      proglen,
      alignment: k.arch.codeAlignment,
      fill: 'trap',
      was_classic: type === 'classic' ? 1 : 0,
    })).ro;
  if (chunk === null) return null;
  const bytes = binary ? areaSize(proglen, k.arch.pageSize) : packedSize(proglen);
  const number = k.nextSeq();
  yield* state({ kind: 'program-allocated', program: number, pointer: prog, chunk, bytes, proglen, type });
  // The old-style JIT writes in place, while the area is still RW and NX.
  if (binary) yield* state({ kind: 'copied', to: chunk, length: bytes, what: 'image', way: 'store' });
  return Memory.program(k.memory(), number);
};

/**
 * The extra pass of a function whose first pass was not recorded. Only where the charge is not known either can there be one: it counts what is
 * allocated.
 */
const olderImage = function* (k: Kernel, prog: Word): Body<Program | null> {
  if (k.memory().charged !== null) return null;
  const older = yield* choose('older', { prog });
  if (older === null) return null;
  const pack = Memory.packAt(k.memory(), older.chunk.page);
  if (pack !== null)
    yield* state({ kind: 'chunk-allocated', pack: pack.start, at: older.chunk, bytes: older.bytes });
  const number = k.nextSeq();
  yield* state({
    kind: 'program-allocated',
    program: number,
    pointer: prog,
    ...older,
    proglen: older.bytes,
    type: 'function',
  });
  return Memory.program(k.memory(), number);
};

/** What the JIT leaves of a blinded program: one of the two is released. */
const releaseOther = function* (kept: Word, other: Word): Body<undefined> {
  if (!Word.equals(kept, other)) yield* call(bpfJitProgReleaseOther, { prog: kept, other });
  return undefined;
};

/** JIT of one function: first pass (memory, code), and the extra pass of multi-function programs. */
export const bpfIntJitCompile = kernelFunction(
  'bpf_int_jit_compile',
  function* (k: Kernel, a: { prog: Word; jited_len?: number; bpf_func?: Address }): Body<Compiled> {
    const prog = k.profile.blinds ? yield* call(bpfJitBlindConstants, { prog: a.prog }) : a.prog;
    const open = Memory.programByPointer(k.memory(), prog);
    let program = open !== null && open.state === 'allocated' ? open : null;
    if (program === null) {
      const proglen = yield* choose('image', { prog });
      program = proglen === 0 ? yield* olderImage(k, prog) : yield* allocateImage(k, prog, proglen);
    }
    // Written in place, in every pass.
    if (program !== null && k.profile.allocator === 'binary')
      yield* flushIcache(k, program.chunk, program.bytes);
    if (program === null || ((yield* choose('final', { prog })) && (yield* finish(k, program)) !== 0)) {
      yield* releaseOther(a.prog, prog);
      return { prog: a.prog, placement: null, jited: false };
    }
    yield* releaseOther(prog, a.prog);
    // The random start was drawn with the allocation; it shows when the call returns.
    let placement =
      program.start === null || program.length === null
        ? null
        : { start: program.start, length: program.length };
    if (placement === null) {
      placement = yield* choose('placement', { prog, chunk: program.chunk, proglen: program.proglen });
      if (placement !== null) yield* state({ kind: 'program-placed', program: program.number, ...placement });
    }
    return { prog, placement, jited: true };
  },
  (result): Record<string, Value> => ({
    ret: result.prog,
    jited_len: result.jited ? result.placement?.length : 0,
    bpf_func: result.jited ? result.placement?.start : undefined,
  }),
);

export const bpfJitBinaryPackFree = kernelFunction(
  'bpf_jit_binary_pack_free',
  function* (
    _k: Kernel,
    a: { ro_header: Address; rw_header: Word; size: number | undefined },
  ): Body<undefined> {
    // As its header says; of a program older than the recording, or one that was never finalized, a line shows it.
    const size = a.size ?? (yield* choose('result', { fn: 'header', predicted: BLOCK }));
    yield* call(bpfProgPackFree, { ptr: a.ro_header, size });
    yield* call(bpfJitUnchargeModmem, { size });
    return undefined;
  },
);

const bpfJitBinaryFree = kernelFunction(
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

/** Releases the image of a function, if it has one. */
export const bpfJitFree = kernelFunction(
  'bpf_jit_free',
  function* (
    k: Kernel,
    a: { prog: Word; jited_len: number | undefined; bpf_func: Address | undefined },
  ): Body<undefined> {
    if (a.jited_len === 0 || a.bpf_func === undefined) return undefined;
    const program = Memory.programAt(k.memory(), a.bpf_func);
    const binary = k.profile.allocator === 'binary';
    const mask = binary ? k.arch.pageSize : 64;
    const header = Address.of(a.bpf_func.page, a.bpf_func.offset - (a.bpf_func.offset % mask));
    if (binary) yield* call(bpfJitBinaryFree, { hdr: header, size: program?.bytes });
    else {
      let size = program?.bytes;
      // Its last pass never came: nothing has written its header yet.
      if (program?.state === 'allocated') {
        if (k.profile.finalizesBeforeFree) {
          const error = yield* call(bpfJitBinaryPackFinalize, {
            prog: a.prog,
            ro_header: header,
            rw_header: undefined,
            ro_header_size: headerWord(k, header),
            rw_header_size: program.bytes,
          });
          if (error === 0) yield* state({ kind: 'program-finalized', program: program.number });
          else size = headerWord(k, header);
        } else if (k.profile.packFreeBy === 'header') size = headerWord(k, header);
      }
      yield* call(bpfJitBinaryPackFree, { ro_header: header, rw_header: Word.zero, size });
    }
    if (program !== null) yield* state({ kind: 'program-freed', program: program.number });
    return undefined;
  },
);
