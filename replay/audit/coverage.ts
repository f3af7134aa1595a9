/** What a trace could show at all: the first thing that a reader of an audit must know. */
import type { Audited } from '../../core/audit/audit.js';
import type { Coverage, Hit } from '../../core/audit/coverage.js';
import { pageText } from '../../core/value/address.js';
import type { TraceView } from '../log.js';
import { probedFunction, probesOf, type Probes } from './probes.js';

export interface CoverageReport extends Coverage {
  readonly events: number;
  /** Kernel functions that were seen, the most frequent first. */
  readonly hits: readonly Hit[];
  /** Null: the recording does not say what was probed. */
  readonly probes: Probes | null;
  /** Probed and never seen in the part that was audited; null: not known what was probed. */
  readonly neverSeen: readonly string[] | null;
  readonly lost: number;
  readonly disagreements: number;
  /** Lines of calls that the model has no word for; null: the import did not say. Of the whole trace, whatever part was audited. */
  readonly unmodelled: number | null;
  /** Lines that were left out, by reason. Of the whole trace. */
  readonly skipped: Readonly<Record<string, number>>;
  /** How it is known that lines are missing somewhere; null: they are not, as far as the header says. */
  readonly missing: string | null;
  /** Pages of which nothing is known at the end, by why. */
  readonly unknown: readonly { readonly why: string; readonly pages: number; readonly first: string }[];
}

const unknownPages = ({ memory }: Audited): CoverageReport['unknown'] => {
  const by = new Map<string, { why: string; pages: number; first: string }>();
  for (const { page, pages, why } of memory.unknown) {
    const known = by.get(why);
    if (known === undefined) by.set(why, { why, pages, first: pageText(page) });
    else known.pages += pages;
  }
  return [...by.values()];
};

export const coverageReport = (
  trace: TraceView,
  audited: Audited,
  missing: string | null,
): CoverageReport => {
  const { coverage, events, lost, divergences } = audited;
  const summary = trace.info.summary;
  const calls = summary?.['calls'] as { readonly unmodelled?: unknown } | undefined;
  const skipped = summary?.['skipped'];
  const probes = probesOf(trace);
  const seen = new Set(coverage.functions.map(({ fn }) => fn));
  return {
    ...coverage,
    events,
    hits: coverage.functions.toSorted((a, b) => b.entered - a.entered || (a.fn < b.fn ? -1 : 1)),
    probes,
    neverSeen: probes === null ? null : probes.set.filter((symbol) => !seen.has(probedFunction(symbol))),
    lost,
    disagreements: divergences,
    unmodelled: typeof calls?.unmodelled === 'number' ? calls.unmodelled : null,
    skipped:
      typeof skipped === 'object' && skipped !== null ? (skipped as Readonly<Record<string, number>>) : {},
    missing,
    unknown: unknownPages(audited),
  };
};
