import type { Judged } from '../../core/audit/audit.js';
import { pageText } from '../../core/value/address.js';
import type { Around } from '../../replay/audit/around.js';
import type { CoverageReport } from '../../replay/audit/coverage.js';
import type {
  AuditReport,
  ReportedFinding,
  ReportedPattern,
  ReportedRun,
} from '../../replay/audit/report.js';
import { acceptedBecause, beyondRecording } from '../../replay/audit/openVerdicts.js';
import { sentence } from '../../replay/audit/sentence.js';
import { momentText } from '../../replay/log.js';
import { lostText } from '../../replay/audit/losses.js';
import { grouped, plural } from '../../replay/numbers.js';
import type { Context } from '../console/context.js';
import { pairs, table } from '../console/table.js';
import { wrapped } from '../console/wrapped.js';

/** Findings of a pattern, executable ranges, functions and reasons that are shown without --all. */
const SHOWN = { findings: 3, ranges: 12, functions: 8, programs: 4, reasons: 1 } as const;
const WIDTH = 100;

const verdictText = ({ style }: Context, { verdict }: Judged): string => {
  if (verdict === null) return style.dim('–');
  if (verdict === 'broken') return style.bad('broken');
  return verdict === 'holds' ? style.good('holds') : style.odd('unknown');
};

const checksText = ({ verdict, checks, shown }: Judged): string => {
  if (verdict === null) return '';
  if (checks === 0) return 'none';
  return shown === checks ? grouped(checks) : `${grouped(checks)} (${grouped(shown)} shown)`;
};

const whyText = ({ why, unknown }: Judged, all: boolean): string => {
  const shown = all ? why : why.slice(0, SHOWN.reasons);
  const more = why.length - shown.length;
  const pages = unknown.reduce((sum, range) => sum + (range.page === null ? 0 : range.pages), 0);
  return `${shown.join('; ')}${more > 0 ? ` (and ${plural(more, 'more reason')})` : ''}${pages > 0 ? `; ${plural(pages, 'page')}` : ''}`;
};

const seqText = (seq: number): string => (seq === 0 ? 'before the trace' : `event ${seq}`);

const spanText = ({ from, to }: ReportedFinding): string => {
  if (to === null) return from === 0 ? 'since before the trace' : `since event ${from}`;
  return from === 0 ? `until event ${to}` : `events ${from} to ${to}`;
};

const whileText = (operation: string | null): string => (operation === null ? '' : `, after ${operation}`);

const aroundText = ({ calls, task, operation }: Around): string =>
  `in ${calls.length === 0 ? task : calls.join(' ← ')}${whileText(operation)}`;

const findingLines = (context: Context, finding: ReportedFinding): readonly string[] => {
  const { dim } = context.style;
  const accepted =
    finding.accepted === null ? '' : dim(` [accepted: ${finding.accepted.why || 'no reason given'}]`);
  return [
    `      ${finding.message} (${spanText(finding)})${accepted}`,
    ...finding.evidence.flatMap(({ seq, shows }, i) => [
      dim(`        ${seqText(seq)}: ${shows}`),
      ...(i === 0 && finding.around !== null ? [dim(`          ${aroundText(finding.around)}`)] : []),
    ]),
  ];
};

const patternLines = (context: Context, one: ReportedPattern, all: boolean): readonly string[] => {
  const { rule, severity, pattern, findings, count, bytes, standing, failures, accepted } = one;
  const fresh = findings.filter((finding) => finding.accepted === null);
  const listed = all || accepted === 0 ? findings : fresh;
  const shown = listed.slice(0, all ? listed.length : SHOWN.findings);
  const rest = count - shown.length - (listed === fresh ? accepted : 0);
  const facts = [
    plural(count, 'time'),
    ...(bytes > 0 ? [`${grouped(bytes)} bytes`] : []),
    `${standing === 0 ? 'none' : grouped(standing)} still so at the end`,
    ...(failures.length === 0 ? [] : [`known as ${failures.join(', ')}`]),
    ...(accepted === 0 ? [] : [`${grouped(accepted)} accepted by the baseline`]),
  ];
  return [
    `  ${context.style.bold(rule)} ${severity}: ${pattern}`,
    context.style.dim(`      ${facts.join('; ')}`),
    ...shown.flatMap((finding) => findingLines(context, finding)),
    ...(rest > 0
      ? [context.style.dim(`      … and ${grouped(rest)} more${all ? ', only counted' : ' (--all)'}`)]
      : []),
  ];
};

const listText = (list: readonly string[], most: number): string =>
  list.length <= most + 1
    ? list.join(', ')
    : `${list.slice(0, most).join(', ')} and ${grouped(list.length - most)} more`;

const rangeTitle = (context: Context, { page, pages, prot, caller, area }: ReportedRun): string => {
  const who =
    caller === ''
      ? area === null
        ? 'of no area that is known'
        : 'asked for by nobody knows whom'
      : `asked for by ${caller}`;
  return `${context.style.bold(pageText(page))}  ${plural(pages, 'page')} ${prot === 'rwx' ? context.style.bad(prot) : prot}, ${who}`;
};

const doneText = (seq: number, calls: readonly string[] | undefined, operation: string | null): string =>
  seq === 0
    ? 'before the trace'
    : `event ${seq}${calls === undefined || calls.length === 0 ? '' : `, ${calls.join(' ← ')}`}${whileText(operation)}`;

const WRITTEN_BY_NONE: Readonly<Record<string, string>> = {
  unknown: 'not known',
  leftover: 'of whoever had the memory before',
  bytes: 'as given before the trace',
  trap: 'traps, from before the trace',
  zero: 'zeroes, from before the trace',
  program: 'programs, from before the trace',
  code: 'other code, from before the trace',
};
const WRITTEN: Readonly<Record<string, string>> = {
  trap: 'traps',
  zero: 'zeroes',
  program: 'programs',
  code: 'other code',
  bytes: 'bytes',
  leftover: 'leftovers',
  unknown: 'not known',
};

const writtenTexts = (run: ReportedRun, all: boolean): readonly string[] =>
  run.written.map(({ what, bytes, by, events }) => {
    const size = plural(bytes, 'byte');
    if (by === null) return `${size} ${WRITTEN_BY_NONE[what] ?? what}`;
    const names = run.programs.flatMap(({ name }) => name ?? []);
    const programs =
      what === 'program' && names.length > 0
        ? `: ${listText(names, all ? names.length : SHOWN.programs)}`
        : '';
    return `${size} ${WRITTEN[what] ?? what}, ${plural(events, 'write')} by ${by.calls.join(' ← ') || by.task}, first event ${by.seq}${programs}`;
  });

const rangeLines = (context: Context, run: ReportedRun, all: boolean): readonly string[] => {
  const rows: [string, string][] = [
    ['given out', doneText(run.allocated, run.allocatedBy?.calls, run.allocatedDuring)],
    ['executable since', doneText(run.made, run.madeBy?.calls, run.madeDuring)],
    ...writtenTexts(run, all).map((text, i): [string, string] => [i === 0 ? 'holds' : '', text]),
  ];
  return [`  ${rangeTitle(context, run)}`, ...pairs(rows, context.style.dim).map((line) => `    ${line}`)];
};

const probedText = ({ style }: Context, { probes, neverSeen }: CoverageReport): string => {
  if (probes === null || neverSeen === null) return style.odd('the recording does not say what was probed');
  const parts = [
    `${plural(probes.set.length, 'function')}, ${grouped(neverSeen.length)} never seen here`,
    ...(probes.absent.length === 0 ? [] : [`${grouped(probes.absent.length)} more are not in this kernel`]),
    ...(probes.failed.length === 0 ? [] : [style.bad(`${plural(probes.failed.length, 'probe')} refused`)]),
  ];
  return parts.join('; ');
};

const missedText = ({ style }: Context, { probes }: CoverageReport): string => {
  if (probes === null) return style.odd('not known');
  const missed = Object.entries(probes.missed);
  return missed.length === 0
    ? 'nothing'
    : style.bad(missed.map(([event, count]) => `${event} ${grouped(count)}`).join(', '));
};

const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name}: ${grouped(count)}`)
    .join('; ');

const coverageLines = (context: Context, report: AuditReport, all: boolean): readonly string[] => {
  const { coverage, subject } = report;
  const { style } = context;
  const emulated = subject.source === 'emulation';
  const hits = coverage.hits.map(({ fn, entered }) => `${fn} ${grouped(entered)}`);
  const rows: [string, string][] = [
    ['events', grouped(coverage.events)],
    ...(emulated ? [] : ([['probed', probedText(context, coverage)]] as [string, string][])),
    [
      'seen',
      hits.length === 0
        ? style.odd('no call')
        : `${plural(hits.length, 'function')}: ${listText(hits, all ? hits.length : SHOWN.functions)}`,
    ],
  ];
  if (coverage.neverSeen !== null && coverage.neverSeen.length > 0 && !emulated)
    rows.push([
      'never seen',
      listText(coverage.neverSeen, all ? coverage.neverSeen.length : SHOWN.functions),
    ]);
  const failed = coverage.probes?.failed ?? [];
  const absent = coverage.probes?.absent ?? [];
  if (failed.length > 0) rows.push(['refused', style.bad(failed.join(', '))]);
  if (absent.length > 0)
    rows.push(['not in kernel', listText(absent, all ? absent.length : SHOWN.functions)]);
  if (!emulated) rows.push(['missed', missedText(context, coverage)]);
  rows.push([
    'lost',
    coverage.lost === 0 && coverage.gaps.length === 0 ? 'nothing' : style.bad(lostText(coverage, 3)),
  ]);
  if (coverage.missing !== null) rows.push(['missing', style.bad(coverage.missing)]);
  if (!emulated)
    rows.push([
      'unmodelled',
      coverage.unmodelled === null
        ? style.odd('not known')
        : coverage.unmodelled === 0
          ? 'no line'
          : style.odd(plural(coverage.unmodelled, 'line')),
    ]);
  if (Object.keys(coverage.skipped).length > 0) rows.push(['left out', countsText(coverage.skipped)]);
  rows.push([
    'divergences',
    coverage.disagreements === 0
      ? 'none'
      : style.bad(`${grouped(coverage.disagreements)} (${countsText(coverage.divergences)})`),
  ]);
  rows.push([
    'pages unknown',
    coverage.unknown.length === 0
      ? 'none'
      : style.odd(coverage.unknown.map(({ why, pages }) => `${grouped(pages)}: ${why}`).join('; ')),
  ]);
  const beyond = beyondRecording(report.open);
  if (beyond.length > 0 && !emulated)
    rows.push([
      'not judged',
      style.odd(`${beyond.join(', ')}: no recording of this kernel can show what they need`),
    ]);
  const widest = Math.max(...rows.map(([name]) => name.length));
  return pairs(
    rows.flatMap(([name, text]) =>
      wrapped(text, WIDTH - widest).map((line, i): [string, string] => [i === 0 ? name : '', line]),
    ),
    style.dim,
  ).map((line) => `  ${line}`);
};

const ruleRows = (
  context: Context,
  one: Judged,
  open: AuditReport['open'],
  all: boolean,
): readonly (readonly string[])[] => {
  const { rule, verdict, why } = one;
  const rows = [[rule.id, verdictText(context, one), rule.severity, checksText(one), rule.title]];
  if (why.length > 0 && verdict !== 'holds') {
    const accepted = acceptedBecause(one, open);
    const text = `${verdict === 'broken' ? 'may be more: ' : ''}${whyText(one, all)}${accepted === null ? '' : ` [accepted: ${accepted}]`}`;
    rows.push(['', '', '', '', context.style.dim(text)]);
  }
  return rows;
};

const ruleLines = (context: Context, { judged, open }: AuditReport, all: boolean): readonly string[] => {
  const { style } = context;
  const applied = judged.filter(({ verdict }) => verdict !== null);
  const idle = judged.filter(({ verdict }) => verdict === null);
  return [
    ...table(
      [['rule'], ['verdict'], ['severity'], ['checks', 'right'], ['what must hold']],
      applied.flatMap((one) => ruleRows(context, one, open, all)),
      style.dim,
    ),
    ...idle.map((one) => style.dim(`${one.rule.id} does not apply: ${whyText(one, true)}`)),
  ].map((line) => `  ${line}`);
};

const goneLines = (context: Context, { gone }: AuditReport): readonly string[] => {
  if (gone === null || gone.length === 0) return [];
  return [
    '',
    context.style.bold('Accepted by the baseline and not found'),
    ...gone.map(
      ({ rule, pattern, count, found }) => `  ${rule} ${pattern}: ${grouped(found)} of ${grouped(count)}`,
    ),
  ];
};

const headText = ({ moment, subject }: AuditReport): string => {
  const what = subject.source === 'emulation' ? 'an emulation of' : 'a recording of';
  const kernel = [
    subject.kernel ?? 'an unknown kernel',
    ...(subject.arch === null ? [] : [subject.arch.name]),
  ].join(', ');
  return `${momentText(moment)}: ${what} ${kernel}${subject.profile === null ? '' : `, followed as ${subject.profile.name}`}`;
};

/** What the audit found, for people. */
export const auditLines = (context: Context, report: AuditReport, all: boolean): readonly string[] => {
  const { style } = context;
  const { patterns, inventory } = report;
  const ranges = all ? inventory.runs : inventory.runs.slice(0, SHOWN.ranges);
  const rest = inventory.runs.length - ranges.length;
  return [
    headText(report),
    '',
    style.bold('Coverage'),
    ...coverageLines(context, report, all),
    '',
    style.bold('Rules'),
    ...ruleLines(context, report, all),
    '',
    style.bold(patterns.length === 0 ? 'No findings' : 'Findings'),
    ...patterns.flatMap((pattern) => patternLines(context, pattern, all)),
    ...goneLines(context, report),
    '',
    style.bold('What may be executed'),
    ...ranges.flatMap((run) => rangeLines(context, run, all)),
    ...(rest > 0 ? [`  … and ${plural(rest, 'more range')} (--all)`] : []),
    '',
    ...wrapped(sentence(report), WIDTH + 10).map(style.bold),
  ];
};
