import * as v from 'valibot';
import type { Rule } from '../core/audit/rule.js';
import { RULES } from '../core/audit/rules.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { auditTrace } from '../replay/audit/audit.js';
import { acceptUnknown } from '../replay/audit/openVerdicts.js';
import { baselineOf, withBaseline, type Baseline } from '../replay/audit/baseline.js';
import { auditCsv } from '../replay/audit/csv.js';
import { auditHtml } from '../replay/audit/html/report.js';
import { auditJson } from '../replay/audit/json.js';
import { outcomeOf, type AuditReport } from '../replay/audit/report.js';
import { auditSarif } from '../replay/audit/sarif.js';
import type { Log } from '../replay/log.js';
import { grouped, plural } from '../replay/numbers.js';
import { baselineText, readBaseline } from './audit/baselineFile.js';
import { RuleError, rulesOf } from './audit/rulesModule.js';
import type { Context } from './console/context.js';
import { progress } from './console/progress.js';
import { withSink } from './console/sink.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, oneOf, text } from './program/values.js';
import { version } from './program/version.js';
import { auditLines } from './show/audited.js';

const FORMATS = ['text', 'json', 'sarif', 'html', 'csv'] as const;
const SEVERITIES = ['error', 'warning', 'note'] as const;

interface Given {
  readonly moment: string;
  readonly to?: string | undefined;
  readonly rule?: readonly string[] | undefined;
  readonly format?: (typeof FORMATS)[number] | undefined;
  readonly out?: string | undefined;
  readonly baseline?: string | undefined;
  readonly writeBaseline?: string | undefined;
  readonly acceptUnknown?: readonly string[] | undefined;
  readonly failOn: (typeof SEVERITIES)[number];
  readonly rules?: string | undefined;
  readonly all: boolean;
}

/** Rules by their ids, which may be given with commas and in small letters. */
const named = (ids: readonly string[], rules: readonly Rule[]): Result<readonly Rule[]> => {
  const wanted = ids.flatMap((one) => one.split(',')).map((one) => one.trim().toLowerCase());
  const unknown = wanted.find((id) => !rules.some((rule) => rule.id.toLowerCase() === id));
  if (unknown !== undefined)
    return fail(
      'no-such-rule',
      `there is no rule ${unknown}`,
      undefined,
      `rules: ${rules.map(({ id }) => id).join(', ')}`,
    );
  return ok(rules.filter(({ id }) => wanted.includes(id.toLowerCase())));
};

/** The rules that are wanted, pagetrail's own and those of a module. */
const wantedRules = async ({ rule: ids, rules: path }: Given): Promise<Result<readonly Rule[]>> => {
  const own =
    path === undefined
      ? ok([])
      : await rulesOf(
          path,
          RULES.map(({ id }) => id),
        );
  if (!own.ok) return own;
  const all = [...RULES, ...own.value];
  if (ids === undefined) return ok(all);
  return named(ids, all);
};

const EXITS = { findings: Exit.findings, unknown: Exit.unknown, nothing: Exit.nothing } as const;

const lines = (list: readonly string[]): string => list.map((line) => `${line}\n`).join('');

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const formatted = (context: Context, report: AuditReport, { format, all }: Given, exitCode: Exit): string => {
  switch (format ?? (context.settings.json ? 'json' : 'text')) {
    case 'json':
      return json(auditJson(report));
    case 'sarif':
      return json(auditSarif(report, { version: version(), exitCode }));
    case 'html':
      return auditHtml(report, { version: version() });
    case 'csv':
      return auditCsv(report);
    case 'text':
      return lines(auditLines(context, report, all));
  }
};

/** The moment that is asked for: TRACE@WHERE, or TRACE and --to. */
const momentOf = (log: Log, { moment, to }: Given) => {
  if (to === undefined) return log.moment(moment);
  return moment.includes('@')
    ? fail('bad-moment', 'the moment is said twice', moment, 'give TRACE@WHERE, or TRACE and --to WHERE')
    : log.moment(`${moment}@${to}`);
};

const judge = (
  context: Context,
  log: Log,
  given: Given,
  rules: readonly Rule[],
  mayBeOpen: readonly string[],
  baseline: Baseline | undefined,
): Result<AuditReport> => {
  const found = momentOf(log, given);
  if (!found.ok) return found;
  const shown = progress(context);
  try {
    return auditTrace(found.value.trace, {
      file: log.file,
      to: found.value.moment.seq,
      rules,
      acceptUnknown: mayBeOpen,
      ...(baseline === undefined ? {} : { baseline }),
      progress: (seq, events) => shown.at(() => `auditing event ${grouped(seq)} of ${grouped(events)}`),
    });
  } catch (error) {
    if (error instanceof RuleError) return { ok: false, error: error.failure };
    throw error;
  } finally {
    shown.end();
  }
};

export const audit = command({
  about:
    'Judges a trace by the rules that executable memory must keep: what became executable without being written for it, what was writable and executable at ' +
    'once, what went back to the page allocator in the wrong state, and more. Each rule holds, is broken, or is unknown, with the events that prove it. ' +
    'It begins with what the trace could show at all and ends with every executable page and where it comes from. docs/audit.md says what the rules are and ' +
    'what the formats hold.',
  arguments: [['<moment>', 'TRACE, or TRACE@WHERE: only what happened up to then']],
  options: [
    ['--to <where>', 'the same as TRACE@WHERE: an event, a marker, a time'],
    ['--rule <id...>', 'only these rules'],
    ['--rules <module>', 'an ES module with rules of your own, beside those of pagetrail'],
    ['--format <format>', 'text (default), json, sarif (2.1.0), html (one file, with a picture) or csv'],
    ['--out <file>', 'write to this file (default: standard output)'],
    ['--baseline <file>', 'findings that are accepted: they are shown and do not count'],
    [
      '--write-baseline <file>',
      'accept what is found now, and what no recording can show: write it to this file',
    ],
    [
      '--accept-unknown <rule...>',
      'these rules may stay unknown for reasons of their own; lost events are never accepted',
    ],
    [
      '--fail-on <severity>',
      'error, warning (default) or note: findings below do not count for the exit code',
    ],
    ['--all', 'show every finding, function, reason and executable range'],
  ],
  examples: [
    {
      line: 'pagetrail audit S8',
      does: 'exit code 0 nothing found, 1 findings, 4 something that matters is unknown',
    },
    { line: "pagetrail audit 'S8@#loaded8' --json", does: 'up to a marker, for programs' },
    { line: 'pagetrail audit S8 --format html --out S8.html', does: 'a report to read and to print' },
    {
      line: 'pagetrail audit S8 --baseline known.json --format sarif --out S8.sarif',
      does: 'in CI: only what is new counts',
    },
  ],
  values: v.object({
    moment: text,
    to: v.optional(text),
    rule: v.optional(v.array(text)),
    rules: v.optional(text),
    format: v.optional(oneOf(FORMATS)),
    out: v.optional(text),
    baseline: v.optional(text),
    writeBaseline: v.optional(text),
    acceptUnknown: v.optional(v.array(text)),
    failOn: v.optional(oneOf(SEVERITIES), 'warning'),
    all: flag,
  }),
  run: async (context, given) => {
    const rules = await wantedRules(given);
    if (!rules.ok) return rules;
    const mayBeOpen = named(given.acceptUnknown ?? [], [...new Set([...RULES, ...rules.value])]);
    if (!mayBeOpen.ok) return mayBeOpen;
    const baseline = given.baseline === undefined ? ok(undefined) : readBaseline(given.baseline);
    if (!baseline.ok) return baseline;
    return readingLog(context, async (log) => {
      const judged = judge(
        context,
        log,
        given,
        rules.value,
        mayBeOpen.value.map(({ id }) => id),
        baseline.value,
      );
      if (!judged.ok) return judged;
      let report = judged.value;
      if (given.writeBaseline !== undefined) {
        const accepted = baselineOf(report.patterns, report.open, baseline.value ?? null);
        const written = await withSink(context, given.writeBaseline, async (sink) => {
          await sink.write(baselineText(accepted));
          return ok(null);
        });
        if (!written.ok) return written;
        const unmarked = report.patterns.map((one) => ({
          ...one,
          accepted: 0,
          findings: one.findings.map((finding) => ({ ...finding, accepted: null })),
        }));
        report = {
          ...report,
          ...withBaseline(unmarked, accepted),
          open: acceptUnknown(report.open, accepted.unknown, []),
        };
        const free = given.out !== undefined || (given.format ?? 'text') === 'text';
        if (free)
          context.remark(
            `${plural(accepted.findings.length, 'kind')} of finding and ${plural(accepted.unknown.length, 'unknown verdict')} accepted in ${given.writeBaseline}: say there why, under "why"`,
          );
      }
      const exit = EXITS[outcomeOf(report, given.failOn)];
      const written = await withSink(context, given.out, async (sink) => {
        await sink.write(formatted(context, report, given, exit));
        return ok(null);
      });
      return written.ok ? ok(exit) : written;
    });
  },
});
