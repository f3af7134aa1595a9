/** The comparison of two whole traces: what it begins with and what comes out. */
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { TraceView } from '../log.js';
import type { Comparer } from './comparer.js';
import type { Difference } from './differences.js';
import { layoutAt, type Layout } from './layout.js';
import type { Learned } from './reader.js';
import type { ReadCounts } from './recorded.js';
import { branchPoint } from './branchPoint.js';
import { agrees, projectionOf } from './shown.js';
import type { DifferenceCount } from './tally.js';

export interface TraceComparison {
  readonly a: string;
  readonly b: string;
  /** Root calls that were paired. */
  readonly compared: number;
  /** The first difference, in the order of trace a. */
  readonly first: Difference | null;
  /** All of them, by kind, in the order in which the kinds first came. */
  readonly kinds: readonly DifferenceCount[];
  readonly differences: number;
  /** Choices that differed and were left out. */
  readonly choices: number;
  /** Values that differ because others do, counted apart. */
  readonly follows: number;
  /** Packs before the first event: where they are not filled alike, where chunks lie and which load makes a pack follows from that, and is left out. */
  readonly begins: { readonly a: Layout; readonly b: Layout };
  /** What was not compared, in each trace. */
  readonly left_out: { readonly a: ReadCounts; readonly b: ReadCounts };
  /** Events were lost, values were not recorded, or the model lost its way: what happened there is not known. */
  readonly unknown: boolean;
}

export interface CompareOptions {
  /** Lines around a difference; 5. */
  readonly context?: number;
  /** Called after each batch with the number of the last event read of each. */
  readonly progress?: (seqs: { readonly a: number; readonly b: number }) => void;
}

export const CONTEXT = 5;

/** What `unknown` means. */
export const UNKNOWN =
  'Events were lost, values were not recorded, or the model lost its way: what happened there is not known. There may be more, and what one trace lacks may have happened.';

/** After which event of each there is something to compare. */
export const startsOf = (a: TraceView, b: TraceView): { readonly a: number; readonly b: number } => ({
  a: branchPoint(a, b),
  b: branchPoint(b, a),
});

/** How the packs of two traces are filled before their first events. Fails with `same-trace` when both are one. */
export const beginsOf = (a: TraceView, b: TraceView): Result<TraceComparison['begins']> => {
  if (a === b)
    return fail(
      'same-trace',
      `both are trace ${a.name}`,
      undefined,
      'name two traces, or two moments of one',
    );
  const after = startsOf(a, b);
  const startA = after.a === 0 ? a.start() : a.at(after.a);
  if (!startA.ok) return startA;
  const startB = after.b === 0 ? b.start() : b.at(after.b);
  if (!startB.ok) return startB;
  return ok({ a: layoutAt(startA.value), b: layoutAt(startB.value) });
};

export const comparisonOf = (
  a: TraceView,
  b: TraceView,
  begins: TraceComparison['begins'],
  compared: Comparer,
): TraceComparison => {
  const found = compared.end();
  const { kinds, left_out } = found;
  return {
    a: a.name,
    b: b.name,
    compared: found.compared,
    first: kinds[0]?.example ?? null,
    kinds,
    differences: found.differences,
    choices: found.choices,
    follows: found.follows,
    begins,
    left_out,
    unknown: [left_out.a, left_out.b].some(({ gaps, divergences }) => gaps + divergences > 0),
  };
};

/**
 * Which calls are compared follows from what both whole traces show. It is guessed by their beginnings; once they have been read, this tells whether the
 * guess was right. Where it was not, they are compared once more.
 */
export const wasRight = ({ a, b }: { readonly a: Learned; readonly b: Learned }): boolean =>
  agrees(projectionOf(a.shown, b.shown), a.asked) && agrees(projectionOf(b.shown, a.shown), b.asked);
