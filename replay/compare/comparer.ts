/** Compares two traces as their root calls come in, batch by batch; what has been compared is not held. */
import { shortRenaming } from './addresses.js';
import { compareRoots } from './compareRoots.js';
import type { Difference, Pattern } from './differences.js';
import { newPaired, reportAllHeld, type Comparing } from './held.js';
import { sameLayout, type Layout } from './layout.js';
import { pairing } from './pairing.js';
import type { Batch, ReadCounts } from './recorded.js';
import { detach, newShapes, rootsIn, type RootCall, type Roots } from './roots.js';
import { newTally, type DifferenceCount } from './tally.js';
import { duringOf, itemText } from './told.js';
import { newRecall, type Recall } from './trail.js';
import { treeOf } from './tree.js';

export type Side = 'a' | 'b';

/** What came out of two whole traces. */
export interface Compared {
  /** Root calls that were paired. */
  readonly compared: number;
  readonly kinds: readonly DifferenceCount[];
  readonly differences: number;
  readonly choices: number;
  readonly follows: number;
  readonly left_out: { readonly a: ReadCounts; readonly b: ReadCounts };
}

export interface Comparer {
  /** Takes the next batch of a trace; null: it is at its end. */
  readonly take: (side: Side, batch: Batch | null) => void;
  /** The trace that is to be read next; null: both are at their ends. */
  readonly next: () => Side | null;
  readonly seqs: () => { readonly a: number; readonly b: number };
  readonly end: () => Compared;
}

/** One of the two traces while it is compared. */
interface Reading {
  readonly roots: Roots;
  ended: boolean;
  counts: ReadCounts;
  seq: number;
  /** Root calls of the latest batches. */
  readonly young: (readonly RootCall[])[];
  /** Programs whose making failed in the other trace, or was there for a failure. */
  readonly lost: Set<number>;
  /** Markers and operations in which a call failed in one of the two only. */
  readonly failed: Set<number>;
}

/** Root calls that wait for longer than so many batches get numbers of their own. */
const YOUNG = 8;

const missing = (root: RootCall, only: 'a' | 'b', pattern: Pattern): Difference => {
  const here = {
    seq: root.seq,
    during: duringOf(root),
    calls: [],
    what: itemText(root, treeOf(root)),
    before: [],
  };
  const there = { seq: 0, during: null, calls: [], what: null, before: [] };
  const text = itemText(root, treeOf(root));
  return {
    ...pattern,
    a: only === 'a' ? here : there,
    b: only === 'b' ? here : there,
    rows: [{ a: only === 'a' ? text : null, b: only === 'b' ? text : null, same: false }],
  };
};

/** Whether a root call is there, or is about something, only because a call failed before. */
const followsFailure = (root: RootCall, { lost, failed }: Reading): boolean =>
  (root.isOwn && root.during !== null && failed.has(root.during.seq)) ||
  root.programs.some((program) => lost.has(program));

/** Keeps the latest batches in mind. */
const keep = ({ young }: Reading, roots: readonly RootCall[]): void => {
  young.push(roots);
  if (young.length <= YOUNG) return;
  for (const root of young.shift() ?? []) if (!root.isDone) detach(root);
};

export const comparer = (
  begins: { readonly a: Layout; readonly b: Layout },
  context: number,
  /** Root calls that began up to this event of each are left out. */
  after: { readonly a: number; readonly b: number } = { a: 0, b: 0 },
  recall: Recall = newRecall(),
): Comparer => {
  const shapes = newShapes();
  const reading = (): Reading => ({
    roots: rootsIn(shapes),
    ended: false,
    counts: { foreign: 0, gaps: 0, divergences: 0 },
    seq: 0,
    young: [],
    lost: new Set(),
    failed: new Set(),
  });
  const readings = { a: reading(), b: reading() };
  const { report, again, kinds, differences } = newTally();
  const comparing: Comparing = {
    paired: newPaired(!sameLayout(begins.a, begins.b)),
    report,
    again,
    recall,
    pointers: shortRenaming(),
    context,
  };
  const pairs = pairing();
  let choices = 0;
  let follows = 0;
  let compared = 0;
  const alone = (root: RootCall, only: Side): void => {
    root.isDone = true;
    if (followsFailure(root, readings[only])) {
      follows++;
      return;
    }
    const pattern: Pattern = { kind: 'call', name: root.fn, in: '', only };
    report(pattern, only === 'a' ? root.seq : 0, only === 'b' ? root.seq : 0, () =>
      missing(root, only, pattern),
    );
  };
  const both = (x: RootCall, y: RootCall): void => {
    x.isDone = true;
    y.isDone = true;
    const found = compareRoots(x, y, comparing);
    choices += found.choices;
    follows += found.follows;
    compared++;
    if (!found.failed) return;
    for (const [root, { lost, failed }] of [
      [x, readings.a],
      [y, readings.b],
    ] as const) {
      for (const program of root.programs) lost.add(program);
      if (root.during !== null && root.isOwn) failed.add(root.during.seq);
    }
  };
  return {
    take: (side, batch) => {
      const own = readings[side];
      if (batch === null) own.ended = true;
      else {
        const roots = own.roots.of(batch).filter(({ seq }) => seq > after[side]);
        for (const root of roots) pairs.add(side, root);
        own.counts = batch.counts;
        own.seq = batch.seq;
        keep(own, roots);
      }
      pairs.settle({ a: readings.a.ended, b: readings.b.ended }, both, alone);
    },
    next: () => {
      const { a, b } = readings;
      if (a.ended && b.ended) return null;
      // The one that holds less is behind.
      return b.ended || (!a.ended && pairs.held.a <= pairs.held.b) ? 'a' : 'b';
    },
    seqs: () => ({ a: readings.a.seq, b: readings.b.seq }),
    end: () => {
      reportAllHeld(comparing);
      return {
        compared,
        kinds: kinds(),
        differences: differences(),
        choices,
        follows,
        left_out: { a: readings.a.counts, b: readings.b.counts },
      };
    },
  };
};
