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
const v6_12: Rules = {
  ...v6_1,
  kernel: '6.12',
  protect: ['rox'],
  roClearsDirty: true,
  invalidClearsDirty: true,
  marksDirty: true,
};

export const RULES: readonly Rules[] = [
  { ...v6_1, kernel: '5.10', pack: 'none', invalidates: false, moduleResets: false },
  rc3,
  { ...rc3, kernel: '5.18-rc3-packv2', fills: true, invalidates: true },
  rc5,
  { ...rc5, kernel: '5.18-rc5-packv2', fills: true, invalidates: true },
  {
    ...rc3,
    kernel: '5.18-rc5-packv2-huge',
    huge: 'asked',
    fills: true,
    invalidates: true,
    resets: false,
    takesBack: true,
  },
  v6_1,
  v6_12,
  { ...v6_12, kernel: '7.2', collapses: true },
];

export const rulesOf = (kernel: string): Rules => {
  const rules = RULES.find((r) => r.kernel === kernel);
  if (rules === undefined) throw new Error(`no rules of ${kernel}`);
  return rules;
};
