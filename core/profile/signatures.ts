/**
 * Names of the arguments and results of the functions of each kernel, in their order, for the functions that a recording of it shows: what a recorder's
 * probes print. A function without an entry was compiled into its callers there.
 */
export interface Signature {
  readonly args: readonly string[];
  /** Null: a call that ends without a line. */
  readonly results: readonly string[] | null;
}
export type Signatures = ReadonlyMap<string, Signature>;

const words = (list: string | undefined): string[] => (list ?? '').split(' ').filter(Boolean);

/** `name=args` and, behind `>`, results; `!`: no line at the end. A bare name: not there. */
const parse = (text: string): readonly (readonly [string, Signature | null])[] =>
  text
    .trim()
    .split('\n')
    .map((line) => {
      const [name, rest] = line.trim().split('=') as [string, string | undefined];
      if (rest === undefined) return [name, null];
      const silent = rest.endsWith('!');
      const [args, results] = rest.replace('!', '').split('>') as [string, string | undefined];
      return [name, { args: words(args), results: silent ? null : words(results) }];
    });

const changed = (base: Signatures, text: string): Signatures => {
  const all = new Map(base);
  for (const [name, signature] of parse(text))
    if (signature === null) all.delete(name);
    else all.set(name, signature);
  return all;
};

const PROGRAM = 'insns jited_len bpf_func id func_idx func_cnt';

const v6_1 = changed(
  new Map(),
  `bpf_int_jit_compile=prog ${PROGRAM}>ret jited_len bpf_func
  bpf_jit_binary_alloc=proglen image_ptr alignment bpf_fill_ill_insns>ret
  bpf_jit_binary_free=hdr hdr_size
  bpf_jit_binary_pack_alloc=proglen image_ptr alignment rw_header rw_image bpf_fill_ill_insns>ret
  bpf_jit_binary_pack_finalize=prog ro_header rw_header ro_header_size rw_header_size>ret
  bpf_jit_binary_pack_free=ro_header rw_header
  bpf_prog_pack_alloc=size bpf_fill_ill_insns>ret
  bpf_prog_pack_free=hdr hdr_size
  bpf_jit_alloc_exec=size>ret
  bpf_jit_free_exec=addr
  bpf_jit_free=prog ${PROGRAM}
  bpf_jit_charge_modmem=size>ret
  bpf_jit_blind_constants=prog>ret
  bpf_jit_prog_release_other=fp fp_other
  bpf_arch_text_copy=dst src len>ret
  bpf_arch_text_invalidate=dst len>ret
  bpf_arch_text_poke=ip t old_addr new_addr>ret
  bpf_arch_poke_desc_update=poke new old
  arch_prepare_bpf_dispatcher=image buf funcs num_funcs>ret
  bpf_dispatcher_change_prog=d from to
  bpf_prog_kallsyms_add=fp ${PROGRAM}
  bpf_prog_kallsyms_del=fp ${PROGRAM}
  bpf_ksym_add=ksym start end name
  bpf_ksym_del=ksym start end name
  text_poke=addr opcode len>ret
  __text_poke=func addr src len>ret
  text_poke_copy=addr opcode len>ret
  text_poke_set=addr c len>ret
  text_poke_bp=addr opcode len emulate
  set_memory_ro=addr numpages>ret
  set_memory_rw=addr numpages>ret
  set_memory_x=addr numpages>ret
  set_memory_nx=addr numpages>ret
  set_memory_np=addr numpages>ret
  set_memory_4k=addr numpages>ret
  set_direct_map_invalid_noflush=page>ret
  set_direct_map_default_noflush=page>ret
  change_page_attr_set_clr=addr numpages mask_set mask_clr force_split in_flag pages vaddr>ret
  __change_page_attr_set_clr=cpa checkalias vaddr mask_set mask_clr numpages curpage pfn flags>ret
  cpa_flush=data cache vaddr mask_set mask_clr numpages curpage pfn flags
  flush_tlb_kernel_range=start end
  module_alloc=size>ret
  module_memfree=module_region
  __vmalloc_node_range=size align start end gfp_mask prot vm_flags node caller>ret
  vmap_pages_range_noflush=addr end prot pages page_shift!
  vfree=addr!
  vfree_atomic=addr!
  remove_vm_area=addr!
  vunmap_range=addr end!
  vunmap_range_noflush=start end!
  __purge_vmap_area_lazy=start end>ret
  _vm_unmap_aliases=arg1 arg2 arg3>ret`,
);

const v5_18_v2 = changed(
  v6_1,
  `bpf_jit_free=fp ${PROGRAM}
  arch_prepare_bpf_dispatcher=image funcs num_funcs>ret
  bpf_arch_poke_desc_update
  jit_fill_hole=area size
  __vunmap=addr deallocate_pages!
  __split_large_page=cpa kpte address base>ret
  __should_split_large_page=kpte address cpa>ret
  __change_page_attr=cpa primary>ret
  cpa_process_alias=cpa>ret`,
);

const v5_18 = changed(
  v5_18_v2,
  `bpf_prog_pack_alloc=size>ret
  bpf_arch_text_invalidate
  text_poke_set
  __text_poke=addr opcode len>ret`,
);

const v5_10 = changed(
  v5_18,
  `bpf_jit_charge_modmem=pages>ret
  bpf_prog_pack_alloc
  bpf_prog_pack_free
  bpf_jit_binary_pack_alloc
  bpf_jit_binary_pack_finalize
  bpf_jit_binary_pack_free
  bpf_arch_text_copy
  text_poke_copy
  vunmap_range
  vunmap_range_noflush
  vmap_pages_range_noflush
  jit_fill_hole
  __vunmap
  __split_large_page
  __should_split_large_page
  __change_page_attr
  cpa_process_alias`,
);

const v6_12 = changed(
  v6_1,
  `bpf_jit_binary_pack_alloc=proglen image_ptr alignment rw_header rw_image bpf_fill_ill_insns was_classic>ret rw_header rw_image image_ptr
  bpf_jit_binary_pack_finalize=ro_header rw_header ro_header_size rw_header_size>ret
  bpf_prog_pack_alloc=size bpf_fill_ill_insns was_classic>ret
  bpf_prog_pack_free=ptr size
  text_poke_copy_locked=addr opcode len core_ok>ret
  set_memory_rox=addr numpages>ret
  set_memory_p=addr numpages>ret
  __change_page_attr_set_clr=cpa primary vaddr mask_set mask_clr numpages curpage pfn flags>ret
  module_alloc
  module_memfree
  execmem_alloc=type size>ret
  execmem_free=ptr
  __purge_vmap_area_lazy=start end full_pool_decay>ret
  _vm_unmap_aliases=start end flush`,
);

const v7_2 = changed(
  v6_12,
  `bpf_int_jit_compile=env prog ${PROGRAM}>ret jited_len bpf_func
  bpf_jit_blind_constants=env prog>ret
  bpf_arch_text_poke=ip old_t new_t old_addr new_addr>ret
  text_poke_bp
  smp_text_poke_single=addr opcode len emulate
  cpa_flush=cpa cache vaddr mask_set mask_clr numpages curpage pfn flags
  collapse_large_pages=addr pgtables>ret
  vmap_pages_range_noflush=addr end prot pages page_shift gfp_mask!
  execmem_vmalloc=range size pgprot vm_flags>ret`,
);

/** 5.19 and 6.0, as a compiler that keeps few functions apart leaves them. */
const v5_19 = changed(
  v6_1,
  `bpf_jit_free=fp ${PROGRAM}
  arch_prepare_bpf_dispatcher=image funcs num_funcs>ret
  bpf_arch_poke_desc_update`,
);

const v5_18_2 = changed(
  v5_19,
  `bpf_arch_text_invalidate
  text_poke_set
  __text_poke=addr opcode len>ret`,
);

const v6_1_0 = changed(v6_1, 'bpf_arch_poke_desc_update');

const v6_2 = changed(
  v6_1_0,
  `text_poke_copy_locked=addr opcode len core_ok>ret
  set_memory_rox=addr numpages>ret
  set_memory_p=addr numpages>ret
  __change_page_attr_set_clr=cpa primary vaddr mask_set mask_clr numpages curpage pfn flags>ret`,
);

const v6_6 = changed(v6_2, 'bpf_arch_poke_desc_update=poke new old');

const v6_8 = changed(v6_6, 'bpf_prog_pack_free=ptr size');

const v6_10 = changed(
  v6_8,
  `module_alloc
  module_memfree
  execmem_alloc=type size>ret
  execmem_free=ptr
  __purge_vmap_area_lazy=start end full_pool_decay>ret
  _vm_unmap_aliases=start end flush`,
);

const v6_11 = changed(
  v6_10,
  'bpf_jit_binary_pack_finalize=ro_header rw_header ro_header_size rw_header_size>ret',
);

const v6_15 = changed(v6_11, 'collapse_large_pages=addr pgtables>ret');

const v6_16 = changed(
  v6_15,
  `text_poke_bp
  smp_text_poke_single=addr opcode len emulate`,
);

/** By the name of a profile: the first one that has them. */
const SIGNATURES: ReadonlyMap<string, Signatures> = new Map([
  ['5.10', v5_10],
  ['5.18-rc3', v5_18],
  ['5.18-rc3-packv2', v5_18_v2],
  ['5.18.2', v5_18_2],
  ['5.19', v5_19],
  ['6.1', v6_1],
  ['6.1.0', v6_1_0],
  ['6.2', v6_2],
  ['6.6', v6_6],
  ['6.8', v6_8],
  ['6.10', v6_10],
  ['6.11', v6_11],
  ['6.12', v6_12],
  ['6.15', v6_15],
  ['6.16', v6_16],
  ['7.2', v7_2],
]);

const NONE: Signatures = new Map();

/** What an architecture's recordings print otherwise than those of a kernel of this name. */
interface Otherwise {
  readonly signatures: (probes: { readonly name: string }) => string;
}

/** Signatures of a kernel's functions, on an architecture; none are known for a profile of one's own that names no other. */
export const signaturesOf = (profile: { readonly probes: string }, arch?: Otherwise): Signatures => {
  const own = SIGNATURES.get(profile.probes) ?? NONE;
  const text = arch?.signatures({ name: profile.probes }) ?? '';
  return text === '' || own === NONE ? own : changed(own, text);
};
