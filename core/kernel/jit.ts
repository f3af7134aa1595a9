/**
 * The JIT of one function (kernel/bpf/core.c, arch/x86/net/bpf_jit_comp.c), from the request for memory to its release.
 *
 * Modelled: two passes of multi-function programs, blinding clones, what is taken back when a pass fails. Left out on purpose: the code itself.
 */
import { Memory, type Program } from '../memory/memory.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import {
  areaSize,
  bpfJitBinaryAlloc,
  bpfJitBinaryFree,
  bpfJitBinaryPackAlloc,
  bpfJitBinaryPackFinalize,
  bpfJitBinaryPackFree,
  discardImage,
  headerWord,
  packedSize,
} from './jitBinary.js';
import { protect } from './packs.js';
import { call, choose, kernelFunction, state, warn, type Body, type Kernel, type Value } from './request.js';
import { flushIcache, patchLive } from './textPoke.js';

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
      yield* warn('bpf_jit_binary_pack_finalize failed');
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

/** One pass over a function that writes its code: to a buffer, or (old-style) in place, where the area is still RW and NX. Returns its length, or an errno. */
const doJit = kernelFunction(
  'do_jit',
  function* (k: Kernel, a: { prog: Word; image: Address; bytes: number; proglen: number }): Body<number> {
    const program = Memory.programByPointer(k.memory(), a.prog);
    if (k.profile.allocator === 'binary' && program?.start === null)
      yield* state({ kind: 'copied', to: a.image, length: a.bytes, what: 'image', way: 'store' });
    return a.proglen;
  },
);

const allocateImage = function* (k: Kernel, prog: Word, proglen: number): Body<Program | null> {
  const binary = k.profile.allocator === 'binary';
  const type = yield* choose('type', { prog });
  let chunk: Address | null;
  if (binary)
    chunk = yield* call(bpfJitBinaryAlloc, {
      proglen,
      alignment: k.arch.codeAlignment(k.profile),
      fill: 'trap',
    });
  else
    chunk = (yield* call(bpfJitBinaryPackAlloc, {
      proglen,
      alignment: k.arch.codeAlignment(k.profile),
      fill: 'trap',
      was_classic: type === 'classic' ? 1 : 0,
    })).ro;
  if (chunk === null) return null;
  const bytes = binary ? areaSize(proglen, k.arch.pageSize) : packedSize(proglen);
  const number = k.nextSeq();
  yield* state({ kind: 'program-allocated', program: number, pointer: prog, chunk, bytes, proglen, type });
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

const imageOf = ({ chunk, bytes, proglen }: Program): { image: Address; bytes: number; proglen: number } => ({
  image: chunk,
  bytes,
  proglen,
});

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
    const again = program !== null;
    if (program === null) {
      const proglen = yield* choose('image', { prog });
      program = proglen === 0 ? yield* olderImage(k, prog) : yield* allocateImage(k, prog, proglen);
    }
    if (program !== null && (yield* call(doJit, { ...imageOf(program), prog })) < 0) {
      yield* discardImage(k, program.chunk, program.bytes);
      yield* state({ kind: 'program-freed', program: program.number });
      program = null;
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
      program.start === null || program.length === null || (again && k.arch.lastPassResizes)
        ? null
        : { start: program.start, length: program.length };
    if (placement === null) {
      placement = yield* choose('placement', { prog, chunk: program.chunk, proglen: program.proglen });
      // It stays where the first pass put it.
      if (placement !== null && program.start !== null) placement = { ...placement, start: program.start };
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
    const header = Address.alignDown(a.bpf_func, binary ? k.arch.pageSize : 64);
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
