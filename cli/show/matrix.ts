import { grouped } from '../../replay/numbers.js';
import { MATRIX_ROWS, type MatrixCell, type MatrixRow } from '../../replay/matrix/matrix.js';
import type { Context } from '../console/context.js';
import { table, type Column } from '../console/table.js';
import { width } from '../console/style.js';

const WIDTH = 100;

const valueOf = (row: MatrixRow, cell: MatrixCell): number | string =>
  cell.figures === null ? '–' : row.of(cell.figures, cell);

const shown = (value: number | string): string => (typeof value === 'number' ? grouped(value) : value);

/** Cells that fit beside the names of the figures; one at least. */
const blocks = (
  cells: readonly MatrixCell[],
  wide: (cell: MatrixCell) => number,
  room: number,
): MatrixCell[][] => {
  const all: MatrixCell[][] = [];
  let left = 0;
  for (const cell of cells) {
    const need = wide(cell) + 2;
    if (all.length === 0 || need > left) {
      all.push([]);
      left = room;
    }
    (all.at(-1) as MatrixCell[]).push(cell);
    left -= need;
  }
  return all;
};

/** Figures as rows, kernels as columns, in blocks as wide as the terminal. */
export const matrixLines = (context: Context, cells: readonly MatrixCell[]): readonly string[] => {
  const ran = cells.filter(({ figures }) => figures !== null);
  const several = new Set(ran.map(({ arch }) => arch)).size > 1;
  const headOf = (cell: MatrixCell): string => (several ? `${cell.kernel} ${cell.arch}` : cell.kernel);
  const names = MATRIX_ROWS.map(({ name, unit }) => (unit === '' ? name : `${name}, ${unit}`));
  const first = Math.max(...names.map(width), 'how sure'.length);
  const wide = (cell: MatrixCell): number =>
    Math.max(
      width(headOf(cell)),
      width(cell.grade ?? ''),
      ...MATRIX_ROWS.map((row) => width(shown(valueOf(row, cell)))),
    );
  const lines: string[] = [];
  for (const block of blocks(ran, wide, (context.stdout.columns ?? WIDTH) - first)) {
    if (lines.length > 0) lines.push('');
    const columns: Column[] = [[''], ...block.map((cell): Column => [headOf(cell), 'right'])];
    lines.push(
      ...table(
        columns,
        [
          ['how sure', ...block.map(({ grade }) => grade ?? '')],
          ...MATRIX_ROWS.map((row, i) => [
            names[i] as string,
            ...block.map((cell) => shown(valueOf(row, cell))),
          ]),
        ],
        (heading) => context.style.bold(heading),
      ),
    );
  }
  const missing = cells.filter(({ figures }) => figures === null);
  if (missing.length > 0)
    lines.push(
      ...(lines.length === 0 ? [] : ['']),
      context.style.bold('not run'),
      ...table(
        [[''], ['']],
        missing.map((cell) => [`${cell.kernel} on ${cell.arch}`, cell.missing ?? '']),
      ),
    );
  return lines;
};

const quoted = (value: string): string => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** A row a kernel, a column a figure (RFC 4180). */
export const matrixCsv = (cells: readonly MatrixCell[]): readonly string[] => [
  [
    'kernel',
    'arch',
    'grade',
    ...MATRIX_ROWS.map(({ name, unit }) => (unit === '' ? name : `${name} (${unit})`)),
    'missing',
  ]
    .map(quoted)
    .join(','),
  ...cells.map((cell) =>
    [
      cell.kernel,
      cell.arch,
      cell.grade ?? '',
      ...MATRIX_ROWS.map((row) => (cell.figures === null ? '' : String(row.of(cell.figures, cell)))),
      cell.missing ?? '',
    ]
      .map(quoted)
      .join(','),
  ),
];
