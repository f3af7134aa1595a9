/** What a kernel prints when it faults, as a value: read from text by traces/oops, explained by replay/postmortem. Raw numbers are bigints. */

export type OopsArch = 'x86_64' | 'arm64';
export type Access = 'read' | 'write' | 'execute';

/**
 * page-fault: the page table (or the TLB) refused an access. trap: a trap instruction was executed. invalid-instruction: something that is no
 * instruction was. general-protection: a bad address or a bad instruction, x86 does not say which. bug: the kernel's own check failed.
 */
export type FaultKind = 'page-fault' | 'trap' | 'invalid-instruction' | 'general-protection' | 'bug';

/** Levels of a page table, top first, under their names in the oops. */
export const LEVELS = ['pgd', 'p4d', 'pud', 'pmd', 'pte'] as const;
export type Level = (typeof LEVELS)[number];

/** One entry of the page-table line: `PTE 8000000009d33161`. */
export interface LevelEntry {
  readonly level: Level;
  /** Null where the kernel could not read it (`BAD`). */
  readonly raw: bigint | null;
}

/** A place in code: `sym+0x1f/0x60 [module]`, or a bare address. */
export interface CodePlace {
  readonly address: bigint | null;
  readonly symbol: string | null;
  /** Bytes from the symbol; 0 without one. */
  readonly offset: number;
  /** Of the symbol in bytes; null where it is not printed. */
  readonly size: number | null;
  readonly module: string | null;
}

/** An entry of the call trace. A `?` marks what merely lay on the stack. */
export interface TraceEntry extends CodePlace {
  readonly reliable: boolean;
}

/** How virtual addresses are translated: `4k pages, 48-bit VAs`. */
export interface Granule {
  /** log2 of the page size. */
  readonly shift: number;
  readonly addressBits: number;
}

export interface Oops {
  readonly arch: OopsArch;
  readonly kind: FaultKind;
  /** Line of the text it begins on, from 1. */
  readonly line: number;
  /** Console time in nanoseconds; null where the lines carry none. */
  readonly time: bigint | null;
  /** Its first line, without prefix. */
  readonly headline: string;
  /** The address that could not be accessed (CR2, FAR); of a trap the instruction; null where it is not known. */
  readonly address: bigint | null;
  readonly access: Access | null;
  /** The page was there, its permission was not; null where that is not known. */
  readonly present: boolean | null;
  /** x86 error code, arm64 ESR; null where it is not printed. */
  readonly code: bigint | null;
  /** The hardware's reason in words. */
  readonly reason: string | null;
  /** The page-table line, top level first; empty: not printed. */
  readonly entries: readonly LevelEntry[];
  readonly granule: Granule;
  /** Where the CPU was. */
  readonly pc: CodePlace | null;
  /** arm64: where it would return to. */
  readonly lr: CodePlace | null;
  readonly registers: Readonly<Record<string, bigint>>;
  readonly trace: readonly TraceEntry[];
  readonly modules: readonly string[];
  /** The `Code:` line. */
  readonly code_bytes: string | null;
  readonly cpu: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  /** `6.1.0-50-cloud-amd64`. */
  readonly release: string | null;
  readonly tainted: string | null;
  /** The lines it was read from, as they stand in the text. */
  readonly raw: readonly string[];
}

/** One entry taken apart. */
export interface DecodedEntry {
  readonly level: Level;
  readonly raw: bigint | null;
  /** Null: could not be read. */
  readonly present: boolean | null;
  /** It maps memory itself: the walk ends here. */
  readonly leaf: boolean;
  /** What this level allows. */
  readonly writable: boolean;
  readonly executable: boolean;
  /** Physical page (4 KiB units) it points to; null where there is none. */
  readonly pfn: number | null;
  /** Names of the bits that are set. */
  readonly flags: readonly string[];
}

/** What all levels together say of an address. */
export interface Translation {
  readonly levels: readonly DecodedEntry[];
  /** Null: the line ends before a leaf, or a level could not be read. */
  readonly present: boolean | null;
  readonly writable: boolean;
  readonly executable: boolean;
  /** x86 D bit of the leaf. */
  readonly dirty: boolean;
  /** log2 of the leaf size; null without a leaf. */
  readonly shift: number | null;
  /** Physical page of the address itself; null where it is not known. */
  readonly pfn: number | null;
}
