import type { ConformReport } from './conform.js';

/** equal: everything the recording tells; different: memory or model; unknown: nothing differs, but something that matters is not known. */
export type Verdict = 'equal' | 'different' | 'unknown';

/**
 * Differences and divergences that nothing explains are findings; executable pages or lost events that nobody knows of, and a recording that no known
 * kernel fits, leave the verdict open.
 */
export const verdictOf = (report: ConformReport): Verdict => {
  const {
    moments,
    divergences_unexplained: unexplained,
    lost,
    contradiction,
    order_only: orderOnly,
  } = report;
  if (unexplained > 0 || moments.some(({ differences_total: n }) => n > 0)) return 'different';
  const open = lost > 0 || orderOnly === true || contradiction !== null;
  return open || moments.some(({ executable_unknown: n }) => n > 0) ? 'unknown' : 'equal';
};
