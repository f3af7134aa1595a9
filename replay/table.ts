import { width } from './style.js';

export type Align = 'left' | 'right';

/** A heading and where its cells stand. */
export type Column = readonly [heading: string, align?: Align];

const pad = (text: string, to: number, align: Align): string => {
  const room = ' '.repeat(Math.max(0, to - width(text)));
  return align === 'right' ? room + text : text + room;
};

/** Lines of a table: headings, then rows, columns two spaces apart, nothing at the end of a line. Without rows, none. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  dress: (heading: string) => string = (heading) => heading,
): readonly string[] {
  if (rows.length === 0) return [];
  const widths = columns.map(([heading], i) =>
    rows.reduce((most, row) => Math.max(most, width(row[i] ?? '')), width(heading)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.[1] ?? 'left'))
      .join('  ')
      .trimEnd();
  const headings = columns.every(([heading]) => heading === '')
    ? []
    : [dress(line(columns.map(([heading]) => heading)))];
  return [...headings, ...rows.map(line)];
}

/** `name  value` lines, names aligned. */
export const pairs = (
  list: readonly (readonly [name: string, value: string])[],
  dress: (name: string) => string = (name) => name,
): readonly string[] => {
  const widest = list.reduce((most, [name]) => Math.max(most, width(name)), 0);
  return list.map(([name, value]) => `${dress(name)}${' '.repeat(widest - width(name) + 2)}${value}`);
};
