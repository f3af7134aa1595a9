/** The comparison of two traces for people. */
import type { Difference, Side } from './compare/differences.js';
import type { DifferenceCount, TraceComparison } from './compareTraces.js';
import { plural } from './numbers.js';
import { countText } from './sections.js';

const sideLines = (trace: string, side: Side): readonly string[] => [
  `  ${trace}${side.seq === 0 ? '' : `, event ${side.seq}`}: ${side.what ?? 'nothing'}`,
  ...(side.calls.length === 0 ? [] : [`    in ${side.calls.join(' ← ')}`]),
  ...side.before.map((text) => `    after ${text}`),
];

const whoseText = (only: Difference['only'], a: string, b: string): string => {
  switch (only) {
    case 'a':
      return `only in ${a}`;
    case 'b':
      return `only in ${b}`;
    default:
      return 'in both, but not alike';
  }
};

const headText = (
  difference: Pick<Difference, 'kind' | 'name' | 'in' | 'only'>,
  a: string,
  b: string,
): string =>
  `${difference.kind}: ${difference.name}${difference.in === '' ? '' : ` in ${difference.in}`}, ${whoseText(difference.only, a, b)}`;

/** A difference with its context on both sides. */
export const differenceLines = (difference: Difference, a: string, b: string): readonly string[] => [
  headText(difference, a, b),
  ...sideLines(a, difference.a),
  ...sideLines(b, difference.b),
];

const kindLine = (kind: DifferenceCount, a: string, b: string): string =>
  `${countText(kind.count).padStart(6)} × ${headText(kind, a, b)}`;

const leftOut = (comparison: TraceComparison): readonly string[] => {
  const { a, b } = comparison.left_out;
  const parts = [
    [a.foreign + b.foreign, 'root call of others', 'root calls of others'],
    [a.gaps + b.gaps, 'place where events were lost', 'places where events were lost'],
    [a.divergences + b.divergences, 'divergence of the model', 'divergences of the model'],
  ] as const;
  const texts = parts.filter(([n]) => n > 0).map(([n, one, many]) => plural(n, one, many));
  return texts.length === 0 ? [] : [`Not compared: ${texts.join(', ')}.`];
};

/** A whole comparison. */
export const comparisonLines = (comparison: TraceComparison): readonly string[] => {
  const { a, b, first, kinds, differences, compared, choices, follows } = comparison;
  const head = `${plural(compared, 'root call')} compared; ${plural(choices, 'choice')} that differ left out`;
  if (first === null)
    return [
      `No differences between ${a} and ${b}: ${head}.`,
      ...leftOut(comparison),
      ...(comparison.unknown ? ['What happened there is not known.'] : []),
    ];
  return [
    `${plural(differences, 'difference')} between ${a} and ${b}: ${head}${follows === 0 ? '' : `; ${plural(follows, 'value')} that follow from them counted apart`}.`,
    '',
    'The first:',
    ...differenceLines(first, a, b),
    '',
    'By kind:',
    ...kinds.map((kind) => kindLine(kind, a, b)),
    ...leftOut(comparison),
  ];
};
