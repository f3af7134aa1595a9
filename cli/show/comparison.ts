import type { Difference, Side } from '../../replay/compare/differences.js';
import type { DifferenceCount, TraceComparison } from '../../replay/compareTraces.js';
import { momentText } from '../../replay/log.js';
import type { Context } from '../console/context.js';
import { grouped, plural } from '../../replay/numbers.js';
import { pairs, table } from '../console/table.js';

interface Names {
  readonly a: string;
  readonly b: string;
}

const sideText = ({ what }: Side): string => what ?? 'nothing';

const onlyText = (only: Difference['only'], names: Names): string =>
  only === null ? 'both, not alike' : `only ${names[only]}`;

/** One difference with its place in both traces: the calls around it, what came before it in the same call, and both sides. */
export function differenceLines(context: Context, names: Names, difference: Difference): readonly string[] {
  const { style } = context;
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

const kindRow = (
  names: Names,
  { kind, name, in: inside, only, count, example }: DifferenceCount,
): readonly string[] => {
  const side = only === 'b' ? { trace: names.b, seq: example.b.seq } : { trace: names.a, seq: example.a.seq };
  return [kind, name, inside, onlyText(only, names), grouped(count), momentText(side)];
};

const UNKNOWN =
  'Events were lost, or the model lost its way: what happened there is not known, so there may be more.';

/** What differs between two traces: the first difference with its context, then all by kind. */
export function comparisonLines(
  context: Context,
  comparison: TraceComparison,
  most: number,
): readonly string[] {
  const { style } = context;
  const { a, b, compared, differences, choices, first, kinds, unknown } = comparison;
  const names = { a, b };
  const found =
    differences === 0 ? style.good('no differences') : style.bad(plural(differences, 'difference'));
  const shown = kinds.slice(0, most);
  const rest = kinds.length - shown.length;
  return [
    `${style.bold(`${a} and ${b}`)}: ${plural(compared, 'root call')} compared, ${found}; ${plural(choices, 'choice')} left out`,
    ...(first === null ? [] : ['', 'The first:', ...differenceLines(context, names, first)]),
    ...(kinds.length === 0
      ? []
      : [
          '',
          ...table(
            [['kind'], ['what'], ['in'], ['in which'], ['times', 'right'], ['first']],
            shown.map((kind) => kindRow(names, kind)),
            style.dim,
          ),
        ]),
    ...(rest > 0 ? [`… and ${grouped(rest)} more kinds (--all)`] : []),
    ...(unknown ? ['', style.odd(UNKNOWN)] : []),
  ];
}
