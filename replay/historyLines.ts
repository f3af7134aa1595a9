/** Histories and causes for people. */
import type { Event } from '../core/event/event.js';
import type { Circumstances, OpenCall } from './calls.js';
import type { Clock } from './clock.js';
import { eventText } from './eventText.js';
import type { HistoryItem } from './history.js';
import { countText, sizeText } from './sections.js';
import type { ChangedRange, ShownPage } from './changedRanges.js';
import { valuesText } from './valuesText.js';
import { operationText } from './operationText.js';
import type { Cause, CausedPage, Why } from './why.js';

const pageText = ({ prot, page_size, backs }: ShownPage): string =>
  [prot, sizeText(page_size), backs === null || backs === undefined ? '' : `backs ${backs}`]
    .filter((part) => part !== '')
    .join(' ');

const physText = ({ phys }: ShownPage): string => `physical ${phys ?? 'not known'}`;

const rangeText = (what: string, { start, end, from, to }: ChangedRange): string => {
  const where = `${what} ${start} to ${end}`;
  if (from === null) return `${where}: now ${to === null ? 'nothing' : pageText(to)}`;
  if (to === null) return `${where}: ${pageText(from)} → not mapped`;
  const [before, after] = [pageText(from), pageText(to)];
  return before === after
    ? `${where}: ${physText(from)} → ${physText(to)}`
    : `${where}: ${before} → ${after}`;
};

/** What one change was, line by line. */
export const changeLines = (item: HistoryItem): readonly string[] => [
  ...item.life,
  ...item.mappings.map((range) => rangeText('pages', range)),
  ...item.direct_map.map((range) => rangeText('direct map', range)),
  ...item.taken.map(({ start, bytes }) => `chunks taken: ${countText(bytes)} bytes at ${start}`),
  ...item.freed.map(({ start, bytes }) => `chunks given back: ${countText(bytes)} bytes at ${start}`),
  ...item.content.map(
    ({ start, bytes, from, to }) => `content of ${countText(bytes)} bytes at ${start}: ${from} → ${to}`,
  ),
];

/** `vfree ← bpf_prog_pack_free ← bpf_jit_free`: innermost first. */
export const chainText = (calls: readonly OpenCall[]): string =>
  calls.length === 0 ? 'outside any call' : calls.map(({ fn }) => fn).join(' ← ');

export const markerText = ({ marker, phase }: Pick<Circumstances, 'marker' | 'phase'>): string =>
  [...new Set([marker, phase].flatMap((one) => (one === null ? [] : [operationText(one.text)])))].join(', ');

/** Heading of a change: its event, when, who. */
export const eventHead = ({ seq, time, task, kind }: Event, clock: Clock): string =>
  [`event ${seq}`, clock(time), task, kind].filter((text) => text !== '').join('  ');

/** What was going on, line by line. */
export const circumstanceLines = (around: Circumstances): readonly string[] => {
  const marker = markerText(around);
  return [`in ${chainText(around.calls)}`, ...(marker === '' ? [] : [`after marker ${marker}`])];
};

/** One change for people. */
export const historyLines = (item: HistoryItem, clock: Clock): readonly string[] => {
  return [
    eventHead(item.event, clock),
    ...[...changeLines(item), ...circumstanceLines(item)].map((line) => `    ${line}`),
  ];
};

const causeLines = ({ event, around, ends }: Cause): readonly string[] => [
  ...(event === null ? [] : [`  ← event ${event.seq}: ${eventText(event)}`]),
  ...(around?.calls ?? []).map(({ seq, fn, args }) =>
    `  ← event ${seq}: ${fn} ${valuesText(fn, 'entry', args)}`.trimEnd(),
  ),
  ...(around === null || markerText(around) === '' ? [] : [`  ← marker ${markerText(around)}`]),
  ...(ends === null ? [] : [`  (${ends})`]),
];

const pageLines = (what: string, page: CausedPage): readonly string[] => [
  `${what} ${page.prot}, ${sizeText(page.page_size)} page, physical ${page.phys ?? 'not known'}`,
  ...causeLines(page.cause),
];

const contentLines = ({ content }: Why): readonly string[] =>
  content === null ? [] : [`Content: ${content.is}`, ...causeLines(content.cause)];

/** Why a page is as it is, for people. */
export const whyLines = (why: Why, clock: Clock): readonly string[] => {
  const at = why.seq === 0 ? 'before the first event' : `after event ${why.seq}`;
  const head = `${why.address} in ${why.trace} ${at}`;
  if (why.direct_map !== null) {
    const { phys, backs } = why.direct_map;
    return [
      head,
      `In the direct map: physical ${phys}${backs === null ? '' : `, which backs ${backs}`}`,
      ...(why.alias === null
        ? ['Nothing was recorded of this page of the direct map.']
        : pageLines('Direct map', why.alias)),
      ...contentLines(why),
    ];
  }
  if (why.page === null) {
    if (why.unknown !== null) return [head, `How this page is mapped is not known: ${why.unknown}.`];
    const since =
      why.gone === null
        ? ['Nothing is known of this page: it is not mapped as far as the trace says.']
        : ['Not mapped. Its last change:', ...historyLines(why.gone, clock)];
    return [head, ...since];
  }
  return [
    head,
    ...pageLines('Mapped', why.page),
    ...(why.alias === null ? [] : pageLines('Direct map', why.alias)),
    ...contentLines(why),
  ];
};
