import { Address } from '../../core/value/address.js';
import type { AuditReport } from './report.js';

/** RFC 4180: quotes around what holds a separator, a quote or a line end; quotes doubled. */
const field = (value: string | number): string => {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const COLUMNS = [
  'trace',
  'rule',
  'severity',
  'state',
  'pattern',
  'count',
  'message',
  'space',
  'start',
  'bytes',
  'from',
  'to',
  'calls',
  'operation',
  'programs',
  'failures',
  'evidence',
  'fingerprint',
] as const;

/** One finding a line; findings that were only counted share one, with their count. */
export const auditCsv = ({ moment, patterns }: AuditReport): string => {
  const rows: (readonly (string | number)[])[] = [COLUMNS];
  for (const { rule, severity, pattern, findings, counted, restFingerprint, accepted } of patterns) {
    for (const one of findings)
      rows.push([
        moment.trace,
        rule,
        severity,
        one.accepted === null ? 'new' : 'accepted',
        pattern,
        1,
        one.message,
        one.space ?? '',
        one.start === null ? '' : Address.toText(one.start),
        one.bytes,
        one.from,
        one.to ?? '',
        one.around?.calls.join(' < ') ?? '',
        one.around?.operation ?? '',
        one.programs.join(' '),
        one.failures.join(' '),
        one.evidence.map(({ seq, shows }) => `${seq}: ${shows}`).join('; '),
        one.fingerprint,
      ]);
    if (counted === 0) continue;
    const state =
      findings.filter((one) => one.accepted !== null).length + counted <= accepted ? 'accepted' : 'new';
    const rest = [moment.trace, rule, severity, state, pattern, counted, `${counted} more, only counted`];
    rows.push([...rest, ...COLUMNS.slice(rest.length, -1).map(() => ''), restFingerprint]);
  }
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
};
