import { v6_1, variant, type Profile } from './profile.js';

const v5_10 = variant(v6_1, {
  name: '5.10',
  about: 'a page-rounded area per function, written in place, then RO and X',
  allocator: 'binary',
  chargeUnit: 'pages',
  areaCall: 'bpf_jit_alloc_exec',
  areaFlags: 0,
  hugeVmalloc: 'none',
  exactFit: false,
  dispatcher: 'page',
  symbolEnd: 'page',
  publishesFirst: true,
  tailCall: 'bpf_arch_text_poke',
  fixesTailCalls: false,
  finalizesBeforeFree: false,
});

const v5_18_rc3 = variant(v6_1, {
  name: '5.18-rc3',
  about: 'packs on 2M leaves (huge vmalloc by default), nothing filled',
  pack: { size: 'trial', owner: 'mask', fillNew: false, invalidate: false },
  areaFlags: 0,
  hugeVmalloc: 'opt-out',
  limitShift: 2,
  dispatcher: 'page',
  publishesFirst: true,
  tailCall: 'bpf_arch_text_poke',
  finalizesBeforeFree: false,
  kaslrCompiledIn: false,
});

const v5_18_rc3_packv2 = variant(v5_18_rc3, {
  name: '5.18-rc3-packv2',
  about: '5.18-rc3 with "[PATCH bpf v2 0/3] bpf: invalidate unused part of bpf_prog_pack"',
  pack: { fillNew: true, invalidate: true },
});

const v5_18_rc5 = variant(v5_18_rc3, {
  name: '5.18-rc5',
  about: '5.18-rc4/rc5: packs of one 4K page, nothing filled: the state of the mail',
  hugeVmalloc: 'opt-in',
});

const v5_18_rc5_packv2 = variant(v5_18_rc5, {
  name: '5.18-rc5-packv2',
  about: '5.18-rc5 with the v2 series: what the mail answers',
  pack: { fillNew: true, invalidate: true },
});

const v5_18_rc5_packv2_huge = variant(v5_18_rc5_packv2, {
  name: '5.18-rc5-packv2-huge',
  about: 'the v2 series and the first patches of module_alloc_huge (June 2022, never merged)',
  pack: { resetBeforeFree: true },
  asksHuge: true,
  setsResetFlag: false,
});

const v6_12 = variant(v6_1, {
  name: '6.12',
  about: 'packs of 2 MiB per node, execmem, one set_memory_rox whose result is checked',
  pack: { listedFirst: false },
  protect: ['rox'],
  protectChecked: true,
  areaCall: 'bpf_jit_alloc_exec',
  execAlloc: 'execmem_alloc',
  gfp: 0x2cc0,
  cpa: { alias: 'strip-nx', clearsDirty: true, invalidClearsDirty: true },
  pokeLocked: true,
  packFreeBy: 'pointer-size',
  predictorFlush: true,
  wasClassic: true,
});

const v7_2 = variant(v6_12, {
  name: '7.2',
  about: 'as 6.12; backing in large blocks, a 2M-aligned pack becomes one 2M leaf',
  cpa: { collapse: true },
  contiguousBacking: true,
  blinds: false,
  livePatch: 'smp_text_poke_single',
});

/** All profiles, oldest first. */
export const PROFILES: readonly Profile[] = [
  v5_10,
  v5_18_rc3,
  v5_18_rc3_packv2,
  v5_18_rc5,
  v5_18_rc5_packv2,
  v5_18_rc5_packv2_huge,
  v6_1,
  v6_12,
  v7_2,
];

export const profileNamed = (name: string): Profile | null =>
  PROFILES.find((profile) => profile.name === name) ?? null;
