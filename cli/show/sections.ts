import type { Section } from '../../replay/sections.js';
import type { Context } from '../console/context.js';
import { grouped } from '../../replay/numbers.js';
import { table } from '../console/table.js';

const PROT = /^[r?-][w?-][x?-]$/;

/** Permissions catch the eye: writable and executable at once is what nobody wants, `?` what nobody knows. */
const dressed = (context: Context, cell: string): string => {
  if (!PROT.test(cell)) return cell;
  if (cell.endsWith('wx')) return context.style.bad(cell);
  return cell.includes('?') ? context.style.odd(cell) : cell;
};

/** Lines of sections, an empty line between them. Of each at most `most` rows; the others are counted. */
export const sectionLines = (
  context: Context,
  sections: readonly Section[],
  most: number,
): readonly string[] =>
  sections.flatMap(({ title, columns, rows }, i) => {
    const shown = rows.slice(0, most).map((row) => row.map((cell) => dressed(context, cell)));
    const rest = rows.length - shown.length;
    return [
      ...(i === 0 ? [] : ['']),
      context.style.bold(title),
      ...table(columns, shown, context.style.dim).map((line) => `  ${line}`),
      ...(rest > 0 ? [`  … and ${grouped(rest)} more (--all)`] : []),
    ];
  });
