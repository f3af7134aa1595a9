import { grouped } from './numbers.js';

/** What is shown to people: sections of rows. Whoever prints them may dress them; `sectionsText` does not. */
export interface Section {
  readonly title: string;
  readonly columns: readonly SectionColumn[];
  readonly rows: readonly (readonly string[])[];
}

export type SectionColumn = readonly [heading: string, align?: 'left' | 'right'];

const cells = (
  columns: readonly SectionColumn[],
  row: readonly string[],
  widths: readonly number[],
): string =>
  columns
    .map(([, align], i) => {
      const text = row[i] ?? '';
      return align === 'right' ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number);
    })
    .join('  ')
    .trimEnd();

/** Lines of one section: its title, its headings and its rows, columns two spaces apart. */
export const sectionLines = ({ title, columns, rows }: Section): readonly string[] => {
  if (rows.length === 0) return [title];
  const headings = columns.map(([heading]) => heading);
  const widths = headings.map((heading, i) =>
    rows.reduce((most, row) => Math.max(most, (row[i] ?? '').length), heading.length),
  );
  const body = rows.map((row) => `  ${cells(columns, row, widths)}`);
  return headings.every((heading) => heading === '')
    ? [title, ...body]
    : [title, `  ${cells(columns, headings, widths)}`, ...body];
};

/** Sections as plain text, an empty line between them. */
export const sectionsText = (sections: readonly Section[]): string =>
  sections.map((section) => sectionLines(section).join('\n')).join('\n\n') + '\n';

const UNITS = ['K', 'M', 'G', 'T'] as const;

/** A power of two as kernel people write it: `4K`, `2M`; `?` where it is not known. */
export const sizeText = (bytes: number | null): string => {
  if (bytes === null) return '?';
  let value = bytes;
  let unit = '';
  for (const next of UNITS) {
    if (value < 1024 || value % 1024 !== 0) break;
    value /= 1024;
    unit = next;
  }
  return `${value}${unit}`;
};

/** A count; `?` where it is not known. */
export const countText = (n: number | null): string => (n === null ? '?' : grouped(n));
