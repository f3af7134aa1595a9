/** Why rules are unknown, one reason each, and which of these somebody has accepted. Holes in a trace are no such reasons: nobody can accept them. */
import type { Judged } from '../../core/audit/audit.js';
import type { AcceptedUnknown } from './baseline.js';
import type { OpenVerdict } from './report.js';

/** All reasons of the rules' own; a rule that is broken may have some too. */
export const openVerdicts = (judged: readonly Judged[]): readonly OpenVerdict[] =>
  judged.flatMap(({ rule, reasons }) =>
    reasons.map((because) => ({
      rule: rule.id,
      severity: rule.severity,
      because,
      beyond: because === rule.beyond,
      accepted: null,
    })),
  );

/** What one rule has to say to it: null where something of its verdict is unknown that nobody accepts, or nothing is unknown. */
export const acceptedBecause = (
  { rule, why, reasons }: Judged,
  open: readonly OpenVerdict[],
): string | null => {
  const own = open.filter((one) => one.rule === rule.id);
  if (own.length === 0 || why.length > reasons.length || own.some(({ accepted }) => accepted === null))
    return null;
  const whys = new Set(own.flatMap(({ accepted }) => accepted?.why || []));
  return whys.size === 0 ? 'no reason given' : [...whys].join('; ');
};

/** Rules of which no recording of such a kernel can show enough. */
export const beyondRecording = (open: readonly OpenVerdict[]): readonly string[] => [
  ...new Set(open.filter(({ beyond }) => beyond).map(({ rule }) => rule)),
];

/** Marks those that are accepted: by a baseline, by rule and reason, or by the rules that were named. */
export const acceptUnknown = (
  open: readonly OpenVerdict[],
  known: readonly AcceptedUnknown[],
  rules: readonly string[],
): readonly OpenVerdict[] =>
  open.map((one) => {
    const by = known.find(({ rule, because }) => rule === one.rule && because === one.because);
    if (by !== undefined) return { ...one, accepted: { why: by.why } };
    return rules.includes(one.rule) ? { ...one, accepted: { why: '' } } : one;
  });
