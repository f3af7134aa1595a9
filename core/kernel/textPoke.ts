/**
 * Writing to executable memory on x86 (arch/x86/kernel/alternative.c): text_poke_copy, text_poke_set, the int3 protocol for live code.
 *
 * Modelled: the two-page window, text_mutex, what is written. Left out on purpose: poking_mm itself, int3 handling, cross-CPU sync.
 */
import type { TextCopy } from '../arch/arch.js';
import { Memory } from '../memory/memory.js';
import { Address, PAGE_SIZE } from '../value/address.js';
import { isGone } from './gone.js';
import { call, kernelFunction, lock, state, unlock, type Body, type Kernel } from './request.js';

const TRAP_BYTE = 204;
const EINVAL = -22;
const ENOTSUPP = -524;

/** Code is flushed from the data cache, and what was fetched before is forgotten. `at`: where it runs; `start` may be an alias of that. */
export const flushIcacheRange = kernelFunction(
  'flush_icache_range',
  function* (
    _k: Kernel,
    a: { start: Address | undefined; stop: Address | undefined; at: Address; length: number },
  ): Body<undefined> {
    yield* state({ kind: 'icache-flushed', at: a.at, length: a.length });
    return undefined;
  },
);

/** Where instruction fetches do not see stores, the caches are flushed after the last of them. */
export const flushIcache = function* (k: Kernel, at: Address, length: number): Body<undefined> {
  if (!k.arch.coherentFetch)
    yield* call(flushIcacheRange, { start: at, stop: Address.add(at, length), at, length });
  return undefined;
};

/** The same for a range that a copy has written. */
const flushCopied = function* (k: Kernel, at: Address, length: number): Body<undefined> {
  if (k.arch.copyFlush === 'whole') yield* flushIcache(k, at, length);
  return undefined;
};

/** What a poke does; `what` tells image, code or instruction, or fill. */
type Poke = {
  readonly addr: Address;
  readonly src: Address | undefined;
  readonly len: number;
  readonly what: string;
};

/** One switch to the poking mm: at most two pages. */
export const textPokeOnce = kernelFunction(
  '__text_poke',
  function* (
    k: Kernel,
    a: { addr: Address; src: Address | undefined; len: number; what: string },
  ): Body<Address> {
    const pack = Memory.packAt(k.memory(), a.addr.page);
    if (pack !== null && isGone(k.memory(), pack)) {
      yield* state({ kind: 'warned', text: `no page at ${Address.toText(a.addr)} to write to`, bug: 1 });
      return a.addr;
    }
    if (a.what === 'fill')
      yield* state({ kind: 'filled', to: a.addr, length: a.len, pattern: k.arch.trap, way: 'poke' });
    else yield* state({ kind: 'copied', to: a.addr, length: a.len, what: a.what, way: 'poke' });
    return a.addr;
  },
);

const pieces = function* (k: Kernel, a: Poke): Body<undefined> {
  const window = k.arch.pokePages * PAGE_SIZE;
  let done = 0;
  yield* lock('text_mutex');
  while (done < a.len) {
    const addr = Address.add(a.addr, done);
    const len = window === 0 ? a.len - done : Math.min(window - addr.offset, a.len - done);
    // The source of a fill is a local variable that holds the byte.
    const src = a.what === 'fill' || a.src === undefined ? undefined : Address.add(a.src, done);
    yield* call(textPokeOnce, { addr, src, len, what: a.what });
    done += len;
  }
  yield* unlock('text_mutex');
  return undefined;
};

export const textPokeCopyLocked = kernelFunction(
  'text_poke_copy_locked',
  function* (k: Kernel, a: Poke & { core_ok: number }): Body<Address | null> {
    yield* pieces(k, a);
    return a.addr;
  },
);

export const textPokeCopy = kernelFunction(
  'text_poke_copy',
  function* (k: Kernel, a: Poke): Body<Address | null> {
    if (k.profile.pokeLocked)
      return yield* call(textPokeCopyLocked, {
        addr: a.addr,
        src: a.src,
        len: a.len,
        what: a.what,
        core_ok: 0,
      });
    yield* pieces(k, a);
    return a.addr;
  },
);

export const textPokeSet = kernelFunction(
  'text_poke_set',
  function* (k: Kernel, a: { addr: Address; c: number; len: number }): Body<Address | null> {
    yield* pieces(k, { addr: a.addr, src: undefined, len: a.len, what: 'fill' });
    return a.addr;
  },
);

/** bpf_arch_text_copy of x86. */
export const textPokeCopyBody = function* (k: Kernel, a: TextCopy): Body<Address | number> {
  const to = yield* call(textPokeCopy, { addr: a.dst, src: a.src, len: a.len, what: a.what });
  if (to === null) return EINVAL;
  return to;
};

/** bpf_arch_text_invalidate of x86. */
export const textPokeInvalidateBody = function* (
  _k: Kernel,
  a: { readonly dst: Address; readonly len: number },
): Body<number> {
  return (yield* call(textPokeSet, { addr: a.dst, c: TRAP_BYTE, len: a.len })) === null ? EINVAL : 0;
};

/** Copies an image (or other code) to its place. Returns the destination, or a (negative) errno. */
export const bpfArchTextCopy = kernelFunction(
  'bpf_arch_text_copy',
  function* (
    k: Kernel,
    a: { dst: Address; src: Address | undefined; len: number; what: string },
  ): Body<Address | number> {
    const to = k.profile.textCopy === 'own' ? yield* k.arch.textCopy(k, a) : ENOTSUPP;
    if (typeof to !== 'number') yield* flushCopied(k, a.dst, a.len);
    return to;
  },
);

/** Fills executable memory with traps. Returns 0 or an errno. */
export const bpfArchTextInvalidate = kernelFunction(
  'bpf_arch_text_invalidate',
  function* (k: Kernel, a: { dst: Address; len: number }): Body<number> {
    const error = k.profile.textCopy === 'own' ? yield* k.arch.textInvalidate(k, a) : ENOTSUPP;
    if (error === 0) yield* flushCopied(k, a.dst, a.len);
    return error;
  },
);

const patch = function* (_k: Kernel, addr: Address, len: number): Body<undefined> {
  // int3 on the first byte, the tail, the first byte.
  yield* lock('text_mutex');
  yield* call(textPokeOnce, { addr, src: undefined, len: 1, what: 'instruction' });
  if (len > 1)
    yield* call(textPokeOnce, {
      addr: Address.add(addr, 1),
      src: undefined,
      len: len - 1,
      what: 'instruction',
    });
  yield* call(textPokeOnce, { addr, src: undefined, len: 1, what: 'instruction' });
  yield* unlock('text_mutex');
  return undefined;
};

export const textPokeBp = kernelFunction(
  'text_poke_bp',
  function* (k: Kernel, a: { addr: Address; len: number }): Body<undefined> {
    return yield* patch(k, a.addr, a.len);
  },
);
export const smpTextPokeSingle = kernelFunction(
  'smp_text_poke_single',
  function* (k: Kernel, a: { addr: Address; len: number }): Body<undefined> {
    return yield* patch(k, a.addr, a.len);
  },
);

/** A patch of live code, by the name this kernel has for it. */
export const patchLive = function* (k: Kernel, addr: Address, len: number): Body<undefined> {
  return k.profile.livePatch === 'text_poke_bp'
    ? yield* call(textPokeBp, { addr, len })
    : yield* call(smpTextPokeSingle, { addr, len });
};

/** One instruction, written by others (kprobes, ftrace). */
export const textPoke = kernelFunction(
  'text_poke',
  function* (_k: Kernel, a: { addr: Address; len: number }): Body<Address> {
    return yield* call(textPokeOnce, { addr: a.addr, src: undefined, len: a.len, what: 'instruction' });
  },
);

/** A poke of kernel text by somebody else (jump labels, static calls). */
export const foreignTextPoke = textPokeOnce;
