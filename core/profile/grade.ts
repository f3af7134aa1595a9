/** What a profile rests on, for each architecture: printed with whatever is said of a kernel, so that nobody quotes an inference as an observation. */
import type { Profile } from './profile.js';

/** Best first. */
export const GRADES = ['recorded', 'read in source', 'inferred', 'from memory'] as const;
export type Grade = (typeof GRADES)[number];

/** What kernel-model.md §3 rests on. An architecture that is missing here is from memory. */
const ARCHITECTURES: ReadonlyMap<string, Grade> = new Map([
  ['x86_64', 'read in source'],
  ['arm64', 'read in source'],
  ['ppc64le', 'read in source'],
  ['riscv64', 'read in source'],
  ['loongarch64', 'read in source'],
  ['s390x', 'inferred'],
  ['x86_32', 'inferred'],
]);

/** The less sure of two. */
export const worse = (a: Grade, b: Grade): Grade => (GRADES.indexOf(a) > GRADES.indexOf(b) ? a : b);

type Rests = Pick<Profile, 'read' | 'recorded'>;

/** Recordings of kernels without a BPF JIT say nothing of what the JIT does. */
const WITHOUT_JIT: ReadonlySet<string> = new Set(['s390x']);

/**
 * How sure what a profile does on an architecture is. A page size or a processor that was not recorded (`arm64-64k`) rests on what was read. `failure`: where a call failed; no recording has such a path, so it is never
 * better than read in source.
 */
export const gradeOf = (profile: Rests, arch: string, path: 'normal' | 'failure'): Grade => {
  const family = arch.split('-')[0] ?? arch;
  if (path === 'normal' && Object.hasOwn(profile.recorded, arch) && !WITHOUT_JIT.has(arch)) return 'recorded';
  const source: Grade = profile.read.length > 0 ? 'read in source' : 'inferred';
  return worse(source, ARCHITECTURES.get(family) ?? 'from memory');
};
