/** The audit of a trace of a log: one pass over its events, with all rules at once. */
import type { Finding } from '../core/audit/finding.js';
import { Address, pageText } from '../core/value/address.js';
import { x86_64 } from '../core/arch/x86_64.js';
import { auditor, type Audited } from '../core/audit/audit.js';
import { RULES } from '../core/audit/rules.js';
import type { Rule, Subject } from '../core/audit/rule.js';
import { profileNamed } from '../core/profile/profiles.js';
import { ok, type Result } from '../core/value/failure.js';
import type { At, Moment, TraceView } from './log.js';
import { missingLines } from './missing.js';

export interface AuditOptions {
  /** Only events up to this moment; default: all. */
  readonly to?: At;
  /** Default: all rules of pagetrail. */
  readonly rules?: readonly Rule[];
  /** Told of the number of the last event seen, from time to time. */
  readonly progress?: (seq: number, events: number) => void;
}

export interface AuditReport extends Audited {
  readonly subject: Subject;
  readonly moment: Moment;
}

const ARCHES = [x86_64];

/** What the trace says of itself, for the rules. */
export const subjectOf = (trace: TraceView): Subject => {
  const profile = trace.info.meta['profile'];
  return {
    profile: typeof profile === 'string' ? profileNamed(profile) : null,
    arch: ARCHES.find(({ name }) => name === trace.arch) ?? null,
    kernel: trace.kernel,
    source: trace.info.meta['source'] === 'emulation' ? 'emulation' : 'recording',
    missing: missingLines(trace),
  };
};

export const auditTrace = (trace: TraceView, options: AuditOptions = {}): Result<AuditReport> => {
  const moment = trace.find(options.to ?? 'end');
  if (!moment.ok) return moment;
  const given = trace.given();
  if (!given.ok) return given;
  const subject = subjectOf(trace);
  const audit = auditor(subject, given.value, options.rules ?? RULES);
  for (const batch of trace.batches({ from: 0, to: moment.value.seq })) {
    if (!batch.ok) return batch;
    audit.feed(batch.value);
    options.progress?.(batch.value.at(-1)?.seq ?? 0, moment.value.seq);
  }
  return ok({ ...audit.finish(), subject, moment: moment.value });
};

const placeJson = (start: Address | null): string | null => (start === null ? null : Address.toText(start));

const findingJson = ({ start, ...rest }: Finding) => ({ ...rest, start: placeJson(start) });

/** The report for programs. */
export const auditJson = ({
  subject,
  moment,
  judged,
  coverage,
  inventory,
  events,
  lost,
  divergences,
}: AuditReport) => ({
  trace: moment.trace,
  seq: moment.seq,
  kernel: subject.kernel,
  arch: subject.arch?.name ?? null,
  profile: subject.profile?.name ?? null,
  coverage: { events, lost, disagreements: divergences, ...coverage },
  rules: judged.map(({ rule, verdict, why, checks, shown, patterns, unknown, unknownMore }) => ({
    id: rule.id,
    title: rule.title,
    severity: rule.severity,
    verdict: verdict ?? 'not-applicable',
    why,
    checks,
    shown,
    patterns: patterns.map(({ findings, ...pattern }) => ({
      ...pattern,
      findings: findings.map(findingJson),
    })),
    unknown: unknown.map(({ page, pages, why: reason }) => ({
      start: page === null ? null : pageText(page),
      end: page === null ? null : pageText(page + pages),
      why: reason,
    })),
    unknown_more: unknownMore,
  })),
  executable: {
    pages: inventory.pages,
    older: inventory.older,
    unknown: inventory.unknown,
    ranges: inventory.runs.map(({ page, pages, area, ...run }) => ({
      start: pageText(page),
      end: pageText(page + pages),
      ...run,
      area: area === null ? null : pageText(area),
    })),
  },
});
