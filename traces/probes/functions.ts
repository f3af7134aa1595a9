/**
 * What is probed to see executable memory change: kernel functions, their arguments and results, as in the recordings of real kernels.
 *
 * `@1` stands for the first argument (a register, by architecture), `$retval` for the result; offsets into structures are those found in the
 * recordings, by kernel version. Arguments and names decide how a recording is recognised and followed: core/driver/lines.ts.
 */

/** One way to write the probe of a function. The first that fits the kernel is taken. */
export interface ProbeForm {
  /**
   * `6.2-` from 6.2 on, `5.18-6.1`, `7.2` with any patch level; `btf`: by the names of arguments and fields, which kernels from 6.6 on take from their type information and refuse
   * when they are wrong; `packv2`: only when the kernel is said to have that series; empty: always.
   */
  readonly when: string;
  /** `name=fetch:type`, as kprobe_events takes it but for `@N`. */
  readonly args: string;
  /** The same for the result; empty: the return is recorded without a value; null: it is not recorded. */
  readonly ret: string | null;
}

export interface ProbedFunction {
  /** Name of the event; the symbol is the same, or the same with `.part.0`. */
  readonly name: string;
  /** Argument that must lie where code lies, for functions that everybody calls. */
  readonly filter: string;
  readonly forms: readonly ProbeForm[];
}

const form = (args: string, ret: string | null, when = ''): ProbeForm => ({ when, args, ret });

const of = (name: string, ...forms: readonly ProbeForm[]): ProbedFunction => ({ name, filter: '', forms });

const inCode = (name: string, filter: string, ...forms: readonly ProbeForm[]): ProbedFunction => ({
  name,
  filter,
  forms,
});

const INT = 'ret=$retval:s32';
const POINTER = 'ret=$retval:x64';

/** Fields of struct bpf_prog that are recorded, at the offsets of a kernel. */
export interface Layout {
  readonly when: string;
  readonly len: number;
  readonly jitedLen: number;
  readonly bpfFunc: number;
  readonly aux: number;
  readonly id: number;
  readonly funcCnt: number;
  /** Null: differs within these kernels. */
  readonly funcIdx: number | null;
}

/** Fields of struct bpf_ksym. */
export interface KsymLayout {
  readonly start: number;
  readonly end: number;
  readonly name: number;
}

/** Fields of struct cpa_data (x86). */
export interface CpaLayout {
  readonly vaddr: number;
  readonly maskSet: number;
  readonly maskClr: number;
  readonly numpages: number;
  readonly curpage: number;
  readonly pfn: number;
  readonly flags: number;
}

/** What the type information of a kernel says of what is recorded; null: it does not have it. */
export interface KernelTypes {
  readonly prog: Layout | null;
  readonly ksym: KsymLayout | null;
  readonly cpa: CpaLayout | null;
  /** The verifier's environment comes before the program (7.1). */
  readonly envFirst: boolean;
}

/** Recorded: 5.10, 5.18, 6.1, 6.12, 7.2. Where two neighbours agree, what lies between them is taken to agree too. */
const LAYOUTS: readonly Layout[] = [
  { when: '5.10', len: 12, jitedLen: 16, bpfFunc: 48, aux: 32, id: 28, funcCnt: 32, funcIdx: 36 },
  { when: '5.18-6.1', len: 12, jitedLen: 16, bpfFunc: 48, aux: 56, id: 32, funcCnt: 36, funcIdx: 40 },
  { when: '6.2-6.11', len: 12, jitedLen: 16, bpfFunc: 48, aux: 56, id: 32, funcCnt: 36, funcIdx: null },
  { when: '6.12', len: 12, jitedLen: 16, bpfFunc: 48, aux: 56, id: 32, funcCnt: 36, funcIdx: 44 },
  { when: '7.2', len: 16, jitedLen: 20, bpfFunc: 72, aux: 80, id: 32, funcCnt: 36, funcIdx: 44 },
];

const fieldsAt = (prog: string, l: Layout): string => {
  const aux = (offset: number): string => `+${offset}(+${l.aux}(${prog})):u32`;
  const funcIdx = l.funcIdx === null ? '' : ` func_idx=${aux(l.funcIdx)}`;
  return `insns=+${l.len}(${prog}):u32 jited_len=+${l.jitedLen}(${prog}):u32 bpf_func=+${l.bpfFunc}(${prog}):x64 id=${aux(l.id)}${funcIdx} func_cnt=${aux(l.funcCnt)}`;
};

const fieldsByName = (prog: string): string =>
  `insns=${prog}->len:u32 jited_len=${prog}->jited_len:u32 bpf_func=${prog}->bpf_func:x64 id=${prog}->aux->id:u32 func_idx=${prog}->aux->func_idx:u32 func_cnt=${prog}->aux->func_cnt:u32`;

/** A function whose only argument is a program. Its name was `fp`, later here and there `prog`. */
const withProgram = (name: string, called: string, types: KernelTypes | null): ProbedFunction => {
  if (types !== null)
    return of(
      name,
      form(`${called}=@1:x64${types.prog === null ? '' : ` ${fieldsAt('@1', types.prog)}`}`, ''),
    );
  return of(
    name,
    form(`${called}=prog:x64 ${fieldsByName('prog')}`, '', 'btf'),
    form(`${called}=fp:x64 ${fieldsByName('fp')}`, '', 'btf'),
    ...LAYOUTS.map((l) => form(`${called}=@1:x64 ${fieldsAt('@1', l)}`, '', l.when)),
    form(`${called}=@1:x64`, ''),
  );
};

const retAt = ({ jitedLen, bpfFunc }: Layout): string =>
  `${POINTER} jited_len=+${jitedLen}($retval):u32 bpf_func=+${bpfFunc}($retval):x64`;

const RET_BY_NAME = `${POINTER} jited_len=$retval->jited_len:u32 bpf_func=$retval->bpf_func:x64`;

/** 7.1 put the verifier's environment before the program. */
const jitCompile = (types: KernelTypes | null): ProbedFunction => {
  if (types !== null) {
    const at = types.envFirst ? '@2' : '@1';
    const pointers = types.envFirst ? 'env=@1:x64 prog=@2:x64' : 'prog=@1:x64';
    return types.prog === null
      ? of('bpf_int_jit_compile', form(pointers, POINTER))
      : of('bpf_int_jit_compile', form(`${pointers} ${fieldsAt(at, types.prog)}`, retAt(types.prog)));
  }
  return of(
    'bpf_int_jit_compile',
    form(`env=env:x64 prog=prog:x64 ${fieldsByName('prog')}`, RET_BY_NAME, 'btf'),
    form(`prog=prog:x64 ${fieldsByName('prog')}`, RET_BY_NAME, 'btf'),
    ...LAYOUTS.map((l) =>
      l.when === '7.2'
        ? form(`env=@1:x64 prog=@2:x64 ${fieldsAt('@2', l)}`, retAt(l), l.when)
        : form(`prog=@1:x64 ${fieldsAt('@1', l)}`, retAt(l), l.when),
    ),
    form('env=@1:x64 prog=@2:x64', POINTER, '7.1-'),
    form('prog=@1:x64', POINTER),
  );
};

/** struct cpa_data: alike in all recorded kernels. */
const CPA: CpaLayout = {
  vaddr: 0,
  maskSet: 16,
  maskClr: 24,
  numpages: 32,
  curpage: 40,
  pfn: 48,
  flags: 56,
};

const cpaData = (types: KernelTypes | null): string => {
  const at = types?.cpa ?? CPA;
  return `vaddr=+0(+${at.vaddr}(@1)):x64 mask_set=+${at.maskSet}(@1):x64 mask_clr=+${at.maskClr}(@1):x64 numpages=+${at.numpages}(@1):u64 curpage=+${at.curpage}(@1):u64 pfn=+${at.pfn}(@1):x64 flags=+${at.flags}(@1):x32`;
};

const setMemory = (name: string): ProbedFunction => of(name, form('addr=@1:x64 numpages=@2:s32', INT));

const HEADER_SIZES = (ro: string, rw: string): string =>
  `ro_header_size=+0(${ro}):u32 rw_header_size=+0(${rw}):u32`;

const PACK_ALLOC =
  'proglen=@1:u32 image_ptr=@2:x64 alignment=@3:u32 rw_header=@4:x64 rw_image=@5:x64 bpf_fill_ill_insns=@6:x64';

const NODE_RANGE =
  'size=@1:u64 align=@2:u64 start=@3:x64 end=@4:x64 gfp_mask=@5:u32 prot=@6:x64 vm_flags=@7:x64 node=@8:s32 caller=@9:x64';

const KSYM: KsymLayout = { start: 0, end: 8, name: 16 };

const ksym = (name: string, types: KernelTypes | null): ProbedFunction => {
  const at = types?.ksym ?? KSYM;
  return of(
    name,
    form(`ksym=@1:x64 start=+${at.start}(@1):x64 end=+${at.end}(@1):x64 name=+${at.name}(@1):string`, ''),
  );
};

/** All of them; a kernel has some. `types`: what its BTF says of its structures; null: it is asked when the script runs. */
export const probedFunctions = (types: KernelTypes | null): readonly ProbedFunction[] => [
  jitCompile(types),
  of(
    'bpf_jit_blind_constants',
    form('env=@1:x64 prog=@2:x64', POINTER, '7.1-'),
    form('prog=@1:x64', POINTER),
  ),
  of('bpf_jit_prog_release_other', form('fp=@1:x64 fp_other=@2:x64', '')),
  of(
    'bpf_jit_binary_alloc',
    form('proglen=@1:u32 image_ptr=@2:x64 alignment=@3:u32 bpf_fill_ill_insns=@4:x64', POINTER),
  ),
  of('bpf_jit_binary_free', form('hdr=@1:x64 hdr_size=+0(@1):u32', '')),
  of(
    'bpf_jit_binary_pack_alloc',
    form(`${PACK_ALLOC} was_classic=was_classic:u8`, POINTER, 'btf'),
    form(`${PACK_ALLOC} was_classic=@7:u8`, POINTER, '7.1-'),
    form(`${PACK_ALLOC} was_classic=@7:u8`, POINTER, '6.12.101-6.12'),
    form(PACK_ALLOC, POINTER),
  ),
  of(
    'bpf_jit_binary_pack_finalize',
    form(`ro_header=@1:x64 rw_header=@2:x64 ${HEADER_SIZES('@1', '@2')}`, INT, '6.11-'),
    form(`prog=@1:x64 ro_header=@2:x64 rw_header=@3:x64 ${HEADER_SIZES('@2', '@3')}`, INT),
  ),
  of('bpf_jit_binary_pack_free', form('ro_header=@1:x64 rw_header=@2:x64', '')),
  of(
    'bpf_prog_pack_alloc',
    form('size=@1:u32 bpf_fill_ill_insns=@2:x64 was_classic=was_classic:u8', POINTER, 'btf'),
    form('size=@1:u32 bpf_fill_ill_insns=@2:x64 was_classic=@3:u8', POINTER, '7.1-'),
    form('size=@1:u32 bpf_fill_ill_insns=@2:x64 was_classic=@3:u8', POINTER, '6.12.101-6.12'),
    form('size=@1:u32 bpf_fill_ill_insns=@2:x64', POINTER, '5.19-'),
    form('size=@1:u32 bpf_fill_ill_insns=@2:x64', POINTER, 'packv2'),
    form('size=@1:u32', POINTER),
  ),
  of(
    'bpf_prog_pack_free',
    form('ptr=@1:x64 size=@2:u32', '', '6.8-'),
    form('hdr=@1:x64 hdr_size=+0(@1):u32', ''),
  ),
  of('bpf_jit_charge_modmem', form('size=@1:u32', INT, '5.18-'), form('pages=@1:u32', INT)),
  of('bpf_jit_uncharge_modmem', form('size=@1:u32', '', '5.18-'), form('pages=@1:u32', '')),
  of('bpf_jit_alloc_exec', form('size=@1:u64', POINTER)),
  of('bpf_jit_free_exec', form('addr=@1:x64', '')),
  withProgram('bpf_jit_free', 'fp', types),
  of('bpf_arch_text_copy', form('dst=@1:x64 src=@2:x64 len=@3:u64', POINTER)),
  of('bpf_arch_text_invalidate', form('dst=@1:x64 len=@2:u64', INT)),
  of(
    'bpf_arch_text_poke',
    form('ip=@1:x64 old_t=@2:u32 new_t=@3:u32 old_addr=@4:x64 new_addr=@5:x64', INT, '7.1-'),
    form('ip=@1:x64 t=@2:u32 old_addr=@3:x64 new_addr=@4:x64', INT),
  ),
  of('bpf_arch_poke_desc_update', form('poke=@1:x64 new=@2:x64 old=@3:x64', '')),
  of('bpf_dispatcher_change_prog', form('d=@1:x64 from=@2:x64 to=@3:x64', '')),
  of(
    'arch_prepare_bpf_dispatcher',
    form('image=@1:x64 buf=@2:x64 funcs=@3:x64 num_funcs=@4:s32', INT, '6.1-'),
    form('image=@1:x64 funcs=@2:x64 num_funcs=@3:s32', INT),
  ),
  of('arch_alloc_bpf_trampoline', form('size=@1:u32', POINTER)),
  of('arch_protect_bpf_trampoline', form('image=@1:x64 size=@2:u32', INT)),
  ksym('bpf_ksym_add', types),
  ksym('bpf_ksym_del', types),
  withProgram('bpf_prog_kallsyms_add', 'fp', types),
  withProgram('bpf_prog_kallsyms_del', 'fp', types),
  of('text_poke', form('addr=@1:x64 opcode=@2:x64 len=@3:u64', POINTER)),
  of('text_poke_copy', form('addr=@1:x64 opcode=@2:x64 len=@3:u64', POINTER)),
  of('text_poke_copy_locked', form('addr=@1:x64 opcode=@2:x64 len=@3:u64 core_ok=@4:u8', POINTER)),
  of('text_poke_set', form('addr=@1:x64 c=@2:s32 len=@3:u64', POINTER)),
  of('text_poke_bp', form('addr=@1:x64 opcode=@2:x64 len=@3:u64 emulate=@4:x64', '')),
  of('smp_text_poke_single', form('addr=@1:x64 opcode=@2:x64 len=@3:u64 emulate=@4:x64', '')),
  of(
    '__text_poke',
    form('func=@1:x64 addr=@2:x64 src=@3:x64 len=@4:u64', POINTER, '5.19-'),
    form('func=@1:x64 addr=@2:x64 src=@3:x64 len=@4:u64', POINTER, 'packv2'),
    form('addr=@1:x64 opcode=@2:x64 len=@3:u64', POINTER),
  ),
  setMemory('set_memory_ro'),
  setMemory('set_memory_rw'),
  setMemory('set_memory_x'),
  setMemory('set_memory_nx'),
  setMemory('set_memory_rox'),
  setMemory('set_memory_p'),
  setMemory('set_memory_np'),
  setMemory('set_memory_4k'),
  of('set_memory_valid', form('addr=@1:x64 numpages=@2:s32 enable=@3:s32', INT)),
  of('change_memory_common', form('addr=@1:x64 numpages=@2:s32 set_mask=@3:x64 clear_mask=@4:x64', INT)),
  of('set_direct_map_invalid_noflush', form('page=@1:x64', INT)),
  of('set_direct_map_default_noflush', form('page=@1:x64', INT)),
  of('set_direct_map_valid_noflush', form('page=@1:x64 nr=@2:u32 valid=@3:u8', INT)),
  of(
    'change_page_attr_set_clr',
    form(
      'addr=@1:x64 numpages=@2:s32 mask_set=@3:x64 mask_clr=@4:x64 force_split=@5:s32 in_flag=@6:s32 pages=@7:x64 vaddr=+0(@1):x64',
      INT,
    ),
  ),
  of(
    '__change_page_attr_set_clr',
    form(`cpa=@1:x64 primary=@2:s32 ${cpaData(types)}`, INT, '6.2-'),
    form(`cpa=@1:x64 checkalias=@2:s32 ${cpaData(types)}`, INT),
  ),
  of(
    'cpa_flush',
    form(`cpa=@1:x64 cache=@2:s32 ${cpaData(types)}`, '', '7.1-'),
    form(`data=@1:x64 cache=@2:s32 ${cpaData(types)}`, ''),
  ),
  of('collapse_large_pages', form('addr=@1:x64 pgtables=@2:x64', INT)),
  of('module_alloc', form('size=@1:u64', POINTER)),
  of('module_memfree', form('module_region=@1:x64', '')),
  of('execmem_alloc', form('type=@1:u32 size=@2:u64', POINTER)),
  of('execmem_alloc_rw', form('type=@1:u32 size=@2:u64', POINTER)),
  of('execmem_free', form('ptr=@1:x64', '')),
  of('execmem_vmalloc', form('range=@1:x64 size=@2:u64 pgprot=@3:x64 vm_flags=@4:x64', POINTER)),
  inCode('__vmalloc_node_range', 'start', form(NODE_RANGE, POINTER)),
  inCode('__vmalloc_node_range_noprof', 'start', form(NODE_RANGE, POINTER)),
  inCode('vfree', 'addr', form('addr=@1:x64', null)),
  inCode('vfree_atomic', 'addr', form('addr=@1:x64', null)),
  inCode('remove_vm_area', 'addr', form('addr=@1:x64', null)),
  inCode('vunmap_range', 'addr', form('addr=@1:x64 end=@2:x64', null)),
  inCode('vunmap_range_noflush', 'start', form('start=@1:x64 end=@2:x64', null)),
  inCode(
    'vmap_pages_range_noflush',
    'addr',
    form('addr=@1:x64 end=@2:x64 prot=@3:x64 pages=@4:x64 page_shift=@5:u32', null),
  ),
  of('_vm_unmap_aliases', form('start=@1:x64 end=@2:x64 flush=@3:s32', '')),
  of(
    '__purge_vmap_area_lazy',
    form('start=@1:x64 end=@2:x64 full_pool_decay=@3:u8', 'ret=$retval:u8', '6.9-'),
    form('start=@1:x64 end=@2:x64', 'ret=$retval:u8'),
  ),
  of('flush_tlb_kernel_range', form('start=@1:x64 end=@2:x64', '')),
];
