/** Findings that somebody has looked at and accepted. */
import type { OpenVerdict, ReportedPattern } from './report.js';

/** Accepted findings of one fingerprint. */
export interface Accepted {
  readonly rule: string;
  readonly pattern: string;
  readonly fingerprint: string;
  /** How many; one more is a new finding. */
  readonly count: number;
  /** Why they are accepted. */
  readonly why: string;
  /** What the fingerprint was made of, for the reader. */
  readonly calls: readonly string[];
  readonly programs: readonly string[];
}

/** A rule that may stay unknown for one reason. */
export interface AcceptedUnknown {
  readonly rule: string;
  /** The reason that the audit gives. */
  readonly because: string;
  /** Why it is accepted. */
  readonly why: string;
}

export interface Baseline {
  /** Version of the format. */
  readonly pagetrail_baseline: 1;
  readonly findings: readonly Accepted[];
  readonly unknown: readonly AcceptedUnknown[];
}

/** What a baseline accepts beyond what is there now. */
export interface Gone extends Accepted {
  /** How many of them were found. */
  readonly found: number;
}

/** How many findings there are of each fingerprint, the counted ones included. */
const countsOf = (patterns: readonly ReportedPattern[]): Map<string, Accepted> => {
  const counts = new Map<string, Accepted>();
  const add = (one: Omit<Accepted, 'why'>): void => {
    const known = counts.get(one.fingerprint);
    counts.set(one.fingerprint, { ...one, why: '', count: (known?.count ?? 0) + one.count });
  };
  for (const { rule, pattern, findings, counted, restFingerprint } of patterns) {
    for (const { fingerprint, around, programs } of findings)
      add({ rule, pattern, fingerprint, count: 1, calls: around?.calls ?? [], programs });
    if (counted > 0)
      add({ rule, pattern, fingerprint: restFingerprint, count: counted, calls: [], programs: [] });
  }
  return counts;
};

/**
 * All findings there are, as accepted, and what no recording can show; reasons that were given before are kept. Other unknown verdicts are not taken up
 * unasked: they may be gone in a better recording.
 */
export const baselineOf = (
  patterns: readonly ReportedPattern[],
  open: readonly OpenVerdict[],
  before: Baseline | null,
): Baseline => {
  const whys = new Map((before?.findings ?? []).map(({ fingerprint, why }) => [fingerprint, why]));
  return {
    pagetrail_baseline: 1,
    findings: Array.from(countsOf(patterns).values(), (one) => ({
      ...one,
      why: whys.get(one.fingerprint) ?? '',
    })),
    unknown: open
      .filter(({ beyond, accepted }) => beyond || accepted !== null)
      .map(({ rule, because, accepted }) => ({ rule, because, why: accepted?.why ?? '' })),
  };
};

/** The findings with those marked that a baseline accepts, and what it accepts that is not there (any more). */
export const withBaseline = (
  patterns: readonly ReportedPattern[],
  baseline: Baseline,
): { readonly patterns: readonly ReportedPattern[]; readonly gone: readonly Gone[] } => {
  const left = new Map<string, number>();
  const whys = new Map<string, string>();
  for (const { fingerprint, count, why } of baseline.findings) {
    left.set(fingerprint, (left.get(fingerprint) ?? 0) + count);
    if (why !== '') whys.set(fingerprint, why);
  }
  const take = (fingerprint: string, wanted: number): number => {
    const there = left.get(fingerprint) ?? 0;
    const taken = Math.min(there, wanted);
    left.set(fingerprint, there - taken);
    return taken;
  };
  const marked = patterns.map((one): ReportedPattern => {
    const findings = one.findings.map((finding) =>
      take(finding.fingerprint, 1) === 1
        ? { ...finding, accepted: { why: whys.get(finding.fingerprint) ?? '' } }
        : finding,
    );
    const counted = take(one.restFingerprint, one.counted);
    return {
      ...one,
      findings,
      accepted: findings.filter(({ accepted }) => accepted !== null).length + counted,
    };
  });
  const found = countsOf(patterns);
  const gone = baseline.findings
    .map((one): Gone => ({ ...one, found: Math.min(one.count, found.get(one.fingerprint)?.count ?? 0) }))
    .filter((one) => one.found < one.count);
  return { patterns: marked, gone };
};
