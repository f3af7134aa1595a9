/**
 * What differs between two traces of the same work: root calls are paired function by function in their order, their trees compared where both traces show
 * them, addresses renamed, choices left out. Both logs are read batch by batch; what has been compared is not held.
 */
import { ok, type Result } from '../core/value/failure.js';
import { comparer } from './compare/comparer.js';
import { rootReader } from './compare/reader.js';
import { projectionOf, shownAtFirst } from './compare/shown.js';
import {
  beginsOf,
  comparisonOf,
  CONTEXT,
  startsOf,
  wasRight,
  type CompareOptions,
  type TraceComparison,
} from './compare/whole.js';
import type { TraceView } from './log.js';

export type { DifferenceCount } from './compare/tally.js';
export type { CompareOptions, TraceComparison };

/** Compares two traces. Failures: damage of a log; `same-trace` when both are one. */
export const compareTraces = (
  a: TraceView,
  b: TraceView,
  { context = CONTEXT, progress = () => {} }: CompareOptions = {},
): Result<TraceComparison> => {
  const begins = beginsOf(a, b);
  if (!begins.ok) return begins;
  const shownA = shownAtFirst(a);
  if (!shownA.ok) return shownA;
  const shownB = shownAtFirst(b);
  if (!shownB.ok) return shownB;
  let shown = { a: shownA.value, b: shownB.value };
  for (;;) {
    const readerA = rootReader(a, projectionOf(shown.a, shown.b));
    if (!readerA.ok) return readerA;
    const readerB = rootReader(b, projectionOf(shown.b, shown.a));
    if (!readerB.ok) return readerB;
    const readers = { a: readerA.value, b: readerB.value };
    const compared = comparer(begins.value, context, startsOf(a, b));
    for (let side = compared.next(); side !== null; side = compared.next()) {
      const batch = readers[side].read();
      if (!batch.ok) return batch;
      compared.take(side, batch.value);
      progress(compared.seqs());
    }
    const learned = { a: readers.a.learned(), b: readers.b.learned() };
    if (wasRight(learned)) return ok(comparisonOf(a, b, begins.value, compared));
    shown = { a: learned.a.shown, b: learned.b.shown };
  }
};
