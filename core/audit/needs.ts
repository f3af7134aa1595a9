/** What a recording must show before a rule can be judged by it. */
import { setsDirectMap, type Arch } from '../arch/arch.js';
import { x86_64 } from '../arch/x86_64.js';
import { LINES } from '../driver/lines.js';
import type { Subject } from './rule.js';

/** Something that a rule looks at, and the functions that show it: one of them is enough. */
export interface Need {
  /** In words: "what text is copied". */
  readonly shows: string;
  readonly by: readonly string[];
  /** Which functions of the architecture show it instead. */
  readonly list?: keyof Omit<Arch['shownBy'], 'pokes'>;
}

const need = (shows: string, ...by: string[]): Need => Object.freeze({ shows, by });

/** Told by functions of the architecture. */
const ofArch = (shows: string, list: keyof Omit<Arch['shownBy'], 'pokes'>): Need =>
  Object.freeze({ shows, by: x86_64.shownBy[list], list });

export const PERMISSIONS = ofArch('which permissions change', 'permissions');
export const DIRECT_MAP = ofArch('what happens to the direct map', 'directMap');
const RESETS = need(
  'that the direct map of freed memory is put right',
  'set_direct_map_default_noflush',
  'set_direct_map_valid_noflush',
  '__change_page_attr_set_clr',
);

const changesDirectMap = ({ arch, profile }: Subject): boolean =>
  arch === null || profile === null || setsDirectMap(arch, profile);

/** Where freed memory has to be put right at all. */
export const resets = (subject: Subject): readonly Need[] => (changesDirectMap(subject) ? [RESETS] : []);
export const COLLAPSES = need('what is merged', 'collapse_large_pages');
export const FLUSHES = ofArch('what is flushed', 'flushes');
export const AREAS_GIVEN = need(
  'which areas are given out',
  '__vmalloc_node_range',
  'module_alloc',
  'execmem_vmalloc',
  'execmem_alloc',
);
export const AREAS_FREED = need(
  'which areas are given back',
  'vfree',
  '__vunmap',
  'remove_vm_area',
  'module_memfree',
  'execmem_free',
);
export const PURGES = need(
  'when freed addresses may be used again',
  '__purge_vmap_area_lazy',
  '_vm_unmap_aliases',
);
export const PUBLISHED = need('what is published', 'bpf_ksym_add', 'bpf_prog_kallsyms_add');
export const WITHDRAWN = need('what is withdrawn', 'bpf_ksym_del');
export const FREED = need('which programs are freed', 'bpf_jit_free');
const COPIES = need(
  'what text is copied',
  'bpf_arch_text_copy',
  'text_poke_copy',
  'text_poke_copy_locked',
  '__text_poke',
);

/** Text that is written where it runs, on kernels that do so. */
export const pokes = ({ arch, profile }: Subject): readonly Need[] => {
  if (arch === null || profile === null) return [need('what text is written', '__text_poke')];
  if (profile.textCopy === 'weak' && !arch.patchesTailCalls) return [];
  return [need('what text is written', ...(arch.shownBy.pokes ?? ['__text_poke']))];
};
const FILLS = need(
  'that freed code is overwritten',
  'bpf_arch_text_invalidate',
  'text_poke_set',
  '__text_poke',
);
export const COMPILED = need('what the JIT compiles', 'bpf_int_jit_compile');
export const FINALIZED = need('what is finalized', 'bpf_jit_binary_pack_finalize');
export const CHARGES = need('what is charged', 'bpf_jit_charge_modmem');
export const CHUNKS_GIVEN = need(
  'which chunks are given out',
  'bpf_prog_pack_alloc',
  'bpf_jit_binary_pack_alloc',
);
export const CHUNKS_FREED = need(
  'which chunks are given back',
  'bpf_prog_pack_free',
  'bpf_jit_binary_pack_free',
  'bpf_arch_text_invalidate',
);
/** Results of set_direct_map_*, on kernels that have them. */
export const resultsOfResets = (subject: Subject): readonly Need[] =>
  (changesDirectMap(subject) ? ['invalid', 'default'] : []).map((what) =>
    need(`whether set_direct_map_${what}_noflush fails`, `set_direct_map_${what}_noflush`),
  );

/** Functions of an architecture that are given the range of a permission call as it was asked for, and return its result. */
const rangeCalls = ({ arch }: Subject): readonly string[] =>
  (arch?.shownBy.permissions ?? []).filter((fn) => LINES[fn]?.entry['addr']?.class === 'compared');

const packs = ({ profile }: Subject): boolean => profile?.allocator === 'pack';

/** Text that is written to be executed, on this kernel. */
export const texts = (subject: Subject): readonly Need[] => {
  if (subject.profile === null) return [];
  if (!packs(subject)) return [COMPILED];
  return subject.profile.pack.invalidate ? [COPIES, FILLS] : [COPIES];
};

/** Chunks of packs, where this kernel has any. */
export const chunkCalls = (subject: Subject): readonly Need[] =>
  packs(subject) ? [CHUNKS_GIVEN, CHUNKS_FREED] : [];

/** Calls of set_memory_* by which this kernel makes memory executable. */
export const protections = (subject: Subject, what: string): readonly Need[] => {
  const { profile, arch } = subject;
  const calls = rangeCalls(subject);
  return (profile?.protect ?? [])
    .flatMap((suffix) => (suffix === 'rox' && arch?.genericRox === true ? ['ro', 'x'] : [suffix]))
    .map((suffix) => need(`${what} set_memory_${suffix}`, `set_memory_${suffix}`, ...calls));
};

/** Results of text copies and fills, on kernels that have them. */
export const textResults = ({ profile }: Subject): readonly Need[] => {
  if (profile?.allocator !== 'pack') return [];
  return [
    need('whether text copies fail', 'bpf_arch_text_copy', 'text_poke_copy'),
    ...(profile.pack.invalidate ? [need('whether fills fail', 'bpf_arch_text_invalidate')] : []),
  ];
};

const listed = (names: readonly string[]): string =>
  names.length === 1 ? (names[0] as string) : `${names.slice(0, -1).join(', ')} or ${names.at(-1) as string}`;

/** What a recording does not show of what a rule looks at, in words. */
export const notShown = (
  needs: readonly Need[],
  seen: (fn: string) => boolean,
  probed: ReadonlySet<string> | null,
  arch: Arch | null = null,
): readonly string[] =>
  needs
    .map((one) => (one.list === undefined || arch === null ? one : { ...one, by: arch.shownBy[one.list] }))
    .filter(({ by }) => by.length > 0)
    .filter(({ by }) => !by.some((fn) => seen(fn) || probed?.has(fn) === true))
    .map(({ shows, by }) =>
      probed === null
        ? `${shows} is not known: there is no line of ${listed(by)}, and the recording does not say what was probed`
        : `${shows} is not known: ${by.length === 1 ? `${listed(by)} was not probed` : `none of ${listed(by)} was probed`}`,
    );
