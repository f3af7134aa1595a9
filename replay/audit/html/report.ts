/** The report as one HTML file: nothing in it is fetched from anywhere. */
import { createHash } from 'node:crypto';
import type { Judged } from '../../../core/audit/audit.js';
import { pageText } from '../../../core/value/address.js';
import { momentText } from '../../log.js';
import { grouped, plural } from '../../numbers.js';
import { lostText } from '../losses.js';
import type { AuditReport, ReportedFinding, ReportedPattern, ReportedRun } from '../report.js';
import { acceptedBecause, beyondRecording } from '../openVerdicts.js';
import { sentence } from '../sentence.js';
import { escaped } from './escape.js';
import { pictureHtml } from './picture.js';
import { SCRIPT, STYLE } from './style.js';

/** What is listed; the rest is counted. */
const MOST = { findings: 50, ranges: 300, programs: 12, reasons: 12 } as const;

const seqText = (seq: number): string => (seq === 0 ? 'before the trace' : `event ${grouped(seq)}`);

const callsText = (calls: readonly string[] | undefined): string =>
  calls === undefined || calls.length === 0 ? '' : ` <code>${calls.map(escaped).join(' ← ')}</code>`;

const duringText = (operation: string | null): string =>
  operation === null ? '' : ` <span class="dim">after ${escaped(operation)}</span>`;

const listText = (list: readonly string[], most: number): string =>
  list.length <= most
    ? list.join(', ')
    : `${list.slice(0, most).join(', ')} and ${grouped(list.length - most)} more`;

const findingHtml = ({ message, from, to, evidence, around, accepted }: ReportedFinding): string => {
  const span = `${from === 0 ? 'since before the trace' : `from event ${grouped(from)}`} ${to === null ? 'to the end' : `to ${grouped(to)}`}`;
  const proof = evidence.map(({ seq, shows }) => `<li>${seqText(seq)}: ${escaped(shows)}</li>`);
  if (around !== null)
    proof.splice(1, 0, `<li>${callsText(around.calls)}${duringText(around.operation)}</li>`);
  return `<li>${escaped(message)} <span class="dim">(${span})</span>${accepted === null ? '' : ` <b>accepted</b>: ${escaped(accepted.why || 'no reason given')}`}<ul class="evidence">${proof.join('')}</ul></li>`;
};

const patternHtml = ({
  rule,
  severity,
  pattern,
  count,
  bytes,
  standing,
  failures,
  findings,
  accepted,
}: ReportedPattern): string => {
  const facts = [
    plural(count, 'time'),
    ...(bytes > 0 ? [plural(bytes, 'byte')] : []),
    `${grouped(standing)} still so at the end`,
    ...(failures.length > 0 ? [`known as ${failures.join(', ')}`] : []),
    ...(accepted > 0 ? [`${grouped(accepted)} accepted`] : []),
  ];
  const shown = findings.slice(0, MOST.findings);
  const rest = count - shown.length;
  return (
    `<details${severity === 'note' ? '' : ' open'}><summary><b>${escaped(rule)}</b> <span class="${severity === 'note' ? 'dim' : 'broken'}">${severity}</span> ${escaped(pattern)} <span class="dim">${escaped(facts.join('; '))}</span></summary>` +
    `<ol class="findings">${shown.map(findingHtml).join('')}</ol>${rest > 0 ? `<p class="dim">… and ${grouped(rest)} more (--format csv or json lists them)</p>` : ''}</details>`
  );
};

const VERDICT: Readonly<Record<string, string>> = { holds: 'holds', broken: 'broken', unknown: 'unknown' };

const ruleHtml = (one: Judged, open: AuditReport['open']): string => {
  const { rule, verdict, why, checks, shown } = one;
  const accepted = acceptedBecause(one, open);
  const name = verdict ?? 'does not apply';
  const reasons =
    why.length === 0 || verdict === 'holds'
      ? ''
      : `<br><span class="dim">${verdict === 'broken' ? 'there may be more: ' : ''}${escaped(why.slice(0, MOST.reasons).join('; '))}${why.length > MOST.reasons ? `; and ${grouped(why.length - MOST.reasons)} more reasons` : ''}</span>${accepted === null ? '' : ` <b>accepted</b>: ${escaped(accepted)}`}`;
  const rationale = rule.rationale === '' ? '' : `<br><span class="dim">${escaped(rule.rationale)}</span>`;
  return `<tr><td><b>${escaped(rule.id)}</b></td><td class="${VERDICT[name] ?? 'dim'}">${name}</td><td>${rule.severity}</td><td data-of="checks">${verdict === null ? '–' : shown === checks ? grouped(checks) : `${grouped(checks)} (${grouped(shown)} shown)`}</td><td>${escaped(rule.title)}${rationale}${reasons}</td></tr>`;
};

const NOBODY: Readonly<Record<string, string>> = {
  leftover: 'whoever had the memory before',
  bytes: 'given before the trace',
  unknown: 'not known',
};

const writtenHtml = (run: ReportedRun): string =>
  run.written
    .map(({ what, bytes, by, events }) => {
      const who =
        by === null
          ? (NOBODY[what] ?? 'before the trace')
          : `${plural(events, 'write')} by${callsText(by.calls) || ` ${escaped(by.task)}`}, first ${seqText(by.seq)}`;
      return `<div>${grouped(bytes)} ${escaped(what)}: ${who}</div>`;
    })
    .join('');

const runHtml = (run: ReportedRun): string => {
  const {
    page,
    pages,
    prot,
    caller,
    allocated,
    allocatedBy,
    allocatedDuring,
    made,
    madeBy,
    madeDuring,
    programs,
  } = run;
  const names = programs.map(({ name, number }) => escaped(name ?? `program:${number}`));
  return `<tr><td class="mono">${pageText(page)}</td><td data-of="pages">${grouped(pages)}</td><td class="mono${prot === 'rwx' ? ' broken' : ''}">${prot}</td><td data-of="asked for by"><code>${escaped(caller === '' ? 'not known' : caller)}</code></td><td data-of="given out">${seqText(allocated)}${callsText(allocatedBy?.calls)}${duringText(allocatedDuring)}</td><td data-of="executable since">${seqText(made)}${callsText(madeBy?.calls)}${duringText(madeDuring)}</td><td data-of="bytes">${writtenHtml(run)}${names.length === 0 ? '' : `<div class="dim">${listText(names, MOST.programs)}</div>`}</td></tr>`;
};

const coverageHtml = ({ coverage, subject, open }: AuditReport): string => {
  const { probes, neverSeen } = coverage;
  const rows: [string, string][] = [['events', grouped(coverage.events)]];
  if (subject.source === 'emulation') rows.push(['source', 'an emulation: every event is the model’s']);
  else
    rows.push(
      [
        'probed',
        probes === null
          ? 'the recording does not say'
          : `${plural(probes.set.length, 'function')}; ${grouped(probes.absent.length)} more are not in this kernel; ${grouped(probes.failed.length)} refused`,
      ],
      [
        'missed',
        probes === null
          ? 'not known'
          : Object.keys(probes.missed).length === 0
            ? 'nothing'
            : escaped(
                Object.entries(probes.missed)
                  .map(([name, count]) => `${name} ${grouped(count)}`)
                  .join(', '),
              ),
      ],
    );
  rows.push([
    'seen',
    coverage.hits.length === 0
      ? 'no call'
      : escaped(coverage.hits.map(({ fn, entered }) => `${fn} ${grouped(entered)}`).join(', ')),
  ]);
  if (neverSeen !== null && subject.source !== 'emulation')
    rows.push(['never seen', neverSeen.length === 0 ? 'none' : escaped(neverSeen.join(', '))]);
  rows.push(
    ['lost', coverage.lost === 0 && coverage.gaps.length === 0 ? 'nothing' : escaped(lostText(coverage, 5))],
    ['unmodelled lines', coverage.unmodelled === null ? 'not known' : grouped(coverage.unmodelled)],
    ['divergences', grouped(coverage.disagreements)],
    [
      'pages unknown',
      coverage.unknown.length === 0
        ? 'none'
        : escaped(coverage.unknown.map(({ why, pages }) => `${grouped(pages)}: ${why}`).join('; ')),
    ],
  );
  const beyond = beyondRecording(open);
  if (beyond.length > 0 && subject.source !== 'emulation')
    rows.push(['not judged', `${beyond.join(', ')}: no recording of this kernel can show what they need`]);
  if (coverage.missing !== null)
    rows.push(['missing', `<span class="broken">${escaped(coverage.missing)}</span>`]);
  return `<dl>${rows.map(([name, text]) => `<dt>${name}</dt><dd>${text}</dd>`).join('')}</dl>`;
};

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const auditHtml = (report: AuditReport, { version }: { readonly version: string }): string => {
  const { moment, subject, judged, patterns, inventory, gone } = report;
  const title = `Audit of ${momentText(moment)}`;
  const count = (verdict: string): number => judged.filter((one) => one.verdict === verdict).length;
  const fresh = patterns.reduce((sum, one) => sum + one.count - one.accepted, 0);
  const accepted = patterns.reduce((sum, one) => sum + one.accepted, 0);
  const runs = inventory.runs.slice(0, MOST.ranges);
  const kernel = [
    subject.kernel ?? 'an unknown kernel',
    subject.arch?.name,
    subject.profile === null ? undefined : `followed as ${subject.profile.name}`,
  ];
  const csp = `default-src 'none'; style-src ${digest(STYLE)}; script-src ${digest(SCRIPT)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${csp}"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escaped(title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(title)}</h1>
<p class="dim">${subject.source === 'emulation' ? 'An emulation' : 'A recording'} of ${escaped(kernel.filter((one) => one !== undefined).join(', '))}. Root of the log: <code>${escaped(report.root)}</code></p>
<p class="sentence">${escaped(sentence(report))}</p>
<ul class="counts"><li><b class="${fresh > 0 ? 'broken' : ''}">${grouped(fresh)}</b> ${fresh === 1 ? 'finding' : 'findings'}${accepted > 0 ? `, ${grouped(accepted)} accepted` : ''}</li><li><b>${grouped(count('broken'))}</b> rules broken</li><li><b>${grouped(count('unknown'))}</b> unknown</li><li><b>${grouped(count('holds'))}</b> hold</li><li><b>${grouped(judged.filter(({ verdict }) => verdict === null).length)}</b> do not apply</li></ul>
<h2>Coverage</h2>${coverageHtml(report)}
<h2>Memory over time</h2>${pictureHtml(report)}
<h2>Rules</h2><table class="stack"><thead><tr><th>rule</th><th>verdict</th><th>severity</th><th>checks</th><th>what must hold, and why</th></tr></thead><tbody>${judged.map((one) => ruleHtml(one, report.open)).join('')}</tbody></table>
<h2>Findings</h2>${patterns.length === 0 ? '<p>None.</p>' : patterns.map(patternHtml).join('')}${gone === null || gone.length === 0 ? '' : `<h3>Accepted by the baseline and not found</h3><ul>${gone.map((one) => `<li>${escaped(`${one.rule} ${one.pattern}`)}: ${grouped(one.found)} of ${grouped(one.count)}</li>`).join('')}</ul>`}
<h2>What may be executed</h2><p class="sentence">${escaped(sentence(report))}</p><div class="scroll"><table class="stack"><thead><tr><th>from</th><th>pages</th><th>may</th><th>asked for by</th><th>given out</th><th>executable since</th><th>bytes, and who wrote them</th></tr></thead><tbody>${runs.map(runHtml).join('')}</tbody></table></div>${inventory.runs.length > runs.length ? `<p class="dim">… and ${plural(inventory.runs.length - runs.length, 'more range')} (--format json lists them)</p>` : ''}
<p class="dim">pagetrail ${escaped(version)}. Signed: ________________________ Date: ____________</p>
<script>${SCRIPT}</script></body></html>
`;
};
