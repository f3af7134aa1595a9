/** What a search has found, for people and machines: each counterexample as a workload file and the one command that runs it. */
import { join } from 'node:path';
import type { Counterexample } from '../../core/driver/explore/counterexample.js';
import { Fault } from '../../core/driver/emulate/faults.js';
import { RULES } from '../../core/audit/rules.js';
import type { Arch } from '../../core/arch/arch.js';
import { gradeOf, type Grade } from '../../core/profile/grade.js';
import type { Profile } from '../../core/profile/profile.js';
import type { Workload } from '../../core/workload/workload.js';

/** A counterexample of `pagetrail explore --json`. */
export interface Shown {
  readonly rule: string;
  readonly title: string;
  readonly severity: string;
  readonly pattern: string;
  /** Known failures that it fits. */
  readonly failures: readonly string[];
  readonly message: string;
  readonly operations: number;
  readonly faults: readonly string[];
  readonly choices: { readonly frames: string; readonly frees: string; readonly boot: string };
  /** Which CPU runs when; null: one after the other. */
  readonly schedule: string | null;
  /** Locks that the kernel was run without. */
  readonly without: readonly string[];
  readonly events: number;
  /** How sure it is that the real kernel does this. */
  readonly grade: Grade;
  readonly workload: Workload;
  /** Name of its file. */
  readonly file: string;
  /** Runs it again, once the file is written. */
  readonly command: string;
}

export interface Machinery {
  readonly profile: Profile;
  readonly arch: Arch;
  readonly seed: number;
  /** Options of the command line that chose the kernel, beside its name. */
  readonly kernelOptions: readonly string[];
  /** Where the files are written; null: nowhere. */
  readonly folder: string | null;
}

/** Most letters of a pattern in the name of a file; it ends with a whole word. */
const LONGEST = 48;

const slug = (text: string): string => {
  const whole = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return whole.length <= LONGEST ? whole : whole.slice(0, whole.lastIndexOf('-', LONGEST));
};

/** A word of a shell. */
const word = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

export const shown = (
  one: Counterexample,
  number: number,
  { profile, arch, seed, kernelOptions, folder }: Machinery,
): Shown => {
  const { finding, variant } = one;
  const rule = RULES.find(({ id }) => id === finding.rule);
  const faults = one.faults.map(Fault.toText);
  const name = `${String(number).padStart(2, '0')}-${finding.rule}-${slug(finding.pattern)}`;
  const file = `${name}.json`;
  const without = one.without ?? [];
  const command = [
    'pagetrail simulate',
    word(folder === null ? file : join(folder, file)),
    '--kernel',
    profile.name,
    '--arch',
    arch.name,
    ...kernelOptions,
    '--seed',
    String(seed),
    ...(one.schedule === undefined ? ['--frames', one.frames] : []),
    ...faults.flatMap((fault) => ['--fail', word(fault)]),
    ...(one.schedule === undefined ? [] : ['--schedule', word(one.schedule)]),
    ...without.flatMap((lock) => ['--without-lock', lock]),
  ].join(' ');
  return {
    rule: finding.rule,
    title: rule?.title ?? '',
    severity: rule?.severity ?? 'error',
    pattern: finding.pattern,
    failures: finding.failures,
    message: finding.message,
    operations: one.workload.operations.length,
    faults,
    choices: { frames: one.frames, frees: variant.frees, boot: variant.boot },
    schedule: one.schedule ?? null,
    without,
    events: one.events,
    grade: gradeOf(
      profile,
      arch.name,
      faults.length > 0 || one.schedule !== undefined ? 'failure' : 'normal',
    ),
    workload: { ...one.workload, name },
    file,
    command,
  };
};

/** What `pagetrail explore --json` prints. */
export interface ExploreReport {
  readonly workload: string;
  readonly kernel: string;
  readonly arch: string;
  readonly seed: number;
  /** What was tried: `faults` or `interleavings`. */
  readonly kind: 'faults' | 'interleavings';
  /** Combinations of choices. */
  readonly choices: number;
  readonly runs: number;
  /** Runs that came to a state that was known, and ended there. */
  readonly merged: number;
  /** Different states. */
  readonly states: number;
  /** Nothing within the bounds was left out. */
  readonly complete: boolean;
  /** Runs that were left to be made. */
  readonly left: number;
  readonly broken: readonly Shown[];
}
