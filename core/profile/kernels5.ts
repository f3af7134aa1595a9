/** Profiles of 5.10 to 5.19 (kernel-model.md §2.2, captures/FINDINGS-5.18.md). */
import { kernel, v6_1, type Profile } from './profile.js';

const v5_10 = kernel(v6_1, {
  name: '5.10',
  about: 'a page-rounded area per function, written in place, then RO and X',
  covers: ['5.10.223', '5.10.223'],
  read: [],
  recorded: { x86_64: '5.10.223' },
  probes: '5.10',
  allocator: 'binary',
  pack: { fillNew: false, invalidate: false },
  chargeUnit: 'pages',
  areaCall: 'bpf_jit_alloc_exec',
  areaFlags: 0,
  hugeVmalloc: 'none',
  exactFit: false,
  cpa: { warnsWx: false },
  dispatcher: 'page',
  trampoline: 'writable-page',
  symbolEnd: 'page',
  publishesFirst: true,
  tailCall: 'bpf_arch_text_poke',
  fixesTailCalls: false,
  finalizesBeforeFree: false,
});

const v5_17 = kernel(v5_10, {
  name: '5.17',
  about: 'as 5.10; the last one without packs',
  covers: ['5.17', '5.17.*'],
  read: ['5.17.0'],
  recorded: {},
  limitShift: 2,
  exactFit: true,
});

/** Built without CONFIG_RANDOMIZE_BASE, as the recordings of 5.18 are. */
const v5_18_rc3 = kernel(v6_1, {
  name: '5.18-rc3',
  about: 'packs on 2M leaves (huge vmalloc by default), nothing filled',
  covers: ['5.18-rc1', '5.18-rc3'],
  read: [],
  recorded: { x86_64: '5.18-rc3' },
  probes: '5.18-rc3',
  pack: { size: 'trial', owner: 'mask', fillNew: false, invalidate: false },
  areaFlags: 0,
  hugeVmalloc: 'opt-out',
  cpa: { warnsWx: false },
  limitShift: 2,
  dispatcher: 'page',
  trampoline: 'writable-page',
  publishesFirst: true,
  tailCall: 'bpf_arch_text_poke',
  finalizesBeforeFree: false,
  kaslrCompiledIn: false,
});

const v5_18_rc3_packv2 = kernel(v5_18_rc3, {
  name: '5.18-rc3-packv2',
  about: '5.18-rc3 with "[PATCH bpf v2 0/3] bpf: invalidate unused part of bpf_prog_pack"',
  covers: null,
  read: [],
  recorded: { x86_64: '5.18-rc3' },
  probes: '5.18-rc3-packv2',
  pack: { fillNew: true, invalidate: true },
});

const v5_18_rc5 = kernel(v5_18_rc3, {
  name: '5.18-rc5',
  about: '5.18-rc4/rc5: packs of one 4K page, nothing filled: the state of the mail',
  covers: ['5.18-rc4', '5.18.1'],
  read: [],
  recorded: { x86_64: '5.18-rc5' },
  hugeVmalloc: 'opt-in',
});

const v5_18_rc5_packv2 = kernel(v5_18_rc5, {
  name: '5.18-rc5-packv2',
  about: '5.18-rc5 with the v2 series: what the mail answers',
  covers: null,
  read: [],
  recorded: { x86_64: '5.18-rc5' },
  probes: '5.18-rc3-packv2',
  pack: { fillNew: true, invalidate: true },
});

const v5_18_rc5_packv2_huge = kernel(v5_18_rc5_packv2, {
  name: '5.18-rc5-packv2-huge',
  about: 'the v2 series and the first patches of module_alloc_huge (June 2022, never merged)',
  covers: null,
  read: [],
  recorded: { x86_64: '5.18-rc5' },
  pack: { resetBeforeFree: true },
  asksHuge: true,
  setsResetFlag: false,
});

const v5_18_2 = kernel(v5_18_rc5, {
  name: '5.18.2',
  about: 'new packs are filled; the code of a freed program stays',
  covers: ['5.18.2', '5.18.17'],
  read: ['5.18.12'],
  recorded: {},
  probes: '5.18.2',
  pack: { fillNew: true },
  kaslrCompiledIn: true,
});

const v5_18_18 = kernel(v5_18_2, {
  name: '5.18.18',
  about: 'an image is made final before it is freed',
  covers: ['5.18.18', '5.18.*'],
  read: [],
  recorded: {},
  finalizesBeforeFree: true,
});

const v5_19 = kernel(v5_18_2, {
  name: '5.19',
  about: 'what is freed is filled too: the v2 series as it was merged',
  covers: ['5.19-rc1', '5.19.1'],
  read: ['5.19.0'],
  recorded: {},
  probes: '5.19',
  pack: { invalidate: true },
});

const v5_19_2 = kernel(v5_19, {
  name: '5.19.2',
  about: 'as 5.19; an image is made final before it is freed',
  covers: ['5.19.2', '5.19.*'],
  read: ['5.19.6'],
  recorded: {},
  finalizesBeforeFree: true,
});

/** Oldest first. */
export const KERNELS_5: readonly Profile[] = [
  v5_10,
  v5_17,
  v5_18_rc3,
  v5_18_rc3_packv2,
  v5_18_rc5,
  v5_18_rc5_packv2,
  v5_18_rc5_packv2_huge,
  v5_18_2,
  v5_18_18,
  v5_19,
  v5_19_2,
];
