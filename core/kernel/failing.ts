/** What kernel functions give when they fail: nothing has happened, and the caller is told as this function tells errors. */
import { Word } from '../value/words.js';
import { failFinalize } from './jitBinary.js';
import type { Args, Body, Kernel } from './request.js';

/** The body of a call that fails with a (negative) errno. */
export type FailingBody = (kernel: Kernel, args: Args, errno: number) => Body<unknown>;

const gives = (result: (errno: number) => unknown): FailingBody =>
  function* (_kernel, _args, errno) {
    return result(errno);
  };

/** An `int`, or a pointer that carries it (ERR_PTR). */
const ERROR = gives((errno) => errno);
/** A null pointer. */
const NULL = gives(() => null);

const ERRORS = [
  'do_jit',
  'set_memory_ro',
  'set_memory_rw',
  'set_memory_x',
  'set_memory_nx',
  'set_memory_rox',
  'set_memory_np',
  'set_direct_map_invalid_noflush',
  'set_direct_map_default_noflush',
  'change_page_attr_set_clr',
  'bpf_jit_charge_modmem',
  'bpf_arch_text_copy',
  'bpf_arch_text_invalidate',
  'bpf_arch_text_poke',
  'arch_prepare_bpf_dispatcher',
];

const POINTERS = [
  '__vmalloc_node_range',
  'module_alloc',
  'module_alloc_huge',
  'execmem_alloc',
  'execmem_vmalloc',
  'bpf_jit_alloc_exec',
  'bpf_jit_binary_alloc',
  'bpf_prog_pack_alloc',
  'alloc_new_pack',
  'text_poke_copy',
  'text_poke_copy_locked',
  'text_poke_set',
];

/** By function. Those that are missing here cannot fail. */
export const FAILING: ReadonlyMap<string, FailingBody> = new Map<string, FailingBody>([
  ...ERRORS.map((fn) => [fn, ERROR] as const),
  ...POINTERS.map((fn) => [fn, NULL] as const),
  ['bpf_jit_binary_pack_alloc', gives(() => ({ ro: null, rw: Word.zero }))],
  ['bpf_jit_binary_pack_finalize', failFinalize as unknown as FailingBody],
]);
