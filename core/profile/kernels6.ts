/** Profiles of 6.0 to 6.14 (kernel-model.md §2.2, §2.6, §2.10). */
import { kernel, v6_1, type Profile } from './profile.js';

const v6_1_0 = kernel(v6_1, {
  name: '6.1.0',
  about: '6.1 as it was released; the dispatcher takes its image from a pack',
  covers: ['6.1-rc7', '6.1.0'],
  read: ['6.1-rc7'],
  recorded: {},
  probes: '6.1.0',
  areaFlags: 0,
  limitShift: 2,
  publishesFirst: true,
  tailCall: 'bpf_arch_text_poke',
});

const v6_0 = kernel(v6_1_0, {
  name: '6.0',
  about:
    'packs of 2 MiB per node on 4K leaves, found by their range; the dispatcher has a page that stays W+X',
  covers: ['6.0-rc1', '6.0.*'],
  read: ['6.0-rc1'],
  recorded: {},
  probes: '5.19',
  cpa: { warnsWx: false },
  dispatcher: 'page',
  trampoline: 'writable-page',
});

const v6_2 = kernel(v6_1_0, {
  name: '6.2',
  about: 'one set_memory_rox; the direct map is never executable',
  covers: ['6.2', '6.2'],
  read: [],
  recorded: {},
  probes: '6.2',
  protect: ['rox'],
  areaFlags: 0x100,
  cpa: { alias: 'strip-nx' },
  pokeLocked: true,
});

const v6_3 = kernel(v6_2, {
  name: '6.3',
  about: 'as 6.2; the default limit is half of the area',
  covers: ['6.2.12', '6.4.*'],
  read: ['6.2.12', '6.4.0'],
  recorded: {},
  limitShift: 1,
});

const v6_5 = kernel(v6_3, {
  name: '6.5',
  about: 'as 6.3; the first function has no symbol of its own',
  covers: ['6.5', '6.5.*'],
  read: ['6.5.0'],
  recorded: {},
  publishesFirst: false,
});

const v6_6 = kernel(v6_5, {
  name: '6.6',
  about: 'packs come from bpf_jit_alloc_exec; read-only pages are clean',
  covers: ['6.6', '6.7.*'],
  read: ['6.6.9', '6.6.17'],
  recorded: {},
  probes: '6.6',
  areaCall: 'bpf_jit_alloc_exec',
  cpa: { clearsDirty: true },
  tailCall: 'bpf_arch_poke_desc_update',
});

const v6_8 = kernel(v6_6, {
  name: '6.8',
  about: 'chunks are given back by pointer and size; trampolines lie in packs',
  covers: ['6.8', '6.8.*'],
  read: ['6.8.0'],
  recorded: {},
  probes: '6.8',
  packFreeBy: 'pointer-size',
  trampoline: 'pack',
});

const v6_9 = kernel(v6_8, {
  name: '6.9',
  about: 'a pack is 2 MiB per node whatever the size of a large page',
  covers: ['6.9', '6.9.*'],
  read: ['6.9.3'],
  recorded: {},
  pack: { size: '2m-per-node' },
});

const v6_10 = kernel(v6_9, {
  name: '6.10',
  about: 'execmem; the result of set_memory_rox is checked, and a pack is listed after it',
  covers: ['6.10', '6.10.*'],
  read: ['6.10.0'],
  recorded: {},
  probes: '6.10',
  pack: { listedFirst: false },
  protectChecked: true,
  execAlloc: 'execmem_alloc',
  gfp: 0x2cc0,
});

const v6_11 = kernel(v6_10, {
  name: '6.11',
  about: 'as 6.10; an image is made final without its program',
  covers: ['6.11', '6.11.*'],
  read: ['6.11.11'],
  recorded: {},
  probes: '6.11',
  finalizeTakesProg: false,
});

const v6_12_0 = kernel(v6_11, {
  name: '6.12.0',
  about: '6.12 as it was released, as 6.11',
  covers: ['6.12', '6.12.0'],
  read: ['6.12.0'],
  recorded: {},
});

export const v6_12 = kernel(v6_12_0, {
  name: '6.12',
  about: 'packs of 2 MiB per node, execmem, one set_memory_rox whose result is checked',
  covers: ['6.12.101', '6.12.107'],
  read: [],
  recorded: {
    x86_64: '6.12.101',
    arm64: '6.12.107',
    ppc64le: '6.12.107',
    riscv64: '6.12.107',
    s390x: '6.12.107',
  },
  probes: '6.12',
  cpa: { invalidClearsDirty: true },
  predictorFlush: true,
  wasClassic: true,
});

export const v6_13 = kernel(v6_12_0, {
  name: '6.13',
  about: 'as 6.12.0; the cache of executable memory exists, x86 does not use it',
  covers: ['6.13', '6.14.*'],
  read: ['6.13.7', '6.14.0'],
  recorded: {},
});

/** Oldest first. */
export const KERNELS_6: readonly Profile[] = [
  v6_0,
  v6_1_0,
  v6_1,
  v6_2,
  v6_3,
  v6_5,
  v6_6,
  v6_8,
  v6_9,
  v6_10,
  v6_11,
  v6_12_0,
  v6_12,
  v6_13,
];
