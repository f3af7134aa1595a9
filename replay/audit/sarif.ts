/** SARIF 2.1.0 (OASIS): what CI and code scanning read. */
import type { Judged } from '../../core/audit/audit.js';
import type { Severity } from '../../core/audit/finding.js';
import type { Rule } from '../../core/audit/rule.js';
import { Address, pageText } from '../../core/value/address.js';
import { momentText } from '../log.js';
import { plural } from '../numbers.js';
import { gapWarning } from './losses.js';
import { sarifLog } from '../sarif.js';
import type { AuditReport, ReportedFinding, ReportedPattern } from './report.js';
import { acceptedBecause } from './openVerdicts.js';
import { sentence } from './sentence.js';

export interface SarifOptions {
  /** Version of pagetrail. */
  readonly version: string;
  readonly exitCode: number;
}

const LEVELS: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', note: 'note' };

const ruleSarif = ({ id, title, severity, rationale, exceptions }: Rule) => {
  const help = [rationale, ...exceptions.map((one) => `Exception: ${one}`)].filter((one) => one !== '');
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: rationale === '' ? title : rationale },
    help: { text: help.length === 0 ? title : help.join('\n') },
    defaultConfiguration: { level: LEVELS[severity] },
  };
};

/** The file of the log; where it is not known, the trace itself. */
const uriOf = ({ file, moment }: AuditReport): string => encodeURIComponent(file ?? moment.trace);

/** A trace is no source file: a place is an address in a moment of it. */
const locationOf = (report: AuditReport, finding: ReportedFinding | null) => ({
  physicalLocation: { artifactLocation: { uri: uriOf(report), index: 0 } },
  logicalLocations: [
    finding === null || finding.start === null
      ? { name: report.moment.trace, fullyQualifiedName: momentText(report.moment), kind: 'module' }
      : {
          name: Address.toText(finding.start),
          fullyQualifiedName: `${report.moment.trace}@${finding.from}/${finding.space ?? 'virtual'}/${Address.toText(finding.start)}`,
          kind: 'memory',
        },
  ],
});

const functionLocation = (fn: string) => ({
  location: { logicalLocations: [{ name: fn, kind: 'function' }] },
});

const stateOf = (report: AuditReport, accepted: { readonly why: string } | null) => ({
  ...(report.gone === null ? {} : { baselineState: accepted === null ? 'new' : 'unchanged' }),
  ...(accepted === null
    ? {}
    : {
        suppressions: [
          {
            kind: 'external',
            status: 'accepted',
            ...(accepted.why === '' ? {} : { justification: accepted.why }),
          },
        ],
      }),
});

const findingSarif = (
  report: AuditReport,
  pattern: ReportedPattern,
  ruleIndex: number,
  finding: ReportedFinding,
) => ({
  ruleId: finding.rule,
  ruleIndex,
  kind: 'fail',
  level: LEVELS[pattern.severity],
  message: { text: finding.message },
  locations: [locationOf(report, finding)],
  partialFingerprints: { 'pagetrailFinding/v1': finding.fingerprint },
  ...stateOf(report, finding.accepted),
  ...(finding.around === null || finding.around.calls.length === 0
    ? {}
    : {
        stacks: [
          {
            message: { text: `Calls around event ${finding.around.seq}, innermost first` },
            frames: finding.around.calls.map(functionLocation),
          },
        ],
      }),
  properties: {
    pattern: finding.pattern,
    space: finding.space,
    start: finding.start === null ? null : Address.toText(finding.start),
    bytes: finding.bytes,
    from: finding.from,
    to: finding.to,
    evidence: finding.evidence,
    operation: finding.around?.operation ?? null,
    programs: finding.programs,
    failures: finding.failures,
  },
});

const countedSarif = (report: AuditReport, pattern: ReportedPattern, ruleIndex: number) => {
  const accepted =
    pattern.findings.filter((one) => one.accepted !== null).length + pattern.counted <= pattern.accepted;
  return {
    ruleId: pattern.rule,
    ruleIndex,
    kind: 'fail',
    level: LEVELS[pattern.severity],
    message: { text: `${pattern.pattern}: ${plural(pattern.counted, 'more finding')}, only counted` },
    locations: [locationOf(report, null)],
    occurrenceCount: pattern.counted,
    partialFingerprints: { 'pagetrailFinding/v1': pattern.restFingerprint },
    ...stateOf(report, accepted ? { why: '' } : null),
    properties: { pattern: pattern.pattern },
  };
};

const patternSarif = (
  report: AuditReport,
  pattern: ReportedPattern,
  ruleIndex: number,
): readonly object[] => {
  const results: object[] = pattern.findings.map((finding) =>
    findingSarif(report, pattern, ruleIndex, finding),
  );
  if (pattern.counted > 0) results.push(countedSarif(report, pattern, ruleIndex));
  return results;
};

/** Rules without a finding say so too: holds, unknown, does not apply. */
const VERDICTS = { holds: 'pass', unknown: 'open' } as const;

const verdictSarif = (report: AuditReport, one: Judged, ruleIndex: number) => {
  const { rule, verdict, why, checks, shown, unknown, unknownMore } = one;
  const accepted = acceptedBecause(one, report.open);
  const kind = verdict === null ? 'notApplicable' : verdict === 'broken' ? 'open' : VERDICTS[verdict];
  const text = {
    pass: `Holds: ${rule.title}`,
    open: `Unknown: ${rule.title}`,
    notApplicable: `Does not apply: ${rule.title}`,
  }[kind];
  return {
    ruleId: rule.id,
    ruleIndex,
    kind,
    level: 'none',
    message: { text: why.length === 0 ? text : `${text} (${why.join('; ')})` },
    locations: [locationOf(report, null)],
    ...(accepted === null
      ? {}
      : { suppressions: [{ kind: 'external', status: 'accepted', justification: accepted }] }),
    properties: {
      checks,
      shown,
      why,
      unknown: unknown.map(({ page, pages, why: reason }) => ({
        start: page === null ? null : pageText(page),
        pages,
        why: reason,
      })),
      unknownMore,
    },
  };
};

const warningsOf = ({ coverage }: AuditReport) => {
  const texts = [
    ...(coverage.missing === null ? [] : [`Lines are missing somewhere: ${coverage.missing}`]),
    ...coverage.gaps.map(gapWarning),
    ...(coverage.disagreements === 0
      ? []
      : [`Model and recording disagree ${plural(coverage.disagreements, 'time')}`]),
    ...coverage.unknown.map(({ why, pages }) => `${plural(pages, 'page')} unknown: ${why}`),
  ];
  return texts;
};

/** The whole report as a SARIF log with one run. */
export const auditSarif = (report: AuditReport, { version, exitCode }: SarifOptions) => {
  const { judged, patterns, moment, subject } = report;
  const indexes = new Map(judged.map(({ rule }, i) => [rule.id, i]));
  return sarifLog({
    tool: { name: 'pagetrail', version, rules: judged.map(({ rule }) => ruleSarif(rule)) },
    exitCode,
    warnings: warningsOf(report),
    file: { uri: uriOf(report), about: `The log that holds trace ${moment.trace}` },
    results: [
      ...patterns.flatMap((pattern) => patternSarif(report, pattern, indexes.get(pattern.rule) ?? -1)),
      ...judged.flatMap((one, i) =>
        one.verdict === 'broken' && one.why.length === 0 ? [] : [verdictSarif(report, one, i)],
      ),
    ],
    properties: {
      trace: moment.trace,
      seq: moment.seq,
      kernel: subject.kernel,
      profile: subject.profile?.name ?? null,
      root: report.root,
      sentence: sentence(report),
    },
  });
};
