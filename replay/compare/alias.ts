/** What the direct map got in two root calls. */
import type { Pattern, Report, Side } from './differences.js';
import type { DifferenceKind } from './facts.js';
import type { AliasSums } from './recorded.js';
import type { RootCall } from './roots.js';
import { duringOf } from './told.js';

const NONE: AliasSums = Object.freeze({
  pages: new Map<string, number>(),
  splits: [],
  small: 0,
  first: null,
});

const sums = (pages: ReadonlyMap<string, number>): string =>
  [...pages]
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([what, count]) => `${what}: ${count} pages`)
    .join('; ');

const rootSide = (root: RootCall, what: string, seq: number): Side => ({
  seq,
  during: duringOf(root),
  calls: [root.fn],
  what: what === '' ? null : what,
  before: [],
});

/** What the direct map got: pages by what was set and cleared, splits unless the leaves met were small already. Gives the number of choices that differ. */
export const aliasDifferences = (a: RootCall, b: RootCall, report: Report): number => {
  if (a.alias === null && b.alias === null) return 0;
  const aliasA = a.alias ?? NONE;
  const aliasB = b.alias ?? NONE;
  const found = (
    kind: DifferenceKind,
    only: Pattern['only'],
    texts: readonly [string, string],
    seqs: readonly [number, number],
  ): void => {
    const pattern: Pattern = { kind, name: 'direct map', in: a.fn, only };
    report(pattern, only === 'b' ? 0 : seqs[0], only === 'a' ? 0 : seqs[1], () => ({
      ...pattern,
      a: rootSide(a, texts[0], seqs[0]),
      b: rootSide(b, texts[1], seqs[1]),
      rows: [{ a: texts[0] || null, b: texts[1] || null, same: false }],
    }));
  };
  if (aliasA.pages.size > 0 || aliasB.pages.size > 0) {
    const [x, y] = [sums(aliasA.pages), sums(aliasB.pages)];
    if (x !== y) found('permission', null, [x, y], [aliasA.first ?? a.last, aliasB.first ?? b.last]);
  }
  const [m, n] = [aliasA.splits.length, aliasB.splits.length];
  const excused = m < n ? aliasA.small > 0 : aliasB.small > 0;
  if (m === n || excused) return 0;
  // In how many large leaves the frames lie is a choice.
  if (m > 0 && n > 0) return 1;
  found(
    'split',
    m === 0 ? 'b' : 'a',
    [m === 0 ? '' : `${m} large leaves split`, n === 0 ? '' : `${n} large leaves split`],
    [aliasA.splits[0] ?? aliasA.first ?? a.last, aliasB.splits[0] ?? aliasB.first ?? b.last],
  );
  return 0;
};
