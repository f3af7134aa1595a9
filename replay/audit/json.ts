import { Address, pageText } from '../../core/value/address.js';
import type { Judged } from '../../core/audit/audit.js';
import type { AuditReport, ReportedFinding, ReportedPattern, ReportedRun } from './report.js';
import { beyondRecording } from './openVerdicts.js';
import { sentence } from './sentence.js';

const placeText = (start: Address | null): string | null => (start === null ? null : Address.toText(start));

const findingJson = ({ start, bytes, space, from, to, message, evidence, ...one }: ReportedFinding) => ({
  fingerprint: one.fingerprint,
  message,
  space,
  start: placeText(start),
  bytes,
  from,
  to,
  evidence,
  calls: one.around?.calls ?? [],
  task: one.around?.task ?? null,
  operation: one.around?.operation ?? null,
  programs: one.programs,
  failures: one.failures,
  accepted: one.accepted,
});

const patternJson = ({
  pattern,
  count,
  accepted,
  bytes,
  standing,
  failures,
  findings,
  counted,
}: ReportedPattern) => ({
  pattern,
  count,
  accepted,
  bytes,
  standing,
  failures,
  findings: findings.map(findingJson),
  counted_only: counted,
});

const ruleJson =
  ({ patterns, open }: AuditReport) =>
  ({ rule, verdict, why, reasons, checks, shown, unknown, unknownMore }: Judged) => ({
    id: rule.id,
    title: rule.title,
    severity: rule.severity,
    verdict: verdict ?? 'not-applicable',
    why,
    checks,
    shown,
    patterns: patterns.filter((pattern) => pattern.rule === rule.id).map(patternJson),
    holes: why.length - reasons.length,
    open: open
      .filter((one) => one.rule === rule.id)
      .map(({ because, beyond, accepted }) => ({ because, beyond, accepted })),
    unknown: unknown.map(({ page, pages, why: reason }) => ({
      start: page === null ? null : pageText(page),
      end: page === null ? null : pageText(page + pages),
      why: reason,
    })),
    unknown_more: unknownMore,
  });

const runJson = ({ page, pages, area, ...run }: ReportedRun) => ({
  start: pageText(page),
  end: pageText(page + pages),
  pages,
  prot: run.prot,
  area: area === null ? null : pageText(area),
  caller: run.caller === '' ? null : run.caller,
  allocated: { seq: run.allocated, calls: run.allocatedBy?.calls ?? [], operation: run.allocatedDuring },
  made_executable: { seq: run.made, calls: run.madeBy?.calls ?? [], operation: run.madeDuring },
  content: run.content,
  written: run.written.map(({ what, bytes, by, events }) => ({
    what,
    bytes,
    events,
    first: by?.seq ?? null,
    calls: by?.calls ?? [],
  })),
  programs: run.programs,
  unknown: run.unknown,
});

/** The report for programs: docs/audit.md. */
export const auditJson = (report: AuditReport) => {
  const { moment, subject, coverage, inventory } = report;
  const { functions: _, hits, ...rest } = coverage;
  return {
    trace: moment.trace,
    seq: moment.seq,
    kernel: subject.kernel,
    arch: subject.arch?.name ?? null,
    profile: subject.profile?.name ?? null,
    source: subject.source,
    root: report.root,
    coverage: {
      events: rest.events,
      functions: hits,
      probed: rest.probes,
      never_seen: rest.neverSeen,
      lost: rest.lost,
      gaps: rest.gaps,
      gaps_more: rest.gapsMore,
      missing: rest.missing,
      unmodelled: rest.unmodelled,
      skipped: rest.skipped,
      others: rest.others,
      disagreements: rest.disagreements,
      divergences: rest.divergences,
      unknown: rest.unknown,
      not_judged: beyondRecording(report.open),
    },
    rules: report.judged.map(ruleJson(report)),
    executable: {
      pages: inventory.pages,
      older: inventory.older,
      unknown: inventory.unknown,
      ranges: inventory.runs.map(runJson),
    },
    baseline: report.gone === null ? null : { gone: report.gone },
    sentence: sentence(report),
  };
};
