/**
 * Writing to executable memory on arm64 (arch/arm64/kernel/patching.c): through the fixmap, page by page, inside one __text_poke; the caches are cleaned
 * after the last page.
 *
 * Modelled: what is written, the refusal of a place that no instruction can have. Left out on purpose: the fixmap slot itself.
 */
import type { TextCopy } from '../../arch/arch.js';
import type { Address } from '../../value/address.js';
import { call, kernelFunction, lock, unlock, type Body, type Kernel } from '../request.js';
import { textPokeOnce } from '../textPoke.js';

const EINVAL = -22;
const INSTRUCTION = 4;

type Poke = {
  readonly addr: Address;
  readonly src: Address | undefined;
  readonly len: number;
  readonly what: string;
};

/** Null where the destination is not aligned as instructions are. */
const poke = function* (a: Poke): Body<Address | null> {
  if (a.addr.offset % INSTRUCTION !== 0) return null;
  yield* lock('text_mutex');
  yield* call(textPokeOnce, a);
  yield* unlock('text_mutex');
  return a.addr;
};

const aarch64InsnCopy = kernelFunction(
  'aarch64_insn_copy',
  function* (_k: Kernel, a: Poke): Body<Address | null> {
    return yield* poke(a);
  },
);

const aarch64InsnSet = kernelFunction(
  'aarch64_insn_set',
  function* (_k: Kernel, a: { addr: Address; insn: number; len: number }): Body<Address | null> {
    // The source is a local variable that holds the instruction.
    return yield* poke({ addr: a.addr, src: undefined, len: a.len, what: 'fill' });
  },
);

export const aarch64TextCopy = function* (_k: Kernel, a: TextCopy): Body<Address | number> {
  const to = yield* call(aarch64InsnCopy, { addr: a.dst, src: a.src, len: a.len, what: a.what });
  return to ?? EINVAL;
};

export const aarch64TextInvalidate = function* (
  k: Kernel,
  a: { readonly dst: Address; readonly len: number },
): Body<number> {
  const to = yield* call(aarch64InsnSet, { addr: a.dst, insn: k.arch.trap >>> 0, len: a.len });
  return to === null ? EINVAL : 0;
};
