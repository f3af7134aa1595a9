/** The versions that kernel-model.md §2.4 and §2.5 tell apart, by the names of profiles. Written down here, not taken from core/profile. */
const OLD = ['5.10', '5.17'];
/** Nothing is filled. */
const LEFTOVER = ['5.18-rc3', '5.18-rc5'];
/** New packs are filled, freed chunks are not. */
const FILLED = ['5.18.2', '5.18.18'];
const SERIES = ['5.18-rc3-packv2', '5.18-rc5-packv2'];
const HUGE_SERIES = ['5.18-rc5-packv2-huge'];
const TO_6_0 = ['5.19', '5.19.2', '6.0'];
const TO_6_1 = ['6.1.0', '6.1'];
const TO_6_6 = ['6.2', '6.3', '6.5', '6.6'];
const TO_6_9 = ['6.8', '6.9'];
const FROM_6_10 = ['6.10', '6.11', '6.12.0', '6.12', '6.13', '6.15', '6.16', '6.19', '7.1', '7.2'];

export const COLUMNS = {
  binary: OLD,
  pack: [
    ...LEFTOVER,
    ...SERIES,
    ...HUGE_SERIES,
    ...FILLED,
    ...TO_6_0,
    ...TO_6_1,
    ...TO_6_6,
    ...TO_6_9,
    ...FROM_6_10,
  ],
  leftover: LEFTOVER,
  /** Filled when new, left as it was when freed. */
  filledOnly: FILLED,
  invalidates: [...SERIES, ...HUGE_SERIES, ...TO_6_0, ...TO_6_1, ...TO_6_6, ...TO_6_9, ...FROM_6_10],
  roThenX: [...OLD, ...LEFTOVER, ...SERIES, ...HUGE_SERIES, ...FILLED, ...TO_6_0, ...TO_6_1],
  warnsWx: [...TO_6_1, ...TO_6_6, ...TO_6_9, ...FROM_6_10],
  roxUnchecked: [...TO_6_6, ...TO_6_9],
  roxChecked: FROM_6_10,
  /** The size is copied into the header before the chunk is given back without a buffer. */
  copiesSize: [...LEFTOVER, ...SERIES, ...HUGE_SERIES, ...FILLED, ...TO_6_0, ...TO_6_1, ...TO_6_6],
  passesSize: [...TO_6_9, ...FROM_6_10],
  /** bpf_jit_free makes an image final whose last pass never came. */
  finalizesBeforeFree: ['5.18.18', '5.19.2', '6.0', ...TO_6_1, ...TO_6_6, ...TO_6_9, ...FROM_6_10],
  dispatcherInPack: [...TO_6_1, ...TO_6_6, ...TO_6_9, ...FROM_6_10],
  /** Packs on 2M leaves. */
  hugePacks: ['5.18-rc3', '5.18-rc3-packv2', ...HUGE_SERIES],
} as const;

export const ALL_KERNELS: readonly string[] = [...COLUMNS.binary, ...COLUMNS.pack];
