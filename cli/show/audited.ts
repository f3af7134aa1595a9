import type { Judged } from '../../core/audit/audit.js';
import type { Finding, Pattern } from '../../core/audit/finding.js';
import type { ExecutableRun, Inventory } from '../../core/audit/inventory.js';
import { Memory } from '../../core/memory/memory.js';
import { pageText } from '../../core/value/address.js';
import type { AuditReport } from '../../replay/audit.js';
import { momentText } from '../../replay/log.js';
import type { Context } from '../console/context.js';
import { grouped, plural } from '../../replay/numbers.js';
import { pairs, table } from '../console/table.js';

/** Findings of a pattern, and rows of the table, that are shown without --all. */
const SHOWN = 3;
const RUNS_SHOWN = 20;

const verdictText = ({ style }: Context, { verdict }: Judged): string => {
  if (verdict === null) return style.dim('–');
  if (verdict === 'broken') return style.bad('broken');
  return verdict === 'holds' ? style.good('holds') : style.odd('unknown');
};

const checksText = ({ verdict, checks, shown }: Judged): string => {
  if (verdict === null) return '';
  if (checks === 0) return 'nothing to check';
  return shown === checks ? grouped(checks) : `${grouped(checks)}, ${grouped(shown)} shown`;
};

const whyText = ({ why, unknown }: Judged): string => {
  const more = why.length - 1;
  const pages = unknown.reduce((sum, range) => sum + (range.page === null ? 0 : range.pages), 0);
  const first = why[0] ?? '';
  return `${first}${more > 0 ? ` (and ${plural(more, 'more reason')})` : ''}${pages > 0 ? `; ${plural(pages, 'page')}` : ''}`;
};

const spanText = ({ from, to }: Finding): string =>
  to === null ? `since event ${from}` : `events ${from} to ${to}`;

const findingLines = (context: Context, finding: Finding): readonly string[] => [
  `      ${finding.message} (${spanText(finding)})`,
  ...finding.evidence.map(({ seq, shows }) =>
    context.style.dim(`        ${seq === 0 ? 'before the trace' : `event ${seq}`}: ${shows}`),
  ),
];

const patternLines = (
  context: Context,
  pattern: Pattern,
  severity: string,
  all: boolean,
): readonly string[] => {
  const most = all ? pattern.findings.length : SHOWN;
  const rest = pattern.count - Math.min(most, pattern.findings.length);
  const known = pattern.failures.length === 0 ? '' : `; known as ${pattern.failures.join(', ')}`;
  return [
    `  ${context.style.bold(pattern.rule)} ${severity}: ${pattern.pattern}: ${plural(pattern.count, 'time')}` +
      `${pattern.bytes > 0 ? `, ${grouped(pattern.bytes)} bytes` : ''}, ${pattern.standing === 0 ? 'none' : grouped(pattern.standing)} still so at the end${known}`,
    ...pattern.findings.slice(0, most).flatMap((finding) => findingLines(context, finding)),
    ...(rest > 0 ? [context.style.dim(`      … and ${grouped(rest)} more (--all)`)] : []),
  ];
};

const seqText = (seq: number): string => (seq === 0 ? 'before the trace' : `event ${seq}`);

const contentText = ({ content }: ExecutableRun): string =>
  Object.entries(content)
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${grouped(bytes)} ${name}`)
    .join(', ');

const inventoryLines = (context: Context, { runs }: Inventory, all: boolean): readonly string[] => {
  const shown = all ? runs : runs.slice(0, RUNS_SHOWN);
  return [
    ...table(
      [
        ['pages', 'right'],
        ['from'],
        ['prot'],
        ['asked for by'],
        ['given out'],
        ['made executable'],
        ['bytes'],
      ],
      shown.map((run) => [
        grouped(run.pages),
        pageText(run.page),
        run.prot === 'rwx' ? context.style.bad(run.prot) : run.prot,
        run.caller === '' ? '?' : run.caller,
        run.area === null ? '?' : seqText(run.allocated),
        seqText(run.made),
        contentText(run),
      ]),
      context.style.dim,
    ).map((line) => `  ${line}`),
    ...(runs.length > shown.length ? [`  … and ${grouped(runs.length - shown.length)} more (--all)`] : []),
  ];
};

/** The sentence an auditor signs. */
export const sentence = ({ moment, inventory }: AuditReport): string =>
  `At ${momentText(moment)}, ${plural(inventory.pages, 'page')} may be executed; ` +
  `${inventory.older === 0 ? 'none of them is' : `${grouped(inventory.older)} of them ${inventory.older === 1 ? 'is' : 'are'}`} older than the trace, ` +
  `${inventory.unknown === 0 ? 'none is' : `${grouped(inventory.unknown)} ${inventory.unknown === 1 ? 'is' : 'are'}`} of unknown origin or content.`;

const coverageLines = (context: Context, report: AuditReport): readonly string[] => {
  const { coverage, events, lost, divergences, memory } = report;
  const { style } = context;
  const pagesUnknown = memory.unknown.reduce((sum, { pages }) => sum + pages, 0);
  const never = coverage.functions.length === 0;
  return pairs(
    [
      ['events', grouped(events)],
      [
        'functions seen',
        never
          ? style.odd('none: no call was recorded')
          : coverage.functions.map(({ fn, entered }) => `${fn} ${grouped(entered)}`).join(', '),
      ],
      ...(coverage.notProbed.length === 0
        ? []
        : [['not probed', style.odd(coverage.notProbed.map(({ fn }) => fn).join(', '))] as const]),
      ['lost', lost === 0 && coverage.gaps.length === 0 ? 'nothing' : style.bad(plural(lost, 'event'))],
      ['divergences', divergences === 0 ? 'none' : style.bad(grouped(divergences))],
      ['pages unknown', pagesUnknown === 0 ? 'none' : style.odd(grouped(pagesUnknown))],
      ['programs', `${grouped([...Memory.programs(memory)].length)} at the end`],
    ],
    style.dim,
  ).map((line) => `  ${line}`);
};

/** What the audit found, for people. */
export const auditLines = (context: Context, report: AuditReport, all: boolean): readonly string[] => {
  const { style } = context;
  const { judged } = report;
  const broken = judged.filter(({ patterns }) => patterns.length > 0);
  return [
    style.bold('Coverage'),
    ...coverageLines(context, report),
    '',
    style.bold('Rules'),
    ...table(
      [['rule'], ['verdict'], ['checks', 'right'], ['what must hold']],
      judged.map((one) => [
        one.rule.id,
        verdictText(context, one),
        checksText(one),
        one.verdict === 'unknown' || one.verdict === null
          ? `${one.rule.title} ${style.dim(`(${whyText(one)})`)}`
          : one.rule.title,
      ]),
      style.dim,
    ).map((line) => `  ${line}`),
    ...(broken.length === 0 ? [] : ['', style.bold('Findings')]),
    ...broken.flatMap(({ rule, patterns }) =>
      patterns.flatMap((pattern) => patternLines(context, pattern, rule.severity, all)),
    ),
    '',
    style.bold('What is executable'),
    ...inventoryLines(context, report.inventory, all),
    '',
    style.bold(sentence(report)),
  ];
};
