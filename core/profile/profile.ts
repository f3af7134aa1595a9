/** Which form of each mechanism a kernel uses: kernel-model.md §2.2 and §9. Data only; the kernel functions read it. */
export interface Profile {
  readonly name: string;
  /** Architecture whose port this is (core/arch/port.ts); profiles are written for x86_64. */
  readonly arch: string;
  /** Text of what it stands for. */
  readonly about: string;
  /** First and last version that it stands for (`*`: any point release); null: a series that was never released, known by its name only. */
  readonly covers: readonly [from: string, to: string] | null;
  /** Versions whose source was read for it. */
  readonly read: readonly string[];
  /** The version that was recorded, by architecture. What a profile rests on: grade.ts. */
  readonly recorded: Readonly<Record<string, string>>;
  /** Whose arguments the probes of a recorder would print: a name in signatures.ts. */
  readonly probes: string;
  /** bpf_arch_text_copy and _invalidate are the architecture's own, or the weak ones, which fail with -ENOTSUPP. */
  readonly textCopy: 'own' | 'weak';
  /** `binary`: page-rounded area per function; `pack`: chunks of shared packs. */
  readonly allocator: 'binary' | 'pack';
  readonly pack: {
    /** How large a pack is: found by a trial allocation (5.18), PMD size times nodes (6.0+), or 2 MiB times nodes (6.9+). */
    readonly size: 'trial' | 'pmd-per-node' | '2m-per-node';
    /** How the pack of a chunk is found at free: mask (5.18), range (6.0+). */
    readonly owner: 'mask' | 'range';
    /** Whether a new pack (and an area larger than a pack) is filled before it becomes executable. */
    readonly fillNew: boolean;
    /** Whether a freed chunk is filled with traps. */
    readonly invalidate: boolean;
    /** Whether the pack is on the list before its permissions are set (to 6.9). */
    readonly listedFirst: boolean;
    /** set_memory_nx + set_memory_rw before the pack is freed (module_alloc_huge series, never merged). */
    readonly resetBeforeFree: boolean;
  };
  /** Permission calls that make an area executable, in order. */
  readonly protect: readonly ('ro' | 'x' | 'rox')[];
  /** Whether their results are looked at. */
  readonly protectChecked: boolean;
  /** Error paths give memory back by the size it was given with, and uncharge it. No kernel does (F11, F12): for tests of the audit. */
  readonly errorPathsBySize: boolean;
  /** Unit of bpf_jit_charge_modmem. */
  readonly chargeUnit: 'pages' | 'bytes';
  /** Default bpf_jit_limit: range >> this. */
  readonly limitShift: 1 | 2;
  /** What allocates the area of a pack or program. */
  readonly areaCall: 'module_alloc' | 'bpf_jit_alloc_exec';
  /** What bpf_jit_alloc_exec calls. */
  readonly execAlloc: 'module_alloc' | 'execmem_alloc' | 'vmalloc';
  /** vm_flags that the allocation passes; BPF sets VM_FLUSH_RESET_PERMS afterwards where it is not among them. */
  readonly areaFlags: number;
  /** Whether BPF sets VM_FLUSH_RESET_PERMS on the area. */
  readonly setsResetFlag: boolean;
  /** Huge vmalloc: opt-out (to 5.18-rc3), opt-in (rc4+), and whether BPF asks for it. */
  readonly hugeVmalloc: 'none' | 'opt-out' | 'opt-in';
  readonly asksHuge: boolean;
  /** gfp_mask of the area. */
  readonly gfp: number;
  /** Whether the vmalloc address search is exact for page alignment (5.16+). */
  readonly exactFit: boolean;
  readonly cpa: {
    /** Aliases are changed for all masks but a pure NX (to 6.1), or for all, NX stripped (6.2+). */
    readonly alias: 'not-nx-only' | 'strip-nx';
    /** RO clears the dirty bit too (6.6+). */
    readonly clearsDirty: boolean;
    /** set_direct_map_invalid clears the dirty bit too (6.12.101, 6.17). */
    readonly invalidClearsDirty: boolean;
    /** set_memory_rox tries to merge 2M leaves afterwards (6.15+). */
    readonly collapse: boolean;
    /** A page that becomes writable and executable is reported once (6.1+). */
    readonly warnsWx: boolean;
  };
  /** Backing pages come in large blocks (6.19+). */
  readonly contiguousBacking: boolean;
  /** Copies go through text_poke_copy_locked (6.2+). */
  readonly pokeLocked: boolean;
  /** bpf_int_jit_compile calls bpf_jit_blind_constants itself (to 7.0). */
  readonly blinds: boolean;
  /** Dispatcher: one W+X page (to 6.0), or pack + RW page (6.1+). */
  readonly dispatcher: 'page' | 'pack';
  /** Image of a trampoline: a page that stays W+X (to 6.0), one that is protected once it is written, or chunks of a pack (6.8+). */
  readonly trampoline: 'writable-page' | 'page' | 'pack';
  /** Symbol of a program ends at the end of its page (to 5.1x), or of its code. */
  readonly symbolEnd: 'page' | 'code';
  /** Function 0 of a multi-function program is published like the others, beside the program itself (to 6.4). */
  readonly publishesFirst: boolean;
  /** Tail-call updates: bpf_arch_text_poke per site (5.10), bpf_arch_poke_desc_update (6.1+). */
  readonly tailCall: 'bpf_arch_text_poke' | 'bpf_arch_poke_desc_update';
  /** A program whose tail calls have their targets already is patched as it is loaded: it is read-only by then (5.18+). */
  readonly fixesTailCalls: boolean;
  /** bpf_jit_free finalizes an image whose last pass never came, so that its header holds its size (5.18.18, 5.19.2, 6.0+). */
  readonly finalizesBeforeFree: boolean;
  /** bpf_jit_binary_pack_finalize is given the program too (to 6.10). */
  readonly finalizeTakesProg: boolean;
  /** What patches live code. */
  readonly livePatch: 'text_poke_bp' | 'smp_text_poke_single';
  /** Arguments of bpf_prog_pack_free: the header, or pointer and size (6.8+). */
  readonly packFreeBy: 'header' | 'pointer-size';
  /** A predictor flush belongs to the pack search (7.1+, backported). */
  readonly predictorFlush: boolean;
  /** was_classic argument (7.1+, 6.12.101). */
  readonly wasClassic: boolean;
  /** Physical memory scattered or not is a choice; 1 GiB here. */
  readonly kaslrCompiledIn: boolean;
}

const base: Profile = {
  name: '6.1',
  arch: 'x86_64',
  about: 'packs of 2 MiB per node on 4K leaves, filled and invalidated; RO then X',
  covers: ['6.1.176', '6.1.176'],
  read: [],
  recorded: { x86_64: '6.1.176', arm64: '6.1.176', 'ppc64le-64k': '6.1.176', s390x: '6.1.176' },
  probes: '6.1',
  textCopy: 'own',
  allocator: 'pack',
  pack: {
    size: 'pmd-per-node',
    owner: 'range',
    fillNew: true,
    invalidate: true,
    listedFirst: true,
    resetBeforeFree: false,
  },
  protect: ['ro', 'x'],
  protectChecked: false,
  errorPathsBySize: false,
  chargeUnit: 'bytes',
  limitShift: 1,
  areaCall: 'module_alloc',
  execAlloc: 'module_alloc',
  areaFlags: 0x100,
  setsResetFlag: true,
  hugeVmalloc: 'opt-in',
  asksHuge: false,
  gfp: 0xcc0,
  exactFit: true,
  cpa: {
    alias: 'not-nx-only',
    clearsDirty: false,
    invalidClearsDirty: false,
    collapse: false,
    warnsWx: true,
  },
  contiguousBacking: false,
  pokeLocked: false,
  blinds: true,
  dispatcher: 'pack',
  trampoline: 'page',
  symbolEnd: 'code',
  publishesFirst: false,
  tailCall: 'bpf_arch_poke_desc_update',
  fixesTailCalls: true,
  finalizesBeforeFree: true,
  finalizeTakesProg: true,
  livePatch: 'text_poke_bp',
  packFreeBy: 'header',
  predictorFlush: false,
  wasClassic: false,
  kaslrCompiledIn: true,
};

/** What a profile does otherwise than the one it is a variant of. */
export type Change = Partial<Omit<Profile, 'pack' | 'cpa'>> & {
  readonly pack?: Partial<Profile['pack']>;
  readonly cpa?: Partial<Profile['cpa']>;
};

/** A profile that differs from another one. */
export const variant = (of: Profile, change: Change): Profile =>
  Object.freeze({
    ...of,
    ...change,
    pack: Object.freeze({ ...of.pack, ...change.pack }),
    cpa: Object.freeze({ ...of.cpa, ...change.cpa }),
  });

/** A kernel: what it differs in from another one, and all of what is its own. */
export const kernel = (
  of: Profile,
  change: Change & Pick<Profile, 'name' | 'about' | 'covers' | 'read' | 'recorded'>,
): Profile => variant(of, change);

export const v6_1: Profile = variant(base, {});
