/** Lines of two traces side by side. */
import { width, type Style } from '../style.js';
import type { Row } from './differences.js';

const INDENT = '    ';
const GAP = 3;

/** A text in lines no longer than `room`, broken at spaces where there are any. */
const wrapped = (text: string, room: number): readonly string[] => {
  const lines: string[] = [];
  let rest = text;
  while (width(rest) > room) {
    const space = rest.lastIndexOf(' ', room);
    const end = space > room / 2 ? space : room;
    lines.push(rest.slice(0, end));
    rest = `  ${rest.slice(end).trimStart()}`;
  }
  return [...lines, rest];
};

const shortened = (text: string, room: number): string =>
  width(text) <= room ? text : `${text.slice(0, room - 1)}…`;

const MARKS = { same: ' ', a: '<', b: '>', both: '|' } as const;

const markOf = ({ a, b, same }: Row): keyof typeof MARKS =>
  same ? 'same' : b === null ? 'a' : a === null ? 'b' : 'both';

/** What is alike is shortened to one line; what differs is shown whole. `<` only the left, `>` only the right, `|` both, but not alike. */
export function sideBySide(style: Style, rows: readonly Row[], columns: number): readonly string[] {
  const room = Math.max(16, Math.floor((columns - INDENT.length - GAP) / 2));
  return rows.flatMap((row) => {
    const mark = markOf(row);
    const cell = (text: string | null): readonly string[] =>
      text === null ? [] : mark === 'same' ? [shortened(text, room)] : wrapped(text, room);
    const [left, right] = [cell(row.a), cell(row.b)];
    return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
      const [a, b] = [left[i] ?? '', right[i] ?? ''];
      const line = `${INDENT}${a}${' '.repeat(Math.max(0, room - width(a)))} ${MARKS[mark]} ${b}`.trimEnd();
      return mark === 'same'
        ? style.dim(line)
        : mark === 'a'
          ? style.bad(line)
          : mark === 'b'
            ? style.good(line)
            : style.odd(line);
    });
  });
}
