/**
 * What differs between two traces of the same work: root calls are paired function by function in their order, their trees compared where both traces show
 * them, addresses renamed, choices left out. Both logs are read batch by batch; what has been compared is not held.
 */
import { fail, ok, type Result } from '../core/value/failure.js';
import {
  compareRoots,
  itemText,
  newPaired,
  type Difference,
  type Paired,
  type Projections,
} from './compare/differences.js';
import { rootsOf } from './compare/project.js';
import { projectionOf, shownIn, type Projection } from './compare/shown.js';
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
  /** What was not compared, in each trace. */
  readonly left_out: { readonly a: ReadCounts; readonly b: ReadCounts };
  /** Nothing differs, but events were lost or the model lost its way: what happened there is not known. */
  readonly unknown: boolean;
}

/** Root calls of one kind waiting for their counterpart; more than this are taken for missing in the other trace. */
const MOST_WAITING = 4096;

/** Who makes a call: a worker of the kernel, or a task of its own. */
const roleOf = (task: string): string =>
  /^(?:kworker|ksoftirqd|migration|rcu|kthread|swapper)/.test(task) ? 'kernel' : 'task';

interface Reading {
  readonly reader: TreeReader;
  readonly projection: Projection;
  readonly waiting: Map<string, RootCall[]>;
  held: number;
  ended: boolean;
}

const missing = (root: RootCall, only: 'a' | 'b'): Difference => {
  const here = { seq: root.call.seq, calls: [], what: itemText(root.call), before: [] };
  const there = { seq: 0, calls: [], what: null, before: [] };
  return {
    kind: 'call',
    name: root.call.fn,
    in: '',
    only,
    a: only === 'a' ? here : there,
    b: only === 'b' ? here : there,
  };
};

interface Tally {
  readonly kinds: Map<string, { -readonly [K in keyof DifferenceCount]: DifferenceCount[K] }>;
  first: Difference | null;
  differences: number;
  choices: number;
  follows: number;
  compared: number;
}

/** Place of a difference in trace a (of b, where a has nothing). */
const placeOf = ({ a, b }: Difference): number => (a.seq === 0 ? b.seq : a.seq);

const count = (tally: Tally, difference: Difference): void => {
  const { kind, name, only } = difference;
  const key = `${kind}|${name}|${difference.in}|${only ?? ''}`;
  const known = tally.kinds.get(key);
  if (known === undefined)
    tally.kinds.set(key, { kind, name, in: difference.in, only, count: 1, example: difference });
  else known.count++;
  tally.differences++;
  if (tally.first === null || placeOf(difference) < placeOf(tally.first)) tally.first = difference;
};

const add = (reading: Reading, roots: readonly RootCall[]): void => {
  for (const root of roots)
    for (const call of rootsOf(root.call, reading.projection)) {
      const key = `${call.fn} ${roleOf(root.task)}`;
      const list = reading.waiting.get(key) ?? [];
      list.push({ ...root, call });
      reading.waiting.set(key, list);
      reading.held++;
    }
};

/** Compares what both have, and takes for missing what waits in vain. */
const settle = (a: Reading, b: Reading, projections: Projections, paired: Paired, tally: Tally): void => {
  for (const [key, left] of a.waiting) {
    const right = b.waiting.get(key) ?? [];
    const pairs = Math.min(left.length, right.length);
    for (let i = 0; i < pairs; i++) {
      const { differences, choices, follows } = compareRoots(
        left[i] as RootCall,
        right[i] as RootCall,
        projections,
        paired,
      );
      for (const difference of differences) count(tally, difference);
      tally.choices += choices;
      tally.follows += follows;
      tally.compared++;
    }
    left.splice(0, pairs);
    right.splice(0, pairs);
    a.held -= pairs;
    b.held -= pairs;
  }
  for (const [reading, other, only] of [
    [a, b, 'a'],
    [b, a, 'b'],
  ] as const)
    for (const list of reading.waiting.values()) {
      const keep = other.ended ? 0 : MOST_WAITING;
      const given = list.splice(0, Math.max(0, list.length - keep));
      reading.held -= given.length;
      for (const root of given) count(tally, missing(root, only));
    }
};

const begin = (trace: TraceView, projection: Projection): Result<Reading> => {
  const reader = treeReader(trace);
  return reader.ok
    ? ok({ reader: reader.value, projection, waiting: new Map(), held: 0, ended: false })
    : reader;
};

/** One more batch. */
const advance = (reading: Reading): Result<void> => {
  const roots = reading.reader.read();
  if (!roots.ok) return roots;
  if (roots.value === null) reading.ended = true;
  else add(reading, roots.value);
  return ok(undefined);
};

/** Compares two traces. Failures: damage of a log; `same-trace` when both are one. */
export const compareTraces = (a: TraceView, b: TraceView): Result<TraceComparison> => {
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
  const projections: Projections = {
    a: projectionOf(shownA.value, shownB.value),
    b: projectionOf(shownB.value, shownA.value),
  };
  const left = begin(a, projections.a);
  if (!left.ok) return left;
  const right = begin(b, projections.b);
  if (!right.ok) return right;
  const paired = newPaired();
  const tally: Tally = { kinds: new Map(), first: null, differences: 0, choices: 0, follows: 0, compared: 0 };
  while (!left.value.ended || !right.value.ended) {
    // The one that holds less is behind.
    const behind =
      right.value.ended || (!left.value.ended && left.value.held <= right.value.held) ? left : right;
    const read = advance(behind.value);
    if (!read.ok) return read;
    settle(left.value, right.value, projections, paired, tally);
  }
  settle(left.value, right.value, projections, paired, tally);
  const left_out = { a: left.value.reader.counts, b: right.value.reader.counts };
  return ok({
    a: a.name,
    b: b.name,
    compared: tally.compared,
    first: tally.first,
    kinds: [...tally.kinds.values()].sort((x, y) => placeOf(x.example) - placeOf(y.example)),
    differences: tally.differences,
    choices: tally.choices,
    follows: tally.follows,
    left_out,
    unknown: [left_out.a, left_out.b].some(({ gaps, divergences }) => gaps + divergences > 0),
  });
};
