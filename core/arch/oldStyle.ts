/** What architectures have in common whose JIT never took its memory from packs: an area of its own for each function. */
import type { Body } from '../kernel/request.js';
import type { Change } from '../profile/profile.js';
import type { Arch } from './arch.js';

const ENOTSUPP = -524;

/** The weak functions of whoever has no code for packs, dispatchers and tail calls. */
export const withoutPacks: Pick<
  Arch,
  | 'textCopy'
  | 'textInvalidate'
  | 'copyFlush'
  | 'pokePages'
  | 'dispatches'
  | 'patchesTailCalls'
  | 'lastPassResizes'
> = {
  dispatches: false,
  patchesTailCalls: false,
  lastPassResizes: false,
  copyFlush: 'whole',
  pokePages: 0,
  *textCopy(): Body<number> {
    return ENOTSUPP;
  },
  *textInvalidate(): Body<number> {
    return ENOTSUPP;
  },
};

/** Port of every kernel: the old-style allocator, no code that is patched for tail calls. */
export const oldStyle: Change = Object.freeze({
  allocator: 'binary',
  textCopy: 'weak',
  fixesTailCalls: false,
  areaFlags: 0x100,
  hugeVmalloc: 'none',
} satisfies Change);

/** Functions that are x86's own: no recording of another architecture has them. */
export const WITHOUT_X86 = `text_poke
  __text_poke
  text_poke_copy
  text_poke_copy_locked
  text_poke_set
  text_poke_bp
  smp_text_poke_single
  change_page_attr_set_clr
  __change_page_attr_set_clr
  cpa_flush
  collapse_large_pages
  flush_tlb_kernel_range`;
