import type { Args, Body, Kernel, KernelFunction } from '../kernel/request.js';
import type { Change, Profile } from '../profile/profile.js';
import type { Address } from '../value/address.js';
import type { Word } from '../value/words.js';

/** What a set_memory_* call asks for. */
export type SetMemoryAction = 'ro' | 'rw' | 'x' | 'nx' | 'rox' | 'np';

/** Range of a permission call: `numpages` counts pages of the architecture. */
export interface SetMemoryRange {
  readonly addr: Address;
  readonly numpages: number;
}

/** A frame's direct mapping: `page` is the address of the struct page; `pfn` names the frame (negative: not known yet). */
export interface DirectMapPage {
  readonly page: Address | undefined;
  readonly pfn: number;
}

/** Code that is written to where it runs; `what` tells image, code or instruction. */
export interface TextCopy {
  readonly dst: Address;
  readonly src: Address | undefined;
  readonly len: number;
  readonly what: string;
}

/**
 * What an architecture brings to the kernel functions: one file each. Data, and the bodies of those kernel functions that every architecture writes for
 * itself.
 */
export interface Arch {
  readonly name: string;
  /** Page size in bytes. */
  readonly pageSize: number;
  /** log2 of the leaf sizes, smallest first. */
  readonly leafShifts: readonly number[];
  /** log2 of the leaves of an untouched direct map in an emulation. */
  readonly directLeaf: number;
  /** Repeated 32-bit word of the JIT's fill, as memory holds it (little-endian). */
  readonly trap: number;
  /** Alignment of the code in its chunk, in bytes. */
  readonly codeAlignment: (profile: Pick<Profile, 'name'>) => number;
  /** The code of a function that calls others may have another length after its last pass. */
  readonly lastPassResizes: boolean;
  /** Pages that one __text_poke may touch; 0: any number. */
  readonly pokePages: number;
  /** Instruction fetches see stores at once; where they do not, code is flushed from the caches before it is used. */
  readonly coherentFetch: boolean;
  /** Where they do not: a copy flushes its whole range after the last piece, or `textCopy` and `textInvalidate` flush each piece themselves. */
  readonly copyFlush: 'whole' | 'piecewise';
  /** PAGE_KERNEL as vmalloc is asked for it: data, no execution. Undefined: it depends on the processor. */
  readonly protKernel: Word | undefined;
  /** Permission of a new executable area before anything else is done to it. */
  readonly areaProt: (profile: Profile) => number;
  /** Alignment in bytes that the area allocator asks for. */
  readonly areaAlign: number;
  /** Permission calls and frees show each frame that they touch: a page whose frame no line named is unknown. Elsewhere only its alias is. */
  readonly framesShown: boolean;
  /**
   * The areas have a range of their own, all of which the lab's dumps show; elsewhere these have only areas that look like code, and where an area lies
   * among those of everybody is a choice.
   */
  readonly ownRange: boolean;
  /** A read-only page has a read-only alias. */
  readonly mirrorsReadOnly: (profile: Profile) => boolean;
  /** Range of the areas that BPF images come from on a kernel: first page and the page after the last. */
  readonly moduleRange: (profile: Pick<Profile, 'name' | 'kaslrCompiledIn'>) => readonly [number, number];
  /** Range of module_alloc where BPF images come from another one; absent: the same. */
  readonly modulesOnly?: (profile: Pick<Profile, 'name'>) => readonly [number, number];
  /** The XDP dispatcher is made by this architecture's own code; else the weak function fails with -ENOTSUPP. */
  readonly dispatches: boolean;
  /** The code has tail calls that are patched when their array changes. */
  readonly patchesTailCalls: boolean;
  /** Where the direct map of an emulation begins (page number). */
  readonly directBase: number;
  /** Address of struct page 0 in an emulation, 32-bit halves; a struct page has 64 bytes. */
  readonly vmemmap: { readonly hi: number; readonly lo: number };
  /** What this architecture's port of a kernel does otherwise than x86-64's (`core/profile` is written for that). */
  readonly port: (profile: Profile) => Change;
  /** Why a kernel never ran on this architecture; null: it did. */
  readonly missing: (profile: Profile) => string | null;
  /** set_memory_*: 0 or a (negative) errno. */
  readonly setMemory: (k: Kernel, action: SetMemoryAction, range: SetMemoryRange) => Body<number>;
  /** set_memory_rox is the generic one: set_memory_ro, then set_memory_x. */
  readonly genericRox?: boolean;
  /**
   * set_direct_map_{invalid,default}_noflush: 0 or a (negative) errno. Null: the architecture has none, the generic stubs do nothing and return 0.
   */
  readonly setDirectMap:
    ((k: Kernel, action: 'invalid' | 'default', at: DirectMapPage) => Body<number>) | null;
  /** Whether a kernel has them; without this: where `setDirectMap` is not null. */
  readonly setsDirectMap?: (profile: Profile) => boolean;
  /** bpf_arch_text_copy: the destination, or a (negative) errno. */
  readonly textCopy: (k: Kernel, copy: TextCopy) => Body<Address | number>;
  /** bpf_arch_text_invalidate: 0 or a (negative) errno. */
  readonly textInvalidate: (
    k: Kernel,
    range: { readonly dst: Address; readonly len: number },
  ) => Body<number>;
  /** Kernel functions that only this architecture has and that a recording may show outside every call that is modelled. */
  readonly ownFunctions: readonly KernelFunction[];
  /** By what lines an audit knows the changes of permissions, those of the direct map and flushes: one of each list is enough, none is needed of an empty one. */
  readonly shownBy: {
    readonly permissions: readonly string[];
    readonly directMap: readonly string[];
    readonly flushes: readonly string[];
    /** Writes of text where it runs; default: __text_poke. */
    readonly pokes?: readonly string[];
  };
  /** What a recorder's probes print here otherwise than on x86-64 (the text form of `core/profile/signatures.ts`). */
  readonly signatures: (probes: Pick<Profile, 'name'>) => string;
}

/** A kernel function of any arguments, for tables of them. */
export const anyFunction = <A extends Args, R>(fn: KernelFunction<A, R>): KernelFunction =>
  fn as unknown as KernelFunction;

/** Whether a kernel changes the direct map of pages that are freed. */
export const setsDirectMap = (arch: Arch, profile: Profile): boolean =>
  arch.setDirectMap !== null && arch.setsDirectMap?.(profile) !== false;

/** Pages of 4 KiB in a page of the architecture. */
export const unitOf = ({ pageSize }: Pick<Arch, 'pageSize'>): number => pageSize / 4096;
