/**
 * Which kernels a recording can come from, by what it does (function names, argument lists, constants), not by its version string alone:
 * distribution kernels carry backports.
 */
import type { Arch } from '../../arch/arch.js';
import { ARCHES } from '../../arch/arches.js';
import { portOf } from '../../arch/port.js';
import type { Profile } from '../../profile/profile.js';
import { PROFILES } from '../../profile/profiles.js';
import { covers, versionOf, type Version } from '../../profile/versions.js';
import { Word } from '../../value/words.js';
import { pageSizes } from './pageSizes.js';
import { recordedAddress, recordedNumber, recordedValue, type RecordedLine } from '../recorded.js';

/** Kernel half where code lives on x86-64: the last 2 GiB. */
const isCodeAddress = (word: { readonly hi: number; readonly lo: number } | null): boolean =>
  word !== null && word.hi === 0xffffffff && word.lo >= 0x80000000;

type Rule = (profile: Profile) => boolean;

/** Whether an address can only be that of code: false where an architecture has no range for it. */
type IsCode = (word: { readonly hi: number; readonly lo: number } | null) => boolean;

const NOT_TOLD: IsCode = () => false;

/** What one line says about the kernel; null: nothing. A rule keeps the profiles for which it is true. */
const ruleOf = (line: RecordedLine, arch: Arch): Rule | null => {
  const isCode = arch.name === 'x86_64' ? isCodeAddress : NOT_TOLD;
  const has = (name: string): boolean => line.signature.names.includes(name);
  if (line.isReturn) return null;
  switch (line.fn) {
    case 'bpf_jit_binary_alloc':
      return (p) => p.allocator === 'binary';
    case 'bpf_jit_binary_pack_alloc': {
      const classic = has('was_classic');
      return (p) => p.allocator === 'pack' && p.wasClassic === classic;
    }
    case 'bpf_prog_pack_alloc': {
      // The fill function became an argument with the fill of new packs.
      const fills = has('bpf_fill_ill_insns');
      return (p) => p.allocator === 'pack' && p.pack.fillNew === fills;
    }
    case 'bpf_jit_charge_modmem': {
      const unit = has('pages') ? 'pages' : 'bytes';
      return (p) => p.chargeUnit === unit;
    }
    case 'execmem_alloc':
      return (p) => p.execAlloc === 'execmem_alloc';
    case 'bpf_jit_alloc_exec':
      // Packs come from it since 6.6; before, they came from module_alloc.
      return (recordedNumber(line, 'size') ?? 0) >= 0x200000
        ? (p) => p.allocator === 'binary' || p.areaCall === 'bpf_jit_alloc_exec'
        : null;
    case 'module_alloc': {
      // The module_alloc_huge series has a function of its own for packs.
      const large = (recordedNumber(line, 'size') ?? 0) >= 0x200000;
      return (p) => p.execAlloc !== 'execmem_alloc' && !(large && p.asksHuge);
    }
    case 'set_memory_rox':
      return isCode(recordedValue(line, 'addr')) ? (p) => p.protect.includes('rox') : null;
    case 'text_poke_copy_locked':
      return (p) => p.pokeLocked;
    case 'collapse_large_pages':
      return (p) => p.cpa.collapse;
    case 'bpf_arch_poke_desc_update':
      return (p) => p.tailCall === 'bpf_arch_poke_desc_update';
    case 'smp_text_poke_single':
      return (p) => p.livePatch === 'smp_text_poke_single';
    case 'text_poke_bp':
      return (p) => p.livePatch === 'text_poke_bp';
    case 'bpf_jit_blind_constants': {
      // 7.1 moved it out of the JIT, into the verifier, whose environment it is given.
      const verifier = has('env');
      return (p) => p.blinds !== verifier;
    }
    case 'bpf_int_jit_compile': {
      const env = has('env');
      return (p) => p.blinds !== env;
    }
    case 'bpf_prog_pack_free': {
      const by = has('hdr') ? 'header' : 'pointer-size';
      return (p) => p.allocator === 'pack' && p.packFreeBy === by;
    }
    case 'bpf_arch_text_invalidate':
      return (p) => p.pack.invalidate;
    case 'bpf_jit_binary_pack_finalize': {
      const header = recordedValue(line, 'ro_header_size');
      const filled = header === null || header.lo === arch.trap >>> 0;
      const prog = has('prog');
      return (p) =>
        p.allocator === 'pack' &&
        p.finalizeTakesProg === prog &&
        (filled || !(p.pack.fillNew && p.pack.invalidate));
    }
    case '__text_poke': {
      // The callback argument came with text_poke_set.
      const callback = has('func');
      return (p) => (p.allocator === 'binary' ? !callback : p.pack.invalidate === callback);
    }
    case 'change_page_attr_set_clr': {
      if (!isCode(recordedValue(line, 'vaddr'))) return null;
      const collapse = ((recordedNumber(line, 'in_flag') ?? 0) & 0x10) !== 0;
      const rox =
        (recordedValue(line, 'mask_clr')?.hi ?? 0) !== 0 && (recordedValue(line, 'mask_clr')?.lo ?? 0) !== 0;
      return rox ? (p) => p.cpa.collapse === collapse : null;
    }
    case '__change_page_attr_set_clr': {
      const rule = has('primary') ? 'strip-nx' : 'not-nx-only';
      const clr = recordedValue(line, 'mask_clr')?.lo ?? 0;
      return (p) =>
        p.cpa.alias === rule &&
        (clr !== 0x42 || p.cpa.clearsDirty) &&
        (clr !== 0x2 || !p.cpa.clearsDirty) &&
        (clr !== 0x43 || p.cpa.invalidClearsDirty) &&
        (clr !== 0x3 || !p.cpa.invalidClearsDirty);
    }
    case '__vmalloc_node_range': {
      if (!isCode(recordedValue(line, 'start'))) return null;
      const flags = recordedNumber(line, 'vm_flags');
      if (flags === null) return null;
      return (p) =>
        (p.areaFlags | (p.asksHuge ? 0x400 : 0)) === flags || (p.asksHuge && p.areaFlags === flags);
    }
    case 'vmap_pages_range_noflush': {
      const at = recordedAddress(line, 'addr');
      const end = recordedAddress(line, 'end');
      const shift = recordedNumber(line, 'page_shift');
      if (at === null || end === null || end.page - at.page < 512 || !isCode(recordedValue(line, 'addr')))
        return null;
      return (p) => (p.hugeVmalloc === 'opt-out' || p.asksHuge) === (shift === 21);
    }
    case 'set_memory_nx':
      return isCode(recordedValue(line, 'addr')) && (recordedNumber(line, 'numpages') ?? 0) > 0
        ? (p) => p.pack.resetBeforeFree
        : null;
    default:
      return null;
  }
};

/** Functions that only one architecture has. */
const OWN_FUNCTIONS: Readonly<Record<string, string>> = {
  change_page_attr_set_clr: 'x86_64',
  __change_page_attr_set_clr: 'x86_64',
  cpa_flush: 'x86_64',
  text_poke_copy: 'x86_64',
  text_poke_set: 'x86_64',
  text_poke_bp: 'x86_64',
  smp_text_poke_single: 'x86_64',
  change_memory_common: 'arm64',
  aarch64_insn_copy: 'arm64',
  aarch64_insn_set: 'arm64',
  caches_clean_inval_pou: 'arm64',
  change_memory_attr: 'ppc64le',
  patch_instructions: 'ppc64le',
  patch_instruction: 'ppc64le',
  __set_memory: 's390x',
  s390_kernel_write: 's390x',
  patch_text_nosync: 'riscv64',
  patch_text_set_nosync: 'riscv64',
};

/** Architecture that a line belongs to, where it tells. */
const archOf = (line: RecordedLine): string | null => {
  const own = OWN_FUNCTIONS[line.fn];
  if (own !== undefined) return own;
  // Every architecture has a range of its own for JITed code.
  if (line.fn !== 'bpf_int_jit_compile' || !line.isReturn || (recordedNumber(line, 'jited_len') ?? 0) === 0)
    return null;
  const start = recordedValue(line, 'bpf_func');
  if (start === null) return null;
  return isCodeAddress(start) ? 'x86_64' : (ownerOf(Word.toAddress(start).page) ?? 'another architecture');
};

/** Architecture in whose range for code a page lies. */
const ownerOf = (page: number): string | undefined =>
  ARCHES.find((arch) =>
    PROFILES.some((profile) => {
      const [first, end] = arch.moduleRange(profile);
      return page >= first && page < end;
    }),
  )?.name;

/** A line that a kernel does not have so. */
export interface Contradiction {
  readonly line: number;
  readonly fn: string;
}

/** Narrows the set of kernels line by line. */
export interface Recogniser {
  readonly note: (line: RecordedLine) => void;
  /** Profiles that nothing seen so far excludes, oldest first; where every one is excluded, those that the fewest functions speak against. */
  readonly possible: () => readonly Profile[];
  /** Architecture of the first line that tells one; null: none does. */
  readonly arch: () => string | null;
  /** Size of a page as the lines tell it; null: they do not. */
  readonly pageSize: () => number | null;
  /** First line that excludes a profile (by name); null: none does. */
  readonly contradiction: (profile: string) => Contradiction | null;
}

export const recogniser = (of: Arch): Recogniser => {
  /** First line of each function that speaks against a profile. */
  const against = new Map<Profile, Map<string, Contradiction>>();
  let possible = PROFILES;
  let arch: string | null = null;
  const sizes = pageSizes();
  const speaksAgainst = (profile: Profile): number => against.get(profile)?.size ?? 0;
  return {
    arch: () => arch,
    pageSize: sizes.size,
    note: (line) => {
      arch ??= archOf(line);
      sizes.note(line);
      const rule = ruleOf(line, of);
      if (rule === null) return;
      let grew = false;
      for (const profile of PROFILES) {
        if (rule(portOf(profile, of))) continue;
        let lines = against.get(profile);
        if (lines === undefined) against.set(profile, (lines = new Map<string, Contradiction>()));
        if (lines.has(line.fn)) continue;
        lines.set(line.fn, { line: line.line, fn: line.fn });
        grew = true;
      }
      if (!grew) return;
      const fewest = Math.min(...PROFILES.map(speaksAgainst));
      possible = PROFILES.filter((profile) => speaksAgainst(profile) === fewest);
    },
    possible: () => possible,
    contradiction: (name) => {
      const profile = PROFILES.find((one) => one.name === name);
      return profile === undefined ? null : (against.get(profile)?.values().next().value ?? null);
    },
  };
};

/** Version in a release string. Its third number is a distribution's own where it is 0 (6.1.0-50-amd64 is some 6.1.y). */
const releaseVersion = (release: string): Version | null => {
  const text = /\d+\.\d+(?:\.\d+)?(?:-rc\d+)?/.exec(release)?.[0];
  return text === undefined ? null : versionOf(text);
};

/** Lexicographic. */
const compareParts = (a: readonly number[], b: readonly number[]): number =>
  a.map((part, i) => part - (b[i] as number)).find((difference) => difference !== 0) ?? 0;

/** Major and minor version as one number. */
const releaseNumber = ([major, minor]: Version): number => 1000 * major + minor;

/** The release nearest to this one that a profile covers; of a series, the one that it is based on. */
const nearestRelease = (profile: Profile, release: number): number => {
  const [from, to] = (profile.covers ?? [profile.name.split('-')[0], profile.name.split('-')[0]]).map(
    (text) => {
      const version = versionOf(text ?? '');
      return version === null ? release : releaseNumber(version);
    },
  ) as [number, number];
  return Math.min(Math.max(release, from), to);
};

const isRecorded = (profile: Profile): boolean => Object.keys(profile.recorded).length > 0;

/**
 * The best of several profiles (one at least), given the release that the kernel calls itself (empty: unknown): one that covers this very version, else the
 * same release, else the nearest older, else the newest. Of equals one that was recorded: recordings are of distribution kernels.
 */
export const chooseProfile = (possible: readonly Profile[], release: string): Profile => {
  const wanted = releaseVersion(release);
  const newest = possible.at(-1);
  if (newest === undefined) throw new RangeError('no profile to choose from');
  if (wanted === null) return possible.findLast(isRecorded) ?? newest;
  const [, , patch] = wanted;
  const wantedRelease = releaseNumber(wanted);
  const rc = /rc(\d+)/.exec(release)?.[1];
  const rank = (p: Profile): readonly number[] => {
    const distance = wantedRelease - nearestRelease(p, wantedRelease);
    return [
      patch > 0 && covers(p, wanted) ? 0 : 1,
      distance >= 0 ? distance : 1e6 - distance,
      rc !== undefined && p.name.includes(`rc${rc}`) ? 0 : 1,
      isRecorded(p) ? 0 : 1,
    ];
  };
  return possible.toSorted((a, b) => compareParts(rank(a), rank(b)))[0] ?? newest;
};
