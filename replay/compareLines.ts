/** The comparison of two traces for people. */
import type { Difference, Side } from './compare/differences.js';
import { sideBySide } from './compare/sideBySide.js';
import { UNKNOWN } from './compare/whole.js';
import type { DifferenceCount, TraceComparison } from './compareTraces.js';
import { momentText } from './log.js';
import { grouped, plural } from './numbers.js';
import { Style } from './style.js';
import { pairs, table } from './table.js';

interface Names {
  readonly a: string;
  readonly b: string;
}

const sideText = ({ what }: Side): string => what ?? 'nothing';

const onlyText = (only: Difference['only'], names: Names): string =>
  only === null ? 'both, not alike' : `only ${names[only]}`;

/** One difference with its place in both traces: the calls around it, what came before it in the same call, and both sides. */
export function differenceLines(
  difference: Difference,
  names: Names,
  style: Style = Style.none,
): readonly string[] {
  const { kind, name, only, a, b } = difference;
  const longer = a.before.length >= b.before.length ? a : b;
  return [
    `${style.bold(`${kind}: ${name}`)} (${onlyText(only, names)})`,
    ...(longer.calls.length === 0 ? [] : [`  in ${longer.calls.join(' ← ')}`]),
    ...longer.before.map((text) => style.dim(`    ${text}`)),
    ...pairs([
      [`  - ${momentText({ trace: names.a, seq: a.seq })}`, sideText(a)],
      [`  + ${momentText({ trace: names.b, seq: b.seq })}`, sideText(b)],
    ]),
  ];
}

/** What the marks between both sides mean. */
const MARKS_HELP = '< only the left, > only the right, | not alike:';

/** Columns where nobody says how many there are. */
const COLUMNS = 80;
const WIDEST = 160;

const indented = (text: string, columns: number): readonly string[] => {
  const lines: string[] = [];
  let line = '';
  for (const part of text.split(' ← ')) {
    const next = line === '' ? part : `${line} ← ${part}`;
    if (next.length + 8 <= columns || line === '') line = next;
    else {
      lines.push(`${line} ←`);
      line = part;
    }
  }
  return [...lines, line];
};

const inCalls = ({ example: { a, b } }: DifferenceCount, columns: number): readonly string[] => {
  const { calls } = a.calls.length >= b.calls.length ? a : b;
  return calls.length === 0
    ? []
    : indented(calls.join(' ← '), columns).map((line, i) => `    ${i === 0 ? 'in ' : '   '}${line}`);
};

const at = ({ trace, seq }: { readonly trace: string; readonly seq: number }): string =>
  momentText({ trace, seq });

/** Where a difference is in both traces, and what was going on there. */
const whereLines = (names: Names, { a, b }: Difference): readonly string[] =>
  (
    [
      ['-', { trace: names.a, seq: a.seq }, a],
      ['+', { trace: names.b, seq: b.seq }, b],
    ] as const
  ).flatMap(([mark, place, { seq, during }]) =>
    seq === 0 ? [] : [`    ${mark} ${at(place)}${during === null ? '' : `  during ${during.text}`}`],
  );

const headText = (names: Names, { kind, name, only }: DifferenceCount): string =>
  `${kind}: ${name} (${onlyText(only, names)})`;

const timesText = (count: number): string => (count === 1 ? 'once' : `${grouped(count)} times`);

/** A pattern with its first case, side by side. */
const wholeLines = (
  style: Style,
  names: Names,
  found: DifferenceCount,
  columns: number,
): readonly string[] => [
  `${style.bold(headText(names, found))}, ${timesText(found.count)}`,
  ...inCalls(found, columns),
  ...whereLines(names, found.example),
  '',
  ...sideBySide(style, found.example.rows, columns),
];

const shortLines = (
  style: Style,
  names: Names,
  found: DifferenceCount,
  columns: number,
): readonly string[] => [
  `${style.bold(headText(names, found))}, ${timesText(found.count)}`,
  ...inCalls(found, columns),
  ...whereLines(names, found.example),
];

const statistics = (
  kinds: readonly DifferenceCount[],
  dress: (text: string) => string,
): readonly string[] => {
  const byKind = new Map<string, { patterns: number; times: number }>();
  for (const { kind, count } of kinds) {
    const sums = byKind.get(kind) ?? { patterns: 0, times: 0 };
    byKind.set(kind, { patterns: sums.patterns + 1, times: sums.times + count });
  }
  return table(
    [['kind'], ['differences', 'right'], ['times', 'right']],
    [...byKind].map(([kind, { patterns, times }]) => [kind, grouped(patterns), grouped(times)]),
    dress,
  );
};

const layoutLines = ({ begins: { a, b }, a: nameA, b: nameB }: TraceComparison): readonly string[] =>
  a.packs === b.packs && a.chunks_used === b.chunks_used
    ? []
    : [
        '',
        'They do not begin alike:',
        ...[[nameA, a] as const, [nameB, b] as const].map(
          ([name, { packs, chunks_used: used }]) =>
            `  ${name}: ${plural(packs, 'pack')}, ${plural(used, 'chunk')} of 64 bytes used`,
        ),
        'Where chunks lie follows from that and is left out.',
      ];

/** So many differences are told after the first. */
const MOST = 20;

/** How a comparison is told. */
export interface ComparisonLines {
  /** Every difference side by side. Else the first, and the others by their pattern. */
  readonly all?: boolean;
  /** Differences after the first, where not all are told; 20. */
  readonly most?: number;
  /** Columns of the screen; 80. */
  readonly columns?: number;
  /** Colours; none. */
  readonly style?: Style;
}

/** What differs between two traces: the first difference with its context side by side, the others by their pattern, then how many there are of each kind. */
export function comparisonLines(
  comparison: TraceComparison,
  { all = false, most = MOST, columns: room = COLUMNS, style = Style.none }: ComparisonLines = {},
): readonly string[] {
  const { a, b, compared, choices, follows, kinds, differences, unknown } = comparison;
  const columns = Math.min(WIDEST, room);
  const names = { a, b };
  const found =
    kinds.length === 0
      ? style.good('no differences')
      : style.bad(`${plural(kinds.length, 'difference')}, found ${timesText(differences)}`);
  const [first, ...rest] = kinds;
  const shown = rest.slice(0, all ? Infinity : most);
  const hidden = rest.length - shown.length;
  const lines = all ? wholeLines : shortLines;
  return [
    `${style.bold(`${a} and ${b}`)}: ${plural(compared, 'root call')} compared, ${found}; ${plural(choices, 'choice')} left out`,
    ...(first === undefined
      ? []
      : ['', `The first, ${MARKS_HELP}`, ...wholeLines(style, names, first, columns)]),
    ...(shown.length === 0 ? [] : ['', 'The others:']),
    ...shown.flatMap((one) => lines(style, names, one, columns)),
    ...(hidden > 0 ? [`… and ${grouped(hidden)} more (--all)`] : []),
    ...(first === undefined ? [] : ['', ...statistics(kinds, style.dim)]),
    ...(follows === 0
      ? []
      : [`${plural(follows, 'value or step', 'values or steps')} that follow from these are not counted.`]),
    ...layoutLines(comparison),
    ...(unknown ? ['', style.odd(UNKNOWN)] : []),
  ];
}
