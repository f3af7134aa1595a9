/** What an audit found, with everything that its outputs say: they only print it. */
import type { Judged } from '../../core/audit/audit.js';
import type { Finding, Severity } from '../../core/audit/finding.js';
import type { ExecutableRun, Inventory } from '../../core/audit/inventory.js';
import type { Picture } from '../../core/audit/picture.js';
import type { Subject } from '../../core/audit/rule.js';
import type { Moment } from '../log.js';
import type { Around } from './around.js';
import type { Gone } from './baseline.js';
import type { CoverageReport } from './coverage.js';

/** A finding with what was going on. */
export interface ReportedFinding extends Finding {
  /** Stays the same when the same work is recorded again (fingerprint.ts). */
  readonly fingerprint: string;
  /** Names of the programs that it is about. */
  readonly programs: readonly string[];
  /** Around the event that proves it; null: it is older than the trace. */
  readonly around: Around | null;
  /** A baseline accepts it, and why; null: it does not. */
  readonly accepted: { readonly why: string } | null;
}

/** A reason for which a rule is unknown. */
export interface OpenVerdict {
  readonly rule: string;
  readonly severity: Severity;
  readonly because: string;
  /** No recording of such a kernel can show it. */
  readonly beyond: boolean;
  /** Somebody accepts that it is unknown, and why; null: nobody does. */
  readonly accepted: { readonly why: string } | null;
}

export interface ReportedPattern {
  readonly rule: string;
  readonly severity: Severity;
  readonly pattern: string;
  readonly count: number;
  readonly bytes: number;
  readonly standing: number;
  readonly failures: readonly string[];
  /** The first ones. */
  readonly findings: readonly ReportedFinding[];
  /** Those beyond: only counted. */
  readonly counted: number;
  readonly restFingerprint: string;
  /** How many a baseline accepts. */
  readonly accepted: number;
}

/** A program by its number and the symbol it had. */
export interface NamedProgram {
  readonly number: number;
  readonly name: string | null;
  readonly bytes: number;
}

export interface ReportedRun extends Omit<ExecutableRun, 'programs'> {
  readonly programs: readonly NamedProgram[];
  /** What the workload said last when the area was given out, and when its pages became executable. */
  readonly allocatedDuring: string | null;
  readonly madeDuring: string | null;
}

export interface ReportedInventory extends Omit<Inventory, 'runs'> {
  readonly runs: readonly ReportedRun[];
}

export interface AuditReport {
  readonly moment: Moment;
  readonly subject: Subject;
  /** Root of the hash chain of the trace. */
  readonly root: string;
  /** Name of the file that the log lies in, without folders; null: not said. */
  readonly file: string | null;
  readonly events: number;
  readonly lost: number;
  readonly divergences: number;
  readonly coverage: CoverageReport;
  readonly judged: readonly Judged[];
  readonly open: readonly OpenVerdict[];
  readonly patterns: readonly ReportedPattern[];
  readonly inventory: ReportedInventory;
  readonly picture: Picture | null;
  /** What `phase: …` markers say, in order. */
  readonly phases: readonly { readonly seq: number; readonly text: string }[];
  /** With a baseline: what it accepts that was not found. Null: there is none. */
  readonly gone: readonly Gone[] | null;
}

const LEVELS: readonly Severity[] = ['note', 'warning', 'error'];

/** Whether a severity is at least another one. */
export const atLeast = (severity: Severity, least: Severity): boolean =>
  LEVELS.indexOf(severity) >= LEVELS.indexOf(least);

/** What an audit comes to: something new was found, nothing was but something that matters is unknown, or nothing at all. */
export type Outcome = 'findings' | 'unknown' | 'nothing';

/** Findings count from a severity on, those that a baseline accepts do not; nor do reasons for unknown verdicts. Holes in the trace always count. */
export const outcomeOf = ({ patterns, judged, open, coverage }: AuditReport, least: Severity): Outcome => {
  if (patterns.some(({ severity, count, accepted }) => count > accepted && atLeast(severity, least)))
    return 'findings';
  const holes = judged.some(
    ({ verdict, why, reasons, rule }) =>
      verdict !== null && why.length > reasons.length && atLeast(rule.severity, least),
  );
  const unknown = open.some(({ accepted, severity }) => accepted === null && atLeast(severity, least));
  return holes || unknown || coverage.lost > 0 || coverage.missing !== null ? 'unknown' : 'nothing';
};
