/** Who looks at the result of a call that can fail: kernel-model.md §2.5. */
import type { Profile } from '../profile/profile.js';

/** `checked`: the caller takes its error path. `warned`: WARN_ONCE, and on. `ignored`: nobody looks. */
export type Looked = 'checked' | 'warned' | 'ignored';

const PERMISSION = /^set_memory_(?:ro|rw|x|nx|rox|np)$/;
const ALLOCATES =
  /^(?:module_alloc|module_alloc_huge|execmem_alloc|bpf_jit_alloc_exec|bpf_prog_pack_alloc|bpf_jit_binary_pack_alloc|bpf_jit_binary_alloc|bpf_jit_charge_modmem|kvmalloc)$/;

/** Callers of a text copy that look at its result: not the error paths, which write the size into a header. */
const COPIERS: ReadonlySet<string> = new Set([
  'bpf_jit_binary_pack_finalize',
  'bpf_dispatcher_change_prog',
  'bpf_trampoline_update',
]);

/** A permission call of the kernel, or the half of one. */
export const isPermissionCall = (fn: string): boolean => PERMISSION.test(fn);

/** Null: the function cannot fail, or only hands on what it called. `caller`: the function that called it; empty: none is known. */
export const lookedAt = (profile: Profile, fn: string, caller: string): Looked | null => {
  if (PERMISSION.test(fn)) {
    // set_memory_rox of most architectures is two calls, whose results it hands on.
    if (PERMISSION.test(caller)) return null;
    // The page of trampolines and of the old dispatcher, and the reset before a free of the unmerged series: nobody looks.
    if (caller === 'bpf_dispatcher_change_prog' || caller === 'bpf_prog_pack_free') return 'ignored';
    return profile.protectChecked ? 'checked' : 'ignored';
  }
  if (ALLOCATES.test(fn)) return 'checked';
  switch (fn) {
    case 'bpf_arch_text_copy':
      return COPIERS.has(caller) ? 'checked' : 'ignored';
    case 'bpf_jit_binary_pack_finalize':
      return caller === 'bpf_jit_free' ? 'ignored' : 'checked';
    case 'bpf_arch_text_invalidate':
      return 'warned';
    case 'set_direct_map_invalid_noflush':
    case 'set_direct_map_default_noflush':
      return 'ignored';
    default:
      return null;
  }
};
