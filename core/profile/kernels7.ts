/** Profiles of 6.15 to 7.2 (kernel-model.md §2.2, §4.7, §5.3). */
import { v6_13 } from './kernels6.js';
import { kernel, type Profile } from './profile.js';

const v6_15 = kernel(v6_13, {
  name: '6.15',
  about: 'set_memory_rox tries to merge small leaves',
  covers: ['6.15', '6.15.*'],
  read: [],
  recorded: {},
  probes: '6.15',
  cpa: { collapse: true },
});

const v6_16 = kernel(v6_15, {
  name: '6.16',
  about: 'as 6.15; other names for patches of live code, aliases that go are clean',
  covers: ['6.16', '6.18.*'],
  read: ['6.17.0', '6.18.0'],
  recorded: {},
  probes: '6.16',
  cpa: { invalidClearsDirty: true },
  livePatch: 'smp_text_poke_single',
});

const v6_19 = kernel(v6_16, {
  name: '6.19',
  about: 'backing in large blocks: a 2M-aligned pack becomes one 2M leaf',
  covers: ['6.19', '7.0.*'],
  read: ['6.19.9', '7.0.0'],
  recorded: {},
  contiguousBacking: true,
});

const v7_1 = kernel(v6_19, {
  name: '7.1',
  about: 'as 6.19; branch predictors are flushed before memory is reused for a classic program',
  covers: ['7.1', '7.1.*'],
  read: ['7.1.5'],
  recorded: {},
  probes: '7.2',
  blinds: false,
  predictorFlush: true,
  wasClassic: true,
});

const v7_2 = kernel(v7_1, {
  name: '7.2',
  about: 'as 6.12; backing in large blocks, a 2M-aligned pack becomes one 2M leaf',
  covers: ['7.2', '7.2.*'],
  read: [],
  recorded: { x86_64: '7.2.13' },
});

/** Oldest first. */
export const KERNELS_7: readonly Profile[] = [v6_15, v6_16, v6_19, v7_1, v7_2];
