/** Two traces of a log file compared as `compareTraces` does it; long ones are read by a thread each. */
import { availableParallelism } from 'node:os';
import { ok, type Result } from '../core/value/failure.js';
import { comparer } from './compare/comparer.js';
import type { Learned } from './compare/reader.js';
import { threadReader, type ThreadReader } from './compare/threads.js';
import {
  beginsOf,
  comparisonOf,
  startsOf,
  CONTEXT,
  wasRight,
  type CompareOptions,
  type TraceComparison,
} from './compare/whole.js';
import { compareTraces } from './compareTraces.js';
import type { TraceView } from './log.js';

export interface LongOptions extends CompareOptions {
  /** Events of both together from which on they are read by threads: it takes a tenth of a second to start those. */
  readonly threadsFrom?: number;
}

/** On one processor threads gain nothing. */
const THREADS_FROM = availableParallelism() > 1 ? 500_000 : Infinity;

const inThreads = async (
  a: TraceView,
  b: TraceView,
  readers: { readonly a: ThreadReader; readonly b: ThreadReader },
  { context = CONTEXT, progress = () => {} }: CompareOptions,
): Promise<Result<TraceComparison>> => {
  const begins = beginsOf(a, b);
  if (!begins.ok) return begins;
  const [shownA, shownB] = await Promise.all([readers.a.shown(), readers.b.shown()]);
  if (!shownA.ok) return shownA;
  if (!shownB.ok) return shownB;
  let shown = { a: shownA.value, b: shownB.value };
  for (;;) {
    readers.a.begin({ own: shown.a, other: shown.b });
    readers.b.begin({ own: shown.b, other: shown.a });
    const compared = comparer(begins.value, context, startsOf(a, b));
    const learned: { a: Learned | null; b: Learned | null } = { a: null, b: null };
    for (let side = compared.next(); side !== null; side = compared.next()) {
      // One after the other: which side is read next depends on what came before.
      const read = await readers[side].read();
      if (!read.ok) return read;
      if ('asked' in read.value) {
        learned[side] = read.value;
        compared.take(side, null);
      } else compared.take(side, read.value);
      progress(compared.seqs());
    }
    const { a: ofA, b: ofB } = learned as { readonly a: Learned; readonly b: Learned };
    if (wasRight({ a: ofA, b: ofB })) return ok(comparisonOf(a, b, begins.value, compared));
    shown = { a: ofA.shown, b: ofB.shown };
  }
};

/** Compares two traces of the log in `file`. Failures: those of compareTraces; `thread-ended` where a thread could not go on. */
export const compareLongTraces = async (
  file: string,
  a: TraceView,
  b: TraceView,
  { threadsFrom = THREADS_FROM, ...options }: LongOptions = {},
): Promise<Result<TraceComparison>> => {
  const events = a.info.events + b.info.events;
  if (a === b || events < threadsFrom) return compareTraces(a, b, options);
  const readers = { a: threadReader(file, a.name), b: threadReader(file, b.name) };
  try {
    return await inThreads(a, b, readers, options);
  } finally {
    await Promise.all([readers.a.end(), readers.b.end()]);
  }
};
