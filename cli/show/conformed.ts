import { ORDER_ONLY } from '../../core/event/trace.js';
import type { ConformReport } from '../../traces/conform/conform.js';
import type { Context } from '../console/context.js';
import { grouped, percent, plural } from '../../replay/numbers.js';
import { pairs, table } from '../console/table.js';
import { Exit } from '../program/exit.js';
import { callsText } from './calls.js';
import { contradictionText, some } from './imported.js';

type Moment = ConformReport['moments'][number];

/** `513` where all is equal, `512/513` where something is not; what is unknown follows. */
function cell(context: Context, checked: number, equal: number, unknown = 0): string {
  const all = checked === equal + unknown;
  const text = checked === equal ? grouped(checked) : `${grouped(equal)}/${grouped(checked)}`;
  const dressed = all ? text : context.style.bad(text);
  return unknown === 0 ? dressed : `${dressed} ${context.style.odd(`?${grouped(unknown)}`)}`;
}

const bytesCell = (context: Context, m: Moment): string => {
  const share = percent(m.bytes_equal, m.bytes_checked);
  return m.bytes_unknown === 0 ? share : `${share} ${context.style.odd(`?${grouped(m.bytes_unknown)}`)}`;
};

const row = (context: Context, m: Moment): readonly string[] => [
  m.moment,
  cell(context, m.pages_checked, m.pages_equal, m.pages_unknown),
  m.executable_unknown === 0 ? '0' : context.style.odd(grouped(m.executable_unknown)),
  cell(context, m.alias_checked, m.alias_equal, m.alias_unknown),
  cell(context, m.areas_checked, m.areas_equal, m.areas_unknown),
  cell(context, m.symbols_checked, m.symbols_equal, m.symbols_unknown),
  cell(context, m.splits_checked, m.splits_equal, m.splits_unknown),
  bytesCell(context, m),
  m.differences_total === 0 ? context.style.good('0') : context.style.bad(grouped(m.differences_total)),
];

const VERDICTS: Readonly<Record<Exit, string>> = {
  [Exit.nothing]: 'everything that the recording tells equals the real kernel',
  [Exit.findings]: 'the rebuilt memory or the model differs from the real kernel',
  [Exit.unknown]: 'nothing differs, but something that matters is unknown',
  [Exit.badUse]: '',
  [Exit.internal]: '',
};

/** What conform found, for people. */
export function conformLines(context: Context, report: ConformReport, exit: Exit): readonly string[] {
  const { style } = context;
  const differences = report.moments.flatMap(({ moment, differences: list }) =>
    list.map(({ what, at, state, dump }) => `${moment}: ${what} ${at}: rebuilt ${state}, real ${dump}`),
  );
  const divergences = report.divergences.map(
    ({ id, line, function: fn, model, recorded, explained }) =>
      `line ${line}: ${fn}: the model said ${model}, recorded is ${recorded} (${explained ?? id})`,
  );
  const verdict = exit === Exit.nothing ? style.good : exit === Exit.findings ? style.bad : style.odd;
  return [
    ...table(
      [
        ['moment'],
        ['pages', 'right'],
        ['exec ?', 'right'],
        ['aliases', 'right'],
        ['areas', 'right'],
        ['symbols', 'right'],
        ['splits', 'right'],
        ['bytes', 'right'],
        ['differ', 'right'],
      ],
      report.moments.map((moment) => row(context, moment)),
      style.dim,
    ),
    ...(differences.length === 0 ? [] : ['', ...some(differences, total(report.moments))]),
    '',
    ...pairs(
      [
        [
          'given',
          report.given === null ? 'no dump: the rebuilt memory began unknown' : `the dump ${report.given}`,
        ],
        ...(report.contradiction === null
          ? []
          : [['does not fit', style.bad(contradictionText(report.contradiction))] as const]),
        ['calls', callsText(context, report.calls)],
        ['choices', choicesText(report)],
        ['lost', report.lost === 0 ? 'nothing' : style.bad(plural(report.lost, 'event'))],
        ...(report.order_only === true ? [['values', style.bad(`not known: ${ORDER_ONLY}`)] as const] : []),
        ['divergences', divergencesText(context, report)],
        ['verdict', verdict(VERDICTS[exit])],
      ],
      style.dim,
    ),
    ...(divergences.length === 0 ? [] : ['', ...some(divergences, report.divergences_total)]),
  ];
}

const total = (moments: readonly Moment[]): number =>
  moments.reduce((sum, { differences_total }) => sum + differences_total, 0);

const divergencesText = (
  { style }: Context,
  { divergences_total: all, divergences_unexplained: open }: ConformReport,
): string => {
  if (all === 0) return 'none';
  const explained = all === open ? '' : `, ${grouped(all - open)} of them explained`;
  return style.bad(`${grouped(all)}${explained}`);
};

const choicesText = ({ choices }: ConformReport): string => {
  const list = Object.entries(choices);
  return list.length === 0
    ? 'none'
    : `${list.map(([kind, n]) => `${grouped(n)} ${kind}`).join(', ')} (answered from the lines)`;
};
