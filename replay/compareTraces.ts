/**
 * What differs between two traces of the same work: root calls are paired function by function in their order, their trees compared where both traces show
 * them, addresses renamed, choices left out. Both logs are read batch by batch; what has been compared is not held.
 */
import { fail, ok, type Result } from '../core/value/failure.js';
import { comparer, type Comparer } from './compare/comparer.js';
import type { Difference } from './compare/differences.js';
import { layoutAt, type Layout } from './compare/layout.js';
import { rootReader } from './compare/reader.js';
import type { ReadCounts } from './compare/recorded.js';
import { projectionOf, shownIn } from './compare/shown.js';
import type { DifferenceCount } from './compare/tally.js';
import type { TraceView } from './log.js';

export type { DifferenceCount };

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
  /** Nothing differs, but events were lost or the model lost its way: what happened there is not known. */
  readonly unknown: boolean;
}

export interface CompareOptions {
  /** Lines around a difference; 5. */
  readonly context?: number;
  /** Called after each batch with the number of the last event read of each. */
  readonly progress?: (seqs: { readonly a: number; readonly b: number }) => void;
}

const CONTEXT = 5;

/** How the packs of two traces are filled before their first events. Fails with `same-trace` when both are one. */
const beginsOf = (a: TraceView, b: TraceView): Result<TraceComparison['begins']> => {
  if (a === b)
    return fail(
      'same-trace',
      `both are trace ${a.name}`,
      undefined,
      'name two traces, or two moments of one',
    );
  const startA = a.start();
  if (!startA.ok) return startA;
  const startB = b.start();
  if (!startB.ok) return startB;
  return ok({ a: layoutAt(startA.value), b: layoutAt(startB.value) });
};

const comparisonOf = (
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

/** Compares two traces. Failures: damage of a log; `same-trace` when both are one. */
export const compareTraces = (
  a: TraceView,
  b: TraceView,
  { context = CONTEXT, progress = () => {} }: CompareOptions = {},
): Result<TraceComparison> => {
  const begins = beginsOf(a, b);
  if (!begins.ok) return begins;
  const shownA = shownIn(a);
  if (!shownA.ok) return shownA;
  const shownB = shownIn(b);
  if (!shownB.ok) return shownB;
  const readerA = rootReader(a, projectionOf(shownA.value, shownB.value));
  if (!readerA.ok) return readerA;
  const readerB = rootReader(b, projectionOf(shownB.value, shownA.value));
  if (!readerB.ok) return readerB;
  const readers = { a: readerA.value, b: readerB.value };
  const compared = comparer(begins.value, context);
  for (let side = compared.next(); side !== null; side = compared.next()) {
    const batch = readers[side].read();
    if (!batch.ok) return batch;
    compared.take(side, batch.value);
    progress(compared.seqs());
  }
  return ok(comparisonOf(a, b, begins.value, compared));
};
