/** The audit of a trace of a log: one pass over its events, with all rules at once. */
import { basename } from 'node:path';
import { archNamed } from '../../core/arch/arches.js';
import { forcedPort, type Forced } from '../../core/arch/port.js';
import { auditor, type Audited } from '../../core/audit/audit.js';
import type { Finding, Pattern, Severity } from '../../core/audit/finding.js';
import type { Rule, Subject } from '../../core/audit/rule.js';
import { RULES } from '../../core/audit/rules.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { At, TraceView } from '../log.js';
import { missingLines } from '../missing.js';
import { acceptUnknown, openVerdicts } from './openVerdicts.js';
import { arounds, type Around } from './around.js';
import { withBaseline, type Baseline } from './baseline.js';
import { coverageReport } from './coverage.js';
import { fingerprintOf, restFingerprint } from './fingerprint.js';
import { probedFunction, probesOf } from './probes.js';
import type { AuditReport, ReportedFinding, ReportedPattern, ReportedRun } from './report.js';

export interface AuditOptions {
  /** Only events up to this moment; default: all. */
  readonly to?: At;
  /** Default: all rules of pagetrail. */
  readonly rules?: readonly Rule[];
  /** The log that the trace lies in, for outputs that name it; only the last part of its path is kept. */
  readonly file?: string;
  /** Findings that are accepted. */
  readonly baseline?: Baseline;
  /** Rules that may be unknown, for reasons of their own. */
  readonly acceptUnknown?: readonly string[];
  /** Told of the number of the last event seen, from time to time. */
  readonly progress?: (seq: number, events: number) => void;
}

const PHASE = 'phase: ';

/** How it is known that calls are missing: by the header of the recording, or by the counts of its probes. */
const missingOf = (trace: TraceView): string | null => {
  const missed = Object.keys(probesOf(trace)?.missed ?? {});
  return missingLines(trace) ?? (missed.length === 0 ? null : `probes missed calls of ${missed.join(', ')}`);
};

/** Functions that were probed, by the names that events have. */
const probedOf = (trace: TraceView): ReadonlySet<string> | null => {
  const probes = probesOf(trace);
  return probes === null ? null : new Set(probes.set.map(probedFunction));
};

const forcedOf = ({ info }: TraceView): Forced => ({
  pack: info.meta['pack'] === true,
  huge: info.meta['huge'] === true,
});

/** What the trace says of itself, for the rules. */
export const auditSubject = (trace: TraceView): Subject => {
  const named = trace.info.meta['profile'];
  const profile = typeof named === 'string' ? profileNamed(named) : null;
  const arch = archNamed(trace.arch ?? '');
  return {
    profile: profile === null || arch === null ? profile : forcedPort(profile, arch, forcedOf(trace)),
    arch,
    kernel: trace.kernel,
    source: trace.info.meta['source'] === 'emulation' ? 'emulation' : 'recording',
    missing: missingOf(trace),
    probed: probedOf(trace),
  };
};

/** How rules write a program in their sentences. */
const PROGRAM = /\bprogram:(\d+)\b/g;

const programsIn = ({ message, evidence }: Finding): readonly number[] => {
  const text = [message, ...evidence.map(({ shows }) => shows)].join(' ');
  return [...new Set(Array.from(text.matchAll(PROGRAM), ([, number]) => Number(number)))];
};

type NameOf = Audited['programName'];

const named = (text: string, nameOf: NameOf): string =>
  text.replace(PROGRAM, (all, number: string) => nameOf(Number(number)) ?? all);

/** The event that proves a finding. */
const proofOf = ({ evidence, from }: Finding): number => evidence[0]?.seq ?? from;

type AroundOf = (seq: number) => Result<Around | null>;

const reportFinding = (finding: Finding, aroundOf: AroundOf, nameOf: NameOf): Result<ReportedFinding> => {
  const around = aroundOf(proofOf(finding));
  if (!around.ok) return around;
  const programs = programsIn(finding).flatMap((number) => nameOf(number) ?? []);
  const calls = around.value?.calls ?? [];
  return ok({
    ...finding,
    message: named(finding.message, nameOf),
    evidence: finding.evidence.map((one) => ({ ...one, shows: named(one.shows, nameOf) })),
    fingerprint: fingerprintOf({ rule: finding.rule, pattern: finding.pattern, calls, programs }),
    programs,
    around: around.value,
    accepted: null,
  });
};

const reportPattern = (
  pattern: Pattern,
  severity: Severity,
  aroundOf: AroundOf,
  nameOf: NameOf,
): Result<ReportedPattern> => {
  const findings: ReportedFinding[] = [];
  for (const finding of pattern.findings) {
    const reported = reportFinding(finding, aroundOf, nameOf);
    if (!reported.ok) return reported;
    findings.push(reported.value);
  }
  return ok({
    ...pattern,
    severity,
    findings,
    counted: pattern.count - findings.length,
    restFingerprint: restFingerprint(pattern.rule, pattern.pattern),
    accepted: 0,
  });
};

const reportRuns = (audited: Audited, aroundOf: AroundOf): Result<readonly ReportedRun[]> => {
  const runs: ReportedRun[] = [];
  for (const run of audited.inventory.runs) {
    const allocated = aroundOf(run.allocated);
    if (!allocated.ok) return allocated;
    const made = aroundOf(run.made);
    if (!made.ok) return made;
    runs.push({
      ...run,
      programs: run.programs.map(({ number, bytes }) => ({
        number,
        name: audited.programName(number),
        bytes,
      })),
      allocatedDuring: allocated.value?.operation ?? null,
      madeDuring: made.value?.operation ?? null,
    });
  }
  return ok(runs);
};

export const auditTrace = (trace: TraceView, options: AuditOptions = {}): Result<AuditReport> => {
  const moment = trace.find(options.to ?? 'end');
  if (!moment.ok) return moment;
  const given = trace.given();
  if (!given.ok) return given;
  const { seq } = moment.value;
  const subject = auditSubject(trace);
  const audit = auditor(subject, given.value, options.rules ?? RULES, { events: seq });
  for (const batch of trace.batches({ from: 0, to: seq, kinds: audit.kinds })) {
    if (!batch.ok) return batch;
    audit.feed(batch.value);
    options.progress?.(batch.value.at(-1)?.seq ?? 0, seq);
  }
  // Also those that nobody had to see: numbers have no holes.
  const audited = { ...audit.finish(), events: seq };
  const aroundOf = arounds(trace);
  const patterns: ReportedPattern[] = [];
  for (const { rule, patterns: found } of audited.judged)
    for (const pattern of found) {
      const reported = reportPattern(pattern, rule.severity, aroundOf, audited.programName);
      if (!reported.ok) return reported;
      patterns.push(reported.value);
    }
  const runs = reportRuns(audited, aroundOf);
  if (!runs.ok) return runs;
  const landmarks = trace.landmarks(seq);
  if (!landmarks.ok) return landmarks;
  const { baseline } = options;
  const judgedBy = baseline === undefined ? { patterns, gone: null } : withBaseline(patterns, baseline);
  return ok({
    moment: moment.value,
    subject,
    root: trace.info.root,
    file: options.file === undefined ? null : basename(options.file),
    events: audited.events,
    lost: audited.lost,
    divergences: audited.divergences,
    coverage: coverageReport(trace, audited, subject.missing ?? null),
    judged: audited.judged,
    open: acceptUnknown(openVerdicts(audited.judged), baseline?.unknown ?? [], options.acceptUnknown ?? []),
    ...judgedBy,
    inventory: { ...audited.inventory, runs: runs.value },
    picture: audited.picture,
    phases: landmarks.value
      .filter((mark) => mark.seq <= seq && mark.text.startsWith(PHASE))
      .map((mark) => ({ seq: mark.seq, text: mark.text.slice(PHASE.length) })),
  });
};
