/**
 * What each value of a recorded call line is: one table for follow, conform and the diff of two traces.
 *
 * Names differ between kernels (prog/fp, hdr/ptr, checkalias/primary, opcode/src); each is mapped to the name that the kernel functions use.
 */

/** compared: must be as predicted; choice: the surroundings decide; identity: a pointer, equal up to renaming; ignored: means nothing outside. */
export type ValueClass = 'compared' | 'choice' | 'identity' | 'ignored';

/** a: address; u: address, of one in user space only its place in a page; n: number; i: signed 32-bit; w: 64-bit word; t: text. */
export type ValueForm = 'a' | 'u' | 'n' | 'i' | 'w' | 't';

export interface Column {
  /** Name that the kernel function uses. */
  readonly as: string;
  readonly class: ValueClass;
  readonly form: ValueForm;
}

export interface LineShape {
  readonly entry: Readonly<Record<string, Column>>;
  readonly result: Readonly<Record<string, Column>>;
}

const column = (text: string): readonly [string, Column] => {
  // "recorded>as:form class" with the class as one letter: = compared, ? choice, @ identity, - ignored.
  const m = /^([^>:]+)(?:>([^:]+))?:([auniwt])([=?@-])$/.exec(text);
  if (m === null) throw new Error(`bad column ${text}`);
  const [, recorded, as, form, mark] = m as unknown as [
    string,
    string,
    string | undefined,
    ValueForm,
    string,
  ];
  const cls: ValueClass =
    mark === '=' ? 'compared' : mark === '?' ? 'choice' : mark === '@' ? 'identity' : 'ignored';
  return [recorded, { as: as ?? recorded, class: cls, form }];
};

const shape = (entry: string, result = ''): LineShape => ({
  entry: Object.fromEntries(entry.split(' ').filter(Boolean).map(column)),
  result: Object.fromEntries(result.split(' ').filter(Boolean).map(column)),
});

const setMemory = shape('addr:a= numpages:n=', 'ret:i=');
const directMap = shape('page:a=', 'ret:i=');
const program = 'insns:n- jited_len:n? bpf_func:a? id:n? func_idx:n? func_cnt:n?';
const cpaFields = 'vaddr:a= mask_set:w= mask_clr:w= numpages:n=';
const poke = 'addr:a= opcode>src:a@ src:a@ len:n= emulate:w-';

export const LINES: Readonly<Record<string, LineShape>> = {
  bpf_int_jit_compile: shape(`env:w- prog:w? fp>prog:w? ${program}`, 'ret:w= jited_len:n= bpf_func:a='),
  bpf_jit_blind_constants: shape('env:w- prog:w=', 'ret:w='),
  bpf_jit_prog_release_other: shape('fp>prog:w= fp_other>other:w='),
  bpf_jit_binary_alloc: shape('proglen:n= image_ptr:w@ alignment:n= bpf_fill_ill_insns>fill:w@', 'ret:a='),
  bpf_jit_binary_free: shape('hdr:a= hdr_size>size:n='),
  bpf_jit_binary_pack_alloc: shape(
    'proglen:n= image_ptr:w@ alignment:n= rw_header:w@ rw_image:w@ bpf_fill_ill_insns>fill:w@ was_classic:n=',
    'ret:a= rw_header:w@ rw_image:w@ image_ptr:w@',
  ),
  bpf_jit_binary_pack_finalize: shape(
    'prog:w= ro_header:a= rw_header:w@ ro_header_size:n= rw_header_size:n=',
    'ret:i=',
  ),
  bpf_jit_binary_pack_free: shape('ro_header:a= rw_header:w='),
  bpf_prog_pack_alloc: shape('size:n= bpf_fill_ill_insns>fill:w@ was_classic:n=', 'ret:a='),
  bpf_prog_pack_free: shape('hdr>ptr:a= ptr:a= hdr_size>size:n= size:n='),
  alloc_new_pack: shape('bpf_fill_ill_insns>fill:w@', 'ret:a@'),
  bpf_jit_charge_modmem: shape('size:n= pages>size:n=', 'ret:i='),
  bpf_jit_uncharge_modmem: shape('size:n= pages>size:n='),
  bpf_jit_alloc_exec: shape('size:n=', 'ret:a='),
  bpf_jit_free_exec: shape('addr:a='),
  bpf_jit_free: shape(`prog:w? fp>prog:w? ${program}`),
  bpf_arch_text_copy: shape('dst:a= src:a@ len:n=', 'ret:a='),
  bpf_arch_text_invalidate: shape('dst:a= len:n=', 'ret:i='),
  text_poke_copy: shape(poke, 'ret:a='),
  text_poke_copy_locked: shape(`${poke} core_ok:n=`, 'ret:a='),
  text_poke_set: shape('addr:a= c:n= len:n=', 'ret:a='),
  text_poke: shape(poke, 'ret:a='),
  __text_poke: shape(`func>what:w@ ${poke}`, 'ret:a='),
  text_poke_bp: shape(poke),
  smp_text_poke_single: shape(poke),
  jit_fill_hole: shape('area:a= size:n='),
  bpf_prog_kallsyms_add: shape(`fp>prog:w? prog:w? ${program}`),
  bpf_prog_kallsyms_del: shape(`fp>prog:w? prog:w? ${program}`),
  bpf_ksym_add: shape('ksym:w= start:a= end:a= name:t='),
  bpf_ksym_del: shape('ksym:w? start:a? end:a? name:t?'),
  bpf_arch_poke_desc_update: shape('poke:w? new:w? old:w?'),
  bpf_arch_text_poke: shape('ip:a= t:n? old_addr:a? new_addr:a?', 'ret:i='),
  bpf_dispatcher_change_prog: shape('d:w? from:w? to:w?'),
  arch_prepare_bpf_dispatcher: shape('image:a= buf:a@ funcs:w@ num_funcs:n?', 'ret:i='),
  set_memory_ro: setMemory,
  set_memory_rw: setMemory,
  set_memory_x: setMemory,
  set_memory_nx: setMemory,
  set_memory_rox: setMemory,
  set_memory_np: setMemory,
  set_memory_4k: setMemory,
  set_direct_map_invalid_noflush: directMap,
  set_direct_map_default_noflush: directMap,
  change_page_attr_set_clr: shape(
    'addr:w@ numpages:n= mask_set:w= mask_clr:w= force_split:n- in_flag:n= pages:w- vaddr:a=',
    'ret:i=',
  ),
  __change_page_attr_set_clr: shape(
    `cpa:w@ checkalias>primary:n= primary:n= ${cpaFields} curpage:n- pfn:n= flags:n-`,
    'ret:i=',
  ),
  __change_page_attr: shape('cpa:w@ primary:n=', 'ret:i='),
  cpa_process_alias: shape('cpa:w@', 'ret:i='),
  __should_split_large_page: shape('kpte:w@ address:a= cpa:w@', 'ret:i='),
  __split_large_page: shape('cpa:w@ kpte:w@ address:a= base:w@', 'ret:i='),
  cpa_flush: shape(`data:w@ cpa:w@ cache:n- ${cpaFields} curpage:n= pfn:n= flags:n-`),
  collapse_large_pages: shape('addr:a= pgtables:w@', 'ret:i='),
  change_memory_attr: shape('addr:a= numpages:n= action:n=', 'ret:i='),
  __set_memory: shape(
    'addr:a= numpages:n= flags:n= arg3>flags:n= arg4:w- set_mask:w= clear_mask:w=',
    'ret:i=',
  ),
  flush_icache_range: shape('start:u= stop:u=', 'ret:w-'),
  change_memory_common: shape('addr:a= numpages:n= set_mask:w= clear_mask:w=', 'ret:i='),
  patch_text_nosync: shape('addr:a= insns:a@ len:n=', 'ret:i='),
  patch_text_set_nosync: shape('addr:a= c:n= len:n=', 'ret:i='),
  aarch64_insn_copy: shape('dst>addr:a= addr:a= src:a@ len:n=', 'ret:a='),
  aarch64_insn_set: shape('dst>addr:a= addr:a= insn:n= len:n=', 'ret:a='),
  module_alloc: shape('size:n=', 'ret:a='),
  module_alloc_huge: shape('size:n=', 'ret:a='),
  module_memfree: shape('module_region>addr:a= addr:a='),
  execmem_alloc: shape('type:n= size:n=', 'ret:a='),
  execmem_vmalloc: shape('range:w@ size:n= pgprot>prot:w- vm_flags:n-', 'ret:a='),
  execmem_free: shape('ptr>addr:a= addr:a='),
  __vmalloc_node_range: shape(
    'size:n= align:n= start:a? end:a? gfp_mask:n= prot:w= vm_flags:n= node:i- caller:w-',
    'ret:a=',
  ),
  vmap_pages_range_noflush: shape('addr:a= end:a= prot:w- pages>array:w@ page_shift:n='),
  vfree: shape('addr:a='),
  vfree_atomic: shape('addr:a='),
  __vunmap: shape('addr:a= deallocate_pages:n='),
  remove_vm_area: shape('addr:a=', 'ret:w@'),
  vunmap_range: shape('addr>start:a= start:a= end:a='),
  vunmap_range_noflush: shape('start:a= end:a='),
  _vm_unmap_aliases: shape('start:a= arg1>start:a= end:a= arg2>end:a= flush:n= arg3>flush:n=', 'ret:w-'),
  __purge_vmap_area_lazy: shape('start:a= end:a= full_pool_decay:n-', 'ret:i='),
  flush_tlb_kernel_range: shape('start:a? end:a?'),
};

/** Kernel function behind a recorded name: allocation profiling adds a suffix from 6.10 on. */
export const canonicalFunction = (name: string): string =>
  name === '__vmalloc_node_range_noprof' ? '__vmalloc_node_range' : name;
