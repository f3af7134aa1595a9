/** The address × time picture: what each executable range was allowed, event by event, with the findings marked. */
import type { Allowed, Picture, PictureRow } from '../../../core/audit/picture.js';
import { pageText, PAGE_SIZE } from '../../../core/value/address.js';
import { grouped, plural } from '../../numbers.js';
import type { AuditReport, ReportedFinding } from '../report.js';
import { escaped } from './escape.js';

const WIDTH = 1000;
const LEFT = 150;
const RIGHT = 10;
const TOP = 26;
const GAP = 8;
const MOST_MARKS = 200;
const MOST_MARKS_OF_PATTERN = 25;
const MOST_PHASES = 16;

const CLASSES: Readonly<Record<Allowed, string>> = {
  none: '',
  read: 'read',
  write: 'write',
  unknown: 'unclear',
  execute: 'execute',
  'write-execute': 'write-execute',
};

const NAMES: Readonly<Record<Allowed, string>> = {
  none: 'not mapped',
  read: 'read only',
  write: 'writable, not executable',
  unknown: 'not known',
  execute: 'executable, not writable',
  'write-execute': 'writable and executable',
};

interface Placed {
  readonly row: PictureRow;
  readonly y: number;
  readonly height: number;
}

const heightOf = ({ pages }: PictureRow): number => 11 + 3 * Math.log2(pages);

/** A picture of few rows is drawn as high as this. */
const LEAST_HEIGHT = 220;

const placed = (
  rows: readonly PictureRow[],
): { readonly rows: readonly Placed[]; readonly bottom: number } => {
  let y = TOP;
  let end: number | null = null;
  const all = rows.reduce((sum, row) => sum + heightOf(row), 0);
  const scale = Math.max(1, LEAST_HEIGHT / all);
  const list = rows.map((row): Placed => {
    if (end !== null && row.page !== end) y += GAP;
    const height = heightOf(row) * scale;
    const at = { row, y, height };
    y += height;
    end = row.page + row.pages;
    return at;
  });
  return { rows: list, bottom: y };
};

const n = (value: number): string => String(Math.round(value * 10) / 10);

const DEFINITIONS =
  '<defs><pattern id="wx" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="#d55e00"/><rect width="2" height="6" fill="#fff"/></pattern>' +
  '<pattern id="unknown" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="#fff"/><circle cx="2" cy="2" r="1.2" fill="#555"/></pattern></defs>';

const rangeText = ({ page, pages }: PictureRow): string =>
  `${pageText(page)} to ${pageText(page + pages)}, ${plural(pages, 'page')}`;

const firstEvent = ({ ends }: Picture, column: number): number =>
  column === 0 ? 0 : (ends[column - 1] ?? 0) + 1;

const cells = (picture: Picture, { row, y, height }: Placed, x: (column: number) => number): string =>
  row.runs
    .map(({ from, to, allowed }) => {
      const first = firstEvent(picture, from);
      const span = `${first === 0 ? 'from the beginning' : `from about event ${grouped(first)}`} to ${grouped(picture.ends[to - 1] ?? 0)}`;
      const title = escaped(`${rangeText(row)}\n${NAMES[allowed]}, ${span}`);
      return `<rect class="cell ${CLASSES[allowed]}" tabindex="-1" x="${n(x(from))}" y="${n(y)}" width="${n(Math.max(0.8, x(to) - x(from)))}" height="${n(height - 1)}"><title>${title}</title></rect>`;
    })
    .join('');

interface Mark {
  readonly finding: ReportedFinding;
  /** The first of its pattern in the picture: the one with a label. */
  readonly first: boolean;
}

/** Findings that have a place in virtual memory, the first ones of each pattern. */
const marksOf = ({ patterns }: AuditReport): readonly Mark[] =>
  patterns
    .flatMap(({ findings }) =>
      findings
        .filter(({ space, start }) => space === 'virtual' && start !== null)
        .slice(0, MOST_MARKS_OF_PATTERN)
        .map((finding, i) => ({ finding, first: i === 0 })),
    )
    .slice(0, MOST_MARKS);

/** Where a page (with a fraction) lies in a row. */
const yOf = ({ row, y, height }: Placed, at: number): number =>
  y + ((Math.min(row.page + row.pages, Math.max(row.page, at)) - row.page) / row.pages) * (height - 1);

const marks = (report: AuditReport, rows: readonly Placed[], xOf: (seq: number) => number): string =>
  marksOf(report)
    .map(({ finding, first }) => {
      const { start, bytes, from, to, rule, message } = finding;
      const page = start === null ? 0 : start.page + start.offset / PAGE_SIZE;
      const end = page + Math.max(bytes, 1) / PAGE_SIZE;
      const hit = rows.filter(({ row }) => row.page < end && row.page + row.pages > page);
      const top = hit[0];
      const low = hit.at(-1);
      if (top === undefined || low === undefined) return '';
      const y1 = yOf(top, page);
      const y2 = Math.max(yOf(low, end), y1 + 3);
      const x1 = xOf(from);
      const x2 = Math.max(xOf(to ?? report.moment.seq), x1 + 3);
      const title = escaped(
        `${rule}: ${message}\n${from === 0 ? 'since before the trace' : `from event ${grouped(from)}`} ${to === null ? 'on' : `to ${grouped(to)}`}`,
      );
      const label = first
        ? `<text x="${n(x1 + 5)}" y="${n(Math.max(y1 - 2, TOP - 2))}">${escaped(rule)}</text>`
        : '';
      return `<g class="mark" tabindex="0"><title>${title}</title><rect x="${n(x1)}" y="${n(y1)}" width="${n(x2 - x1)}" height="${n(y2 - y1)}"/><circle cx="${n(x1)}" cy="${n(y1)}" r="3"/>${label}</g>`;
    })
    .join('');

const LEGEND: readonly Allowed[] = ['read', 'write', 'execute', 'write-execute', 'unknown'];

const legend = (): string =>
  `<ul class="legend">${LEGEND.map((one) => `<li><svg viewBox="0 0 14 10" aria-hidden="true"><rect class="${CLASSES[one]}" width="14" height="10"/></svg> ${NAMES[one]}</li>`).join('')}<li><svg viewBox="0 0 14 10" aria-hidden="true"><g class="mark"><rect x="2" y="2" width="11" height="7"/><circle cx="2" cy="2" r="2"/></g></svg> a finding</li></ul>`;

export const pictureHtml = (report: AuditReport): string => {
  const { picture, moment, phases } = report;
  if (picture === null || picture.rows.length === 0)
    return '<p>No page was executable at any time that the trace knows of.</p>';
  const { rows, bottom } = placed(picture.rows);
  const inside = WIDTH - LEFT - RIGHT;
  const x = (column: number): number => LEFT + (column / picture.columns) * inside;
  const xOf = (seq: number): number => LEFT + (seq / Math.max(1, moment.seq)) * inside;
  const labels = rows
    .filter(
      (one, i) =>
        i === 0 || one.y !== (rows[i - 1] as Placed).y + (rows[i - 1] as Placed).height || one.height >= 14,
    )
    .map(({ row, y }) => `<text x="0" y="${n(y + 9)}">${pageText(row.page)}</text>`);
  const ticks = Array.from({ length: 6 }, (_, i) => Math.round((moment.seq * i) / 5)).map((seq, i) => {
    const anchor = i === 0 ? 'start' : i === 5 ? 'end' : 'middle';
    return `<line class="axis" x1="${n(xOf(seq))}" x2="${n(xOf(seq))}" y1="${n(bottom)}" y2="${n(bottom + 4)}"/><text text-anchor="${anchor}" x="${n(xOf(seq))}" y="${n(bottom + 15)}">${grouped(seq)}</text>`;
  });
  const lines = phases.slice(0, MOST_PHASES).map(({ seq, text }, i) => {
    const at = n(xOf(seq));
    const anchor = xOf(seq) > WIDTH - 80 ? 'end' : 'start';
    return `<line class="phase" x1="${at}" x2="${at}" y1="${TOP - 4}" y2="${n(bottom)}"/><text text-anchor="${anchor}" x="${at}" y="${i % 2 === 0 ? 9 : 19}">${escaped(text)}</text>`;
  });
  const body = [
    ...rows.map((one) => cells(picture, one, x)),
    ...labels,
    ...lines,
    ...ticks,
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(bottom)}" y2="${n(bottom)}"/>`,
    `<text x="0" y="${n(bottom + 15)}">event</text>`,
    marks(report, rows, xOf),
  ].join('');
  const coarse = picture.coarse
    ? ' Neighbouring ranges share a row, which shows the most that was allowed in any of them.'
    : '';
  return (
    `<p class="dim">Every page that was executable at some time, from low to high addresses; a page that changed within one column shows the most it was allowed there.${coarse}</p>` +
    `${legend()}<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${n(bottom + 20)}" role="img" aria-label="Permissions of executable memory over the events of the trace">${DEFINITIONS}${body}</svg></div>` +
    '<output id="said" aria-live="polite">Point at, tap or tab to a part of the picture.</output>'
  );
};
