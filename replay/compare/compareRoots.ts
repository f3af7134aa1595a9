/** Compares two root calls of the same function: by what is known of their shapes, else tree by tree. */
import { aliasDifferences } from './alias.js';
import { Comparison } from './comparison.js';
import type { Scope } from './decisions.js';
import type { Comparing } from './held.js';
import { detach, type RootCall } from './roots.js';
import type { Outcome } from './trail.js';
import { treeOf } from './tree.js';

export interface RootComparison {
  /** Choices that differed. */
  readonly choices: number;
  /** Values that differ because others do, and steps that are there or not because a call failed. */
  readonly follows: number;
  /** A call failed in one of the two only. */
  readonly failed: boolean;
}

const newScope = ({ paired, pointers }: Comparing): Scope => {
  pointers.clear();
  return {
    names: { areas: paired.areas, programs: paired.programs, pointers },
    otherLengths: false,
    otherLayout: paired.otherLayout,
    choices: 0,
    reported: null,
    displaced: paired.displaced,
    follows: 0,
  };
};

/** Counts what is known to come out; false where a difference has to be told whole. */
const isCounted = (a: RootCall, b: RootCall, { reports }: Outcome, { again }: Comparing): boolean => {
  if (reports.length === 0) return true;
  return again(
    reports.map(({ pattern, i, j }) => ({
      pattern,
      a: i < 0 ? 0 : (a.slots[a.first + i] as number),
      b: j < 0 ? 0 : (b.slots[b.first + j] as number),
    })),
  );
};

export const compareRoots = (a: RootCall, b: RootCall, comparing: Comparing): RootComparison => {
  const { paired, recall } = comparing;
  const end = ({ choices, follows, failed, otherLengths }: Omit<Outcome, 'reports'>, hasHeld: boolean) => {
    if (otherLengths) paired.otherLayout = true;
    const isToldBySteps = !otherLengths && !failed && !hasHeld;
    const leaves = isToldBySteps ? aliasDifferences(a, b, comparing.report) : 0;
    return { choices: choices + leaves, follows, failed };
  };
  const known = recall.outcome(a, b, newScope(comparing));
  if (known !== null && isCounted(a, b, known, comparing)) return end(known, false);
  const scope = newScope(comparing);
  const trail = recall.trail(a, b, scope);
  const comparison = new Comparison(comparing, a, b, scope, trail);
  comparison.calls(treeOf(a), treeOf(b), [], []);
  const { failed, hasHeld } = comparison;
  trail.done(failed);
  if (hasHeld) {
    // What was put aside stays longer than its batch.
    detach(a);
    detach(b);
  }
  const { choices, follows, otherLengths } = scope;
  return end({ choices, follows, failed, otherLengths }, hasHeld);
};
