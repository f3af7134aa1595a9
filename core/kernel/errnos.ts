/** With which errors a call can fail in a real kernel: what an exhaustive search tries. */
import { FAILING } from './failing.js';

const ENOMEM = -12;
const EPERM = -1;
const EINVAL = -22;
const ENOTSUPP = -524;

/** Allocations. */
const MEMORY: readonly number[] = [ENOMEM];
/** No page table for a split, or a range that the architecture does not accept. */
const PERMISSIONS: readonly number[] = [ENOMEM, EINVAL];
/** The destination is refused, or the architecture has no such function. */
const TEXT: readonly number[] = [EINVAL, ENOTSUPP];

const OTHERS: ReadonlyMap<string, readonly number[]> = new Map([
  ['bpf_jit_charge_modmem', [EPERM]],
  ['bpf_arch_text_copy', TEXT],
  ['bpf_arch_text_invalidate', TEXT],
  ['bpf_arch_text_poke', [EINVAL]],
  ['bpf_jit_binary_pack_finalize', TEXT],
  ['arch_prepare_bpf_dispatcher', [EINVAL]],
]);

/** The errors of a function that can fail. One that gives a null pointer has no number: −ENOMEM stands for it. */
export const errnosOf = (fn: string): readonly number[] => {
  const known = OTHERS.get(fn);
  if (known !== undefined) return known;
  return /^set_|^change_page_attr/.test(fn) && FAILING.has(fn) ? PERMISSIONS : MEMORY;
};
