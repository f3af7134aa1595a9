/**
 * Life of a program around its memory: symbols, tail-call updates, the XDP dispatcher (kernel/bpf/{core,dispatcher,arraymap}.c).
 */
import { Memory } from '../memory/memory.js';
import { Address } from '../value/address.js';
import { Word } from '../value/words.js';
import { setMemoryX } from './setMemory.js';
import { bpfProgPackAlloc } from './packs.js';
import { call, choose, kernelFunction, lock, state, unlock, type Body, type Kernel } from './request.js';
import { bpfArchTextCopy, patchLive, textPokeBp } from './textPoke.js';
import { bpfJitAllocExec, setVmFlushResetPerms } from './vmalloc.js';

const ENOTSUPP = -524;

export const bpfKsymAdd = kernelFunction(
  'bpf_ksym_add',
  function* (
    k: Kernel,
    a: { ksym: Word; start: Address; end: Address; name: string; id: number },
  ): Body<undefined> {
    const program = Memory.programAt(k.memory(), a.start);
    const owner =
      program !== null &&
      (program.type === 'dispatcher' || (program.start !== null && Address.equals(program.start, a.start)))
        ? program.number
        : 0;
    yield* state({
      kind: 'published',
      program: owner,
      start: a.start,
      end: a.end,
      name: a.name,
      id: a.id,
      ksym: a.ksym,
    });
    return undefined;
  },
);

/** Withdraws a symbol; one that was never added (start 0) is passed over. */
export const bpfKsymDel = kernelFunction(
  'bpf_ksym_del',
  function* (_k: Kernel, a: { ksym: Word; start: Address; name: string }): Body<undefined> {
    if (!Address.isZero(a.start))
      yield* state({ kind: 'unpublished', start: a.start, name: a.name, ksym: a.ksym });
    return undefined;
  },
);

/** Withdraws the symbol of a program, if it has one. */
export const bpfProgKallsymsDel = kernelFunction(
  'bpf_prog_kallsyms_del',
  function* (_k: Kernel, _a: { prog: Word }): Body<undefined> {
    // Which symbol is the program's own is in its structure, which nobody records: the line of bpf_ksym_del says it.
    if (yield* choose('more', { fn: 'bpf_ksym_del' }))
      yield* call(bpfKsymDel, { ksym: Word.zero, start: Address.zero, name: '' });
    return undefined;
  },
);

/** Publishes the symbol of a program if its loader may and it was JITed. */
export const bpfProgKallsymsAdd = kernelFunction(
  'bpf_prog_kallsyms_add',
  function* (
    k: Kernel,
    a: { prog: Word; id: number | undefined; bpf_func: Address | undefined },
  ): Body<undefined> {
    const program =
      a.bpf_func === undefined
        ? Memory.programByPointer(k.memory(), a.prog)
        : Memory.programAt(k.memory(), a.bpf_func);
    const symbol = yield* choose('symbol', { prog: a.prog, program: program?.number ?? 0 });
    if (symbol === null) return undefined;
    let { start, end } = symbol;
    if (program !== null && program.start !== null && program.length !== null) {
      start = program.start;
      end =
        k.profile.symbolEnd === 'page'
          ? Address.add(program.chunk, program.bytes)
          : Address.add(start, program.length);
    }
    yield* call(bpfKsymAdd, { ksym: symbol.ksym, start, end, name: symbol.name, id: a.id ?? 0 });
    return undefined;
  },
);

const patches = function* (k: Kernel, fn: string): Body<undefined> {
  for (;;) {
    const next = yield* choose('patch', { fn });
    if (next === null) return undefined;
    yield* patchLive(k, next.at, next.length);
  }
};

/** Tail-call sites of live programs follow a change of a program array (6.1+). */
export const bpfArchPokeDescUpdate = kernelFunction(
  'bpf_arch_poke_desc_update',
  function* (k: Kernel, _a: { poke: Word }): Body<undefined> {
    return yield* patches(k, 'bpf_arch_poke_desc_update');
  },
);

/** One site of live code gets a jump, a call or a nop. */
export const bpfArchTextPoke = kernelFunction(
  'bpf_arch_text_poke',
  function* (_k: Kernel, a: { ip: Address }): Body<number> {
    const done = yield* choose('result', { fn: 'bpf_arch_text_poke', predicted: 0 });
    if (done !== 0) return done;
    // Nothing to do where the site already holds the new instruction.
    if ((yield* choose('patch', { fn: 'bpf_arch_text_poke' })) === null) return 0;
    yield* call(textPokeBp, { addr: a.ip, len: 5 });
    return 0;
  },
);

const archPrepareBpfDispatcher = kernelFunction(
  'arch_prepare_bpf_dispatcher',
  function* (k: Kernel, a: { image: Address; num_funcs: number | undefined }): Body<number> {
    if (!k.arch.dispatches) return ENOTSUPP;
    // Before 6.1 the code is written straight into the executable page; later into the RW page.
    if (k.profile.dispatcher === 'page')
      yield* state({ kind: 'copied', to: a.image, length: k.arch.pageSize / 2, what: 'code', way: 'store' });
    return 0;
  },
);

const allocDispatcher = function* (k: Kernel, d: Word): Body<Address | null> {
  let image: Address | null;
  if (k.profile.dispatcher === 'page') {
    image = yield* call(bpfJitAllocExec, { size: k.arch.pageSize });
    if (image === null) return null;
    yield* setVmFlushResetPerms(k, image);
    // Never read-only: the page stays writable and executable, by design, to 6.0.
    yield* call(setMemoryX, { addr: image, numpages: 1 });
  } else {
    image = yield* call(bpfProgPackAlloc, { size: k.arch.pageSize, fill: 'zero', was_classic: 0 });
    if (image === null) return null;
    yield* call(bpfJitAllocExec, { size: k.arch.pageSize });
  }
  const number = k.nextSeq();
  yield* state({
    kind: 'program-allocated',
    program: number,
    pointer: d,
    chunk: image,
    bytes: k.arch.pageSize,
    proglen: k.arch.pageSize,
    type: 'dispatcher',
  });
  yield* state({ kind: 'program-placed', program: number, start: image, length: k.arch.pageSize });
  const symbol = yield* choose('symbol', { prog: d, program: number });
  if (symbol !== null)
    yield* call(bpfKsymAdd, {
      ksym: symbol.ksym,
      start: image,
      end: Address.add(image, k.arch.pageSize),
      name: symbol.name,
      id: 0,
    });
  return image;
};

const changeProg = function* (k: Kernel, d: Word): Body<undefined> {
  const known = Memory.programByPointer(k.memory(), d);
  const fresh = known === null && (yield* choose('more', { fn: 'dispatcher-image' }));
  if (fresh && (yield* allocDispatcher(k, d)) === null) return undefined;
  const half = yield* choose('patch', { fn: 'arch_prepare_bpf_dispatcher' });
  if (half !== null) {
    const result = yield* call(archPrepareBpfDispatcher, { image: half.at, num_funcs: undefined });
    // The old half stays in use.
    if (result !== 0) return undefined;
    if (k.profile.dispatcher === 'pack') {
      const copied = yield* call(bpfArchTextCopy, {
        dst: half.at,
        src: undefined,
        len: k.arch.pageSize / 2,
        what: 'code',
      });
      if (typeof copied === 'number') return undefined;
    }
  }
  if (k.profile.tailCall === 'bpf_arch_text_poke' || k.profile.dispatcher === 'page') {
    const site = yield* choose('patch', { fn: 'dispatcher-jump' });
    if (site !== null) yield* call(bpfArchTextPoke, { ip: site.at });
  }
  return yield* patches(k, 'bpf_dispatcher_change_prog');
};

/** A program enters or leaves the XDP dispatcher. */
export const bpfDispatcherChangeProg = kernelFunction(
  'bpf_dispatcher_change_prog',
  function* (k: Kernel, a: { d: Word; from: Word; to: Word }): Body<undefined> {
    yield* lock('dispatcher_mutex');
    yield* changeProg(k, a.d);
    yield* unlock('dispatcher_mutex');
    return undefined;
  },
);
