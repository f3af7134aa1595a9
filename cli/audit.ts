import * as v from 'valibot';
import { RULES } from '../core/audit/rules.js';
import type { Severity } from '../core/audit/finding.js';
import { ok } from '../core/value/failure.js';
import { auditJson, auditTrace, type AuditReport } from '../replay/audit.js';
import { progress } from './console/progress.js';
import { grouped } from '../replay/numbers.js';
import { readingLog } from './log/open.js';
import { command } from './program/command.js';
import { Exit } from './program/exit.js';
import { flag, text } from './program/values.js';
import { auditLines } from './show/audited.js';

const LEVELS: readonly Severity[] = ['note', 'warning', 'error'];

/** Findings at or above a severity are found; where nothing is, what is unknown leaves the verdict open. */
const exitOf = ({ judged, lost }: AuditReport, failOn: Severity): Exit => {
  const counts = (severity: Severity): boolean => LEVELS.indexOf(severity) >= LEVELS.indexOf(failOn);
  if (judged.some(({ verdict, rule }) => verdict === 'broken' && counts(rule.severity))) return Exit.findings;
  const open = lost > 0 || judged.some(({ verdict, rule }) => verdict === 'unknown' && counts(rule.severity));
  return open ? Exit.unknown : Exit.nothing;
};

export const audit = command({
  about:
    'Judges a trace by the rules that executable memory must keep: what became executable without being written for it, what was writable and executable at ' +
    'once, what went back to the page allocator in the wrong state, and more. Each rule holds, is broken, or is unknown, with the events that prove it. ' +
    'It begins with what the trace could show at all and ends with every executable page and where it comes from.',
  arguments: [['<moment>', 'TRACE, or TRACE@WHERE: only what happened up to then']],
  options: [
    [
      '--fail-on <severity>',
      'error, warning (default) or note: findings below do not count for the exit code',
    ],
    ['--all', 'show every finding and every executable range'],
  ],
  examples: [
    {
      line: 'pagetrail audit S8',
      does: 'exit code 0 nothing found, 1 findings, 4 something that matters is unknown',
    },
    { line: "pagetrail audit 'S8@#loaded8' --json", does: 'up to a marker, for programs' },
  ],
  values: v.object({
    moment: text,
    failOn: v.optional(v.picklist(LEVELS), 'warning'),
    all: flag,
  }),
  run: (context, { moment, failOn, all }) =>
    readingLog(context, (log) => {
      const found = log.moment(moment);
      if (!found.ok) return found;
      const shown = progress(context);
      const report = auditTrace(found.value.trace, {
        to: found.value.moment.seq,
        rules: RULES,
        progress: (seq, events) => shown.at(() => `auditing event ${grouped(seq)} of ${grouped(events)}`),
      });
      shown.end();
      if (!report.ok) return report;
      if (context.settings.json) context.printJson(auditJson(report.value));
      else context.print(...auditLines(context, report.value, all));
      return ok(exitOf(report.value, failOn));
    }),
});
