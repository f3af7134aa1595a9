/**
 * What differs between two traces of the same work: root calls are paired function by function in their order, their trees compared where both traces show
 * them, addresses renamed, choices left out. Both logs are read batch by batch; what has been compared is not held.
 */
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  compareRoots,
  duringOf,
  itemText,
  newPaired,
  reportAllHeld,
  type Comparing,
  type Difference,
  type Pattern,
  type Report,
} from './compare/differences.js';
import { pairing } from './compare/pairing.js';
import { projectionOf, shownIn, type Projection } from './compare/shown.js';
import { layoutAt, sameLayout, type Layout } from './compare/layout.js';
import { treeReader, type ReadCounts, type RootCall, type TreeReader } from './compare/tree.js';
import type { TraceView } from './log.js';

/** Differences of one kind. */
export interface DifferenceCount {
  readonly kind: Difference['kind'];
  readonly name: string;
  /** The call it is in. */
  readonly in: string;
  readonly only: Difference['only'];
  readonly count: number;
  /** The first of them. */
  readonly example: Difference;
}

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

interface Reading {
  readonly reader: TreeReader;
  ended: boolean;
  /** Programs whose making failed in the other trace, or was there for a failure. */
  readonly lost: Set<number>;
  /** Markers and operations in which a call failed in one of the two only. */
  readonly failed: Set<number>;
}

const missing = (root: RootCall, only: 'a' | 'b', pattern: Pattern): Difference => {
  const here = {
    seq: root.call.seq,
    during: duringOf(root),
    calls: [],
    what: itemText(root.call),
    before: [],
  };
  const there = { seq: 0, during: null, calls: [], what: null, before: [] };
  const text = itemText(root.call);
  return {
    ...pattern,
    a: only === 'a' ? here : there,
    b: only === 'b' ? here : there,
    rows: [{ a: only === 'a' ? text : null, b: only === 'b' ? text : null, same: false }],
  };
};

interface Tally {
  readonly kinds: Map<string, { -readonly [K in keyof DifferenceCount]: DifferenceCount[K] }>;
  differences: number;
  choices: number;
  follows: number;
  compared: number;
}

/** Place of a difference in trace a (of b, where a has nothing). */
const placeOf = (a: number, b: number): number => (a === 0 ? b : a);

const exampleAt = ({ example: { a, b, only } }: DifferenceCount): number =>
  placeOf(only === 'b' ? 0 : a.seq, only === 'a' ? 0 : b.seq);

/** Counts by pattern; only the first of each is told whole. */
const counting =
  (tally: Tally): Report =>
  (pattern, a, b, whole) => {
    const { kind, name, only } = pattern;
    const key = `${kind}|${name}|${pattern.in}|${only ?? ''}`;
    const known = tally.kinds.get(key);
    tally.differences++;
    if (known === undefined)
      tally.kinds.set(key, { kind, name, in: pattern.in, only, count: 1, example: whole() });
    else {
      known.count++;
      if (placeOf(a, b) < exampleAt(known)) known.example = whole();
    }
  };

/** Whether a root call is there, or is about something, only because a call failed before. */
const followsFailure = (root: RootCall, { lost, failed }: Reading): boolean =>
  (root.isOwn && root.during !== null && failed.has(root.during.seq)) ||
  (root.programs.length > 0 && root.programs.some((program) => lost.has(program)));

const begin = (trace: TraceView, projection: Projection): Result<Reading> => {
  const reader = treeReader(trace, projection);
  return reader.ok ? ok({ reader: reader.value, ended: false, lost: new Set(), failed: new Set() }) : reader;
};

const CONTEXT = 5;

/** Compares two traces. Failures: damage of a log; `same-trace` when both are one. */
export const compareTraces = (
  a: TraceView,
  b: TraceView,
  { context = CONTEXT, progress = () => {} }: CompareOptions = {},
): Result<TraceComparison> => {
  if (a === b)
    return fail(
      'same-trace',
      `both are trace ${a.name}`,
      undefined,
      'name two traces, or two moments of one',
    );
  const shownA = shownIn(a);
  if (!shownA.ok) return shownA;
  const shownB = shownIn(b);
  if (!shownB.ok) return shownB;
  const projections = {
    a: projectionOf(shownA.value, shownB.value),
    b: projectionOf(shownB.value, shownA.value),
  };
  const startA = a.start();
  if (!startA.ok) return startA;
  const startB = b.start();
  if (!startB.ok) return startB;
  const begins = { a: layoutAt(startA.value), b: layoutAt(startB.value) };
  const left = begin(a, projections.a);
  if (!left.ok) return left;
  const right = begin(b, projections.b);
  if (!right.ok) return right;
  const readings = { a: left.value, b: right.value };
  const tally: Tally = { kinds: new Map(), differences: 0, choices: 0, follows: 0, compared: 0 };
  const report = counting(tally);
  const comparing: Comparing = {
    paired: newPaired(!sameLayout(begins.a, begins.b)),
    report,
    context,
  };
  const pairs = pairing();
  const alone = (root: RootCall, only: 'a' | 'b'): void => {
    if (followsFailure(root, readings[only])) {
      tally.follows++;
      return;
    }
    const pattern: Pattern = { kind: 'call', name: root.call.fn, in: '', only };
    report(pattern, only === 'a' ? root.call.seq : 0, only === 'b' ? root.call.seq : 0, () =>
      missing(root, only, pattern),
    );
  };
  const both = (x: RootCall, y: RootCall): void => {
    const { choices, follows, failed } = compareRoots(x, y, comparing);
    tally.choices += choices;
    tally.follows += follows;
    tally.compared++;
    if (!failed) return;
    for (const [root, { lost, failed: within }] of [
      [x, readings.a],
      [y, readings.b],
    ] as const) {
      for (const program of root.programs) lost.add(program);
      if (root.during !== null && root.isOwn) within.add(root.during.seq);
    }
  };
  while (!readings.a.ended || !readings.b.ended) {
    // The one that holds less is behind.
    const side = readings.b.ended || (!readings.a.ended && pairs.held.a <= pairs.held.b) ? 'a' : 'b';
    const roots = readings[side].reader.read();
    if (!roots.ok) return roots;
    if (roots.value === null) readings[side].ended = true;
    else for (const root of roots.value) pairs.add(side, root);
    pairs.settle({ a: readings.a.ended, b: readings.b.ended }, both, alone);
    progress({ a: readings.a.reader.seq(), b: readings.b.reader.seq() });
  }
  reportAllHeld(comparing);
  const left_out = { a: readings.a.reader.counts, b: readings.b.reader.counts };
  const kinds = [...tally.kinds.values()].sort((x, y) => exampleAt(x) - exampleAt(y));
  return ok({
    a: a.name,
    b: b.name,
    compared: tally.compared,
    first: kinds[0]?.example ?? null,
    kinds,
    differences: tally.differences,
    choices: tally.choices,
    follows: tally.follows,
    begins,
    left_out,
    unknown: [left_out.a, left_out.b].some(({ gaps, divergences }) => gaps + divergences > 0),
  });
};
