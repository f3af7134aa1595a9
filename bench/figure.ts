/** One measured figure beside what it is compared with, measured in the same run. */
export interface Figure {
  readonly name: string;
  /** Null: the part does not exist yet. */
  readonly value: number | null;
  readonly unit: string;
  /** In the same unit; null where there is nothing to compare with. */
  readonly baseline: number | null;
  readonly baselineName: string;
  /** How many times as good as the baseline. */
  readonly ratio: number | null;
  /** As design says it; empty: none. */
  readonly target: string;
  /** Null: no target, or not measured. */
  readonly reached: boolean | null;
}

/** What a figure must be. `ratio`: times the baseline, at least. */
export interface Target {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly ratio?: number;
}

export interface Measured {
  readonly name: string;
  readonly value: number | null;
  readonly unit: string;
  readonly baseline?: readonly [name: string, value: number];
  readonly target?: Target;
}

/** Times and sizes; the rest is so much a second. */
const LESS_IS_BETTER = /^(?:ms|MB|bytes\/event)$/;

const targetText = ({ atLeast, atMost, ratio }: Target, unit: string): string =>
  [
    ...(atLeast === undefined ? [] : [`≥ ${shown(atLeast)} ${unit}`]),
    ...(atMost === undefined ? [] : [`≤ ${shown(atMost)} ${unit}`]),
    ...(ratio === undefined ? [] : [`≥ ${ratio} × baseline`]),
  ].join(', ');

const meets = (value: number, ratio: number | null, target: Target): boolean =>
  value >= (target.atLeast ?? -Infinity) &&
  value <= (target.atMost ?? Infinity) &&
  (target.ratio === undefined || (ratio !== null && ratio >= target.ratio));

export const figure = ({ name, value, unit, baseline, target }: Measured): Figure => {
  const [baselineName, compared] = baseline ?? ['', null];
  const ratio =
    value === null || compared === null
      ? null
      : LESS_IS_BETTER.test(unit)
        ? compared / value
        : value / compared;
  return {
    name,
    value,
    unit,
    baseline: compared,
    baselineName,
    ratio,
    target: target === undefined ? '' : targetText(target, unit),
    reached: target === undefined || value === null ? null : meets(value, ratio, target),
  };
};

/** Three significant digits, more before the point. */
export const shown = (n: number): string => {
  if (n === 0 || Math.abs(n) >= 100) return Math.round(n).toLocaleString('en-US');
  return String(Number(n.toPrecision(3)));
};

const HEADS = ['figure', 'value', 'unit', 'ratio', 'baseline', '', 'target', 'reached'] as const;
const RIGHT: ReadonlySet<number> = new Set([1, 3, 4]);

const cellsOf = (f: Figure): readonly string[] => [
  f.name,
  f.value === null ? 'not yet' : shown(f.value),
  f.unit,
  f.ratio === null ? '' : `${f.ratio.toFixed(2)} ×`,
  f.baseline === null ? '' : shown(f.baseline),
  f.baselineName,
  f.target,
  f.reached === null ? '' : f.reached ? 'yes' : 'no',
];

/** The figures as aligned lines. */
export const table = (figures: readonly Figure[]): string => {
  const rows = [HEADS, ...figures.map(cellsOf)];
  const widths = HEADS.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
