/**
 * What kernel-model.md §3 and captures/FINDINGS.md say of each architecture's page tables, written down a second time. Only names, page sizes and the
 * range of areas are those of core/arch: they are declared, not computed.
 */
import type { Permission } from './naiveKernel.js';
import { rulesOf, type Rules } from './rules.js';

/** What a permission call does to the direct-map aliases of the pages. */
export type AliasRule =
  /** Nothing. */
  | 'none'
  /** W goes along, for all pages of the area, whatever part was asked for. */
  | 'area'
  /** W goes along, for the pages that were asked for. */
  | 'range'
  /** W and X go along. */
  | 'same';

export interface ArchRules {
  readonly arch: string;
  /** Page attributes are those of x86-64. */
  readonly x86: boolean;
  /** log2 of the page size. */
  readonly shift: number;
  /** First release whose JIT uses packs; null: never. */
  readonly packsFrom: number | null;
  readonly alias: (release: number) => AliasRule;
  /** Permission calls change something: some architectures have a stub that returns 0. */
  readonly changes: (release: number) => boolean;
  /** Permission calls purge what was freed lazily first. */
  readonly purges: boolean;
  /** set_direct_map_* exist: vfree resets the direct map. */
  readonly resets: (release: number) => boolean;
  /** The allocation itself passes VM_FLUSH_RESET_PERMS; elsewhere BPF sets it. */
  readonly flagged: boolean;
  /** A large leaf of the direct map that is met is changed as a whole, not split. */
  readonly wide: (release: number) => boolean;
  /** log2 of the leaves of an untouched direct map. */
  readonly directLeaf: number;
  /** A copy of text makes its pages writable, then read-only and executable, whatever they were. */
  readonly copiesProtect?: boolean;
  /** Areas are executable from the start. */
  readonly startsExecutable: boolean;
  /** Permission calls of a new area from 6.2 on: one, or the two that the generic set_memory_rox makes. */
  readonly rox: (release: number) => readonly Permission[];
}

const always = () => true;
const old: Omit<ArchRules, 'arch'> = {
  x86: false,
  shift: 12,
  packsFrom: null,
  alias: () => 'none',
  changes: always,
  purges: false,
  wide: () => false,
  resets: () => false,
  flagged: false,
  directLeaf: 21,
  startsExecutable: false,
  rox: () => ['rox'],
};

const arm64: Omit<ArchRules, 'arch'> = {
  ...old,
  packsFrom: 609,
  alias: (release) => (release >= 619 ? 'range' : 'area'),
  purges: true,
  resets: always,
  directLeaf: 12,
  // The generic set_memory_rox is two calls.
  rox: () => ['ro', 'x'],
};

/** The direct map is a window of the processor; set_memory_* came with 6.12 at the latest. */
const loongarch: Omit<ArchRules, 'arch'> = {
  ...old,
  packsFrom: 700,
  copiesProtect: true,
  changes: (release) => release >= 612,
  startsExecutable: true,
};

const stub: Omit<ArchRules, 'arch'> = {
  ...old,
  changes: () => false,
  flagged: true,
  startsExecutable: true,
  directLeaf: 12,
};

export const ARCH_RULES: readonly ArchRules[] = [
  { ...arm64, arch: 'arm64' },
  { ...arm64, arch: 'arm64-16k', shift: 14, directLeaf: 14 },
  { ...arm64, arch: 'arm64-64k', shift: 16, directLeaf: 16 },
  // Blocks of the linear map are split when a page of them changes (6.17+); before there is no such processor support.
  { ...arm64, arch: 'arm64-bbml2', directLeaf: 21 },
  { ...old, arch: 'ppc64le', flagged: true, packsFrom: 608 },
  { ...old, arch: 'ppc64le-64k', flagged: true, shift: 16, packsFrom: 608 },
  {
    ...old,
    arch: 'riscv64',
    packsFrom: 606,
    alias: (release) => (release >= 608 ? 'same' : 'none'),
    wide: (release) => release < 608,
    // The generic set_memory_rox.
    rox: () => ['ro', 'x'],
    resets: always,
  },
  {
    ...old,
    arch: 's390x',
    flagged: true,
    alias: (release) => (release >= 604 ? 'range' : 'none'),
    resets: (release) => release >= 604,
    directLeaf: 20,
  },
  { ...loongarch, arch: 'loongarch64', shift: 14, directLeaf: 25 },
  { ...loongarch, arch: 'loongarch64-4k', directLeaf: 21 },
  { ...loongarch, arch: 'loongarch64-64k', shift: 16, directLeaf: 29 },
  { ...old, arch: 'ppc64le-rwx', flagged: true, packsFrom: 608, startsExecutable: true },
  { ...old, arch: 'arm32', flagged: true, startsExecutable: true, directLeaf: 20 },
  { ...stub, arch: 'mips' },
  { ...stub, arch: 'parisc' },
  { ...stub, arch: 'sparc64', shift: 13, directLeaf: 23 },
  { ...old, arch: 'x86_32', x86: true },
];

export const archRulesOf = (arch: string): ArchRules | null =>
  ARCH_RULES.find((rules) => rules.arch === arch) ?? null;

const releaseOf = (kernel: string): number => {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  return Number(major) * 100 + Number(minor);
};

/** Rules of a kernel on another architecture than x86-64. */
export const portedRules = (kernel: string, own: ArchRules): Rules => {
  const rules = rulesOf(kernel);
  const release = releaseOf(kernel);
  const packs = own.packsFrom !== null && release >= own.packsFrom;
  return {
    ...rules,
    pack: packs ? rules.pack : 'none',
    trial: packs && rules.trial,
    fills: true,
    invalidates: packs && rules.invalidates,
    huge: 'never',
    takesBack: false,
    collapses: false,
    resets: true,
    moduleResets: own.flagged || (!own.x86 && release >= 610),
  };
};
export { releaseOf };
