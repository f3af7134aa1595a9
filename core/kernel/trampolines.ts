/**
 * Images of BPF trampolines (kernel/bpf/trampoline.c): code that calls programs where a kernel function begins and ends. Every change makes a new image; the old
 * one goes when nobody runs in it any more.
 *
 * Modelled: memory, charge, permissions and symbol of an image. Left out on purpose: its code, and the patch of the function that leads to it.
 */
import { Memory, type KernelSymbol, type Program } from '../memory/memory.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { bpfJitChargeModmem, bpfJitUnchargeModmem } from './jitBinary.js';
import { bpfProgPackAlloc, bpfProgPackFree, protect } from './packs.js';
import { bpfKsymAdd, bpfKsymDel } from './programs.js';
import { call, choose, kernelFunction, state, type Body, type Kernel } from './request.js';
import { setMemoryX } from './setMemory.js';
import { bpfArchTextCopy } from './textPoke.js';
import { bpfJitAllocExec, bpfJitFreeExec, setVmFlushResetPerms } from './vmalloc.js';

/** Images of an architecture whose JIT takes no memory from packs never lie in one. */
const inPack = ({ profile }: Kernel): boolean =>
  profile.trampoline === 'pack' && profile.allocator === 'pack';

const chargeOf = (k: Kernel, bytes: number): number =>
  k.profile.chargeUnit === 'pages' ? bytes / k.arch.pageSize : bytes;

const allocImage = function* (k: Kernel, size: number): Body<Address | null> {
  if (inPack(k)) return yield* call(bpfProgPackAlloc, { size, fill: 'trap', was_classic: 0 });
  const image = yield* call(bpfJitAllocExec, { size: k.arch.pageSize });
  if (image === null || k.profile.trampoline !== 'writable-page') return image;
  // Never read-only: the page stays writable and executable, by design, to 6.0.
  yield* setVmFlushResetPerms(k, image);
  yield* call(setMemoryX, { addr: image, numpages: 1 });
  return image;
};

const freeImage = function* (k: Kernel, image: Address, bytes: number): Body<undefined> {
  if (inPack(k)) yield* call(bpfProgPackFree, { ptr: image, size: bytes });
  else yield* call(bpfJitFreeExec, { addr: image });
  yield* call(bpfJitUnchargeModmem, { size: chargeOf(k, bytes) });
  return undefined;
};

/** Writes the code: where it is to run, or to a buffer that is copied there; then nobody may write it. Returns an errno. */
const prepareImage = function* (k: Kernel, image: Address, size: number): Body<number> {
  if (inPack(k)) {
    const buffer = yield* choose('buffer', { size });
    if (buffer === null) return -12;
    const src = Word.isZero(buffer) ? undefined : Word.toAddress(buffer);
    const copied = yield* call(bpfArchTextCopy, { dst: image, src, len: size, what: 'code' });
    return typeof copied === 'number' ? copied : 0;
  }
  yield* state({ kind: 'copied', to: image, length: size, what: 'code', way: 'store' });
  return k.profile.trampoline === 'writable-page' ? 0 : yield* protect(k, image, 1);
};

const allocated = function* (k: Kernel, im: Word, image: Address, bytes: number): Body<Program | null> {
  const number = k.nextSeq();
  yield* state({
    kind: 'program-allocated',
    program: number,
    pointer: im,
    chunk: image,
    bytes,
    proglen: bytes,
    type: 'trampoline',
  });
  yield* state({ kind: 'program-placed', program: number, start: image, length: bytes });
  const symbol = yield* choose('symbol', { prog: im, program: number });
  const end = Address.add(image, bytes);
  if (symbol !== null)
    yield* call(bpfKsymAdd, { ksym: symbol.ksym, start: image, end, name: symbol.name, id: 0 });
  return Memory.program(k.memory(), number);
};

const symbolAt = (memory: Memory, start: Address): KernelSymbol | null => {
  for (const symbol of Memory.symbols(memory)) if (Address.equals(symbol.start, start)) return symbol;
  return null;
};

const release = function* (k: Kernel, { number, chunk, bytes }: Program): Body<undefined> {
  const symbol = symbolAt(k.memory(), chunk);
  if (symbol !== null) yield* call(bpfKsymDel, { ksym: symbol.ksym, start: symbol.start, name: symbol.name });
  yield* freeImage(k, chunk, bytes);
  yield* state({ kind: 'program-freed', program: number });
  return undefined;
};

/** A trampoline gets a new image of `size` bytes. Returns an errno. */
export const bpfTrampolineUpdate = kernelFunction(
  'bpf_trampoline_update',
  function* (k: Kernel, a: { im: Word; size: number }): Body<number> {
    const bytes = inPack(k) ? a.size : k.arch.pageSize;
    const refused = yield* call(bpfJitChargeModmem, { size: chargeOf(k, bytes) });
    if (refused !== 0) return refused;
    const image = yield* allocImage(k, a.size);
    if (image === null) {
      yield* call(bpfJitUnchargeModmem, { size: chargeOf(k, bytes) });
      return -12;
    }
    const program = yield* allocated(k, a.im, image, bytes);
    const error = yield* prepareImage(k, image, a.size);
    if (error !== 0 && program !== null) yield* release(k, program);
    return error;
  },
);

/** Nobody runs in an image any more: its memory goes. */
export const bpfTrampImageFree = kernelFunction(
  'bpf_tramp_image_free',
  function* (k: Kernel, a: { im: Word }): Body<undefined> {
    const program = Memory.programByPointer(k.memory(), a.im);
    if (program !== null) yield* release(k, program);
    return undefined;
  },
);
