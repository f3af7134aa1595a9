import { MOST_FINDINGS, type Finding, type Pattern } from './finding.js';

/** Findings of one rule, by pattern. */
export interface Findings {
  readonly add: (finding: Omit<Finding, 'rule'>) => void;
  /** In the order of their first finding. */
  readonly patterns: () => readonly Pattern[];
}

interface Group {
  count: number;
  bytes: number;
  standing: number;
  readonly findings: Finding[];
  readonly failures: Set<string>;
}

export const findingsOf = (rule: string): Findings => {
  const groups = new Map<string, Group>();
  return {
    add: (finding) => {
      let group = groups.get(finding.pattern);
      if (group === undefined) {
        group = { count: 0, bytes: 0, standing: 0, findings: [], failures: new Set() };
        groups.set(finding.pattern, group);
      }
      group.count++;
      group.bytes += finding.bytes;
      if (finding.to === null) group.standing++;
      for (const failure of finding.failures) group.failures.add(failure);
      if (group.findings.length < MOST_FINDINGS) group.findings.push({ rule, ...finding });
    },
    patterns: () => {
      const list: Pattern[] = [];
      for (const [pattern, { count, bytes, standing, findings, failures }] of groups)
        list.push({
          rule,
          pattern,
          count,
          bytes,
          standing,
          failures: [...failures].sort(),
          findings: findings.toSorted((a, b) => a.from - b.from),
        });
      return list.sort((a, b) => (a.findings[0]?.from ?? 0) - (b.findings[0]?.from ?? 0));
    },
  };
};
