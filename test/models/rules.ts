/**
 * What kernel-model.md (§2.2, §2.6, §4.1, §4.5, §5.1) and captures/FINDINGS*.md say of each kernel, written down a second time. Nothing
 * here is taken from core/profile: a wrong profile must show as a difference.
 */
export interface Rules {
  readonly kernel: string;
  /** none: an area per program; page: one 4K page; pmd: 2 MiB per node. */
  readonly pack: 'none' | 'page' | 'pmd';
  /** A trial allocation of 2 MiB per node precedes the first pack (5.18, 5.19). */
  readonly trial: boolean;
  /** Which areas of at least 2 MiB per node lie on 2M leaves: all, those of BPF (it asks for them), none. */
  readonly huge: 'all' | 'asked' | 'never';
  /** How the pack of a freed chunk is found. */
  readonly owner: 'mask' | 'range';
  /** A new pack (or area of its own) is filled before it is protected. */
  readonly fills: boolean;
  /** A freed chunk is filled. */
  readonly invalidates: boolean;
  /** Permission calls that a new area gets, in order. */
  readonly protect: readonly ('ro' | 'x' | 'rox')[];
  /** The results of permission calls of a new area are looked at (6.10+). */
  readonly checked: boolean;
  /** vfree of an area of BPF resets the direct map (VM_FLUSH_RESET_PERMS). */
  readonly resets: boolean;
  /** module_alloc itself passes that flag (§2.6: 6.1.176 as recorded, 6.2+). */
  readonly moduleResets: boolean;
  /** set_memory_nx and set_memory_rw before the area is freed. */
  readonly takesBack: boolean;
  /** Taking W away takes D away too (6.6+). */
  readonly roClearsDirty: boolean;
  /** set_direct_map_invalid takes D away too (mask 0x43). */
  readonly invalidClearsDirty: boolean;
  /** set_memory_rox merges 512 leaves of 4K afterwards where it can. */
  readonly collapses: boolean;
  /** Packs have a dirty mark for the predictor flush. */
  readonly marksDirty: boolean;
  /** First page of the module area (nokaslr). */
  readonly modules: number;
}

const MODULES_KASLR = 0xffffffffc0000;
const MODULES_PLAIN = 0xffffffffa0000;
export const MODULES_END = 0xffffffffff000;

const v6_1: Rules = {
  kernel: '6.1',
  pack: 'pmd',
  trial: false,
  huge: 'never',
  owner: 'range',
  fills: true,
  invalidates: true,
  protect: ['ro', 'x'],
  checked: false,
  resets: true,
  moduleResets: true,
  takesBack: false,
  roClearsDirty: false,
  invalidClearsDirty: false,
  collapses: false,
  marksDirty: false,
  modules: MODULES_KASLR,
};

const rc3: Rules = {
  ...v6_1,
  kernel: '5.18-rc3',
  trial: true,
  huge: 'all',
  owner: 'mask',
  moduleResets: false,
  fills: false,
  invalidates: false,
  modules: MODULES_PLAIN,
};
const rc5: Rules = { ...rc3, kernel: '5.18-rc5', pack: 'page', huge: 'never' };
const packv2 = { fills: true, invalidates: true };
/** Released kernels have CONFIG_RANDOMIZE_BASE here, the recorded release candidates of 5.18 have not. */
const v5_18_2: Rules = { ...rc5, kernel: '5.18.2', fills: true, modules: MODULES_KASLR };
const v5_19: Rules = { ...v5_18_2, kernel: '5.19', invalidates: true };
const v6_1_0: Rules = { ...v6_1, kernel: '6.1.0', moduleResets: false };
const v6_2: Rules = { ...v6_1, kernel: '6.2', protect: ['rox'] };
const v6_6: Rules = { ...v6_2, kernel: '6.6', roClearsDirty: true };
const v6_10: Rules = { ...v6_6, kernel: '6.10', checked: true };
const v6_12: Rules = { ...v6_10, kernel: '6.12', invalidClearsDirty: true, marksDirty: true };
const v6_15: Rules = { ...v6_10, kernel: '6.15', collapses: true };
const v6_16: Rules = { ...v6_15, kernel: '6.16', invalidClearsDirty: true };
const v7_1: Rules = { ...v6_16, kernel: '7.1', marksDirty: true };

export const RULES: readonly Rules[] = [
  { ...v6_1, kernel: '5.10', pack: 'none', invalidates: false, moduleResets: false },
  { ...v6_1, kernel: '5.17', pack: 'none', invalidates: false, moduleResets: false },
  rc3,
  { ...rc3, ...packv2, kernel: '5.18-rc3-packv2' },
  rc5,
  { ...rc5, ...packv2, kernel: '5.18-rc5-packv2' },
  { ...rc3, ...packv2, kernel: '5.18-rc5-packv2-huge', huge: 'asked', resets: false, takesBack: true },
  v5_18_2,
  { ...v5_18_2, kernel: '5.18.18' },
  v5_19,
  { ...v5_19, kernel: '5.19.2' },
  { ...v6_1_0, kernel: '6.0' },
  v6_1_0,
  v6_1,
  v6_2,
  { ...v6_2, kernel: '6.3' },
  { ...v6_2, kernel: '6.5' },
  v6_6,
  { ...v6_6, kernel: '6.8' },
  { ...v6_6, kernel: '6.9' },
  v6_10,
  { ...v6_10, kernel: '6.11' },
  { ...v6_10, kernel: '6.12.0' },
  v6_12,
  { ...v6_10, kernel: '6.13' },
  v6_15,
  v6_16,
  { ...v6_16, kernel: '6.19' },
  v7_1,
  { ...v7_1, kernel: '7.2' },
];

export const rulesOf = (kernel: string): Rules => {
  const rules = RULES.find((r) => r.kernel === kernel);
  if (rules === undefined) throw new Error(`no rules of ${kernel}`);
  return rules;
};
