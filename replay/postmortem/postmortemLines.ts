/** A post-mortem for people: titled paragraphs. */
import { arm64Syndrome } from '../../core/oops/arm64.js';
import type { CodePlace, Oops, Translation } from '../../core/oops/oops.js';
import { protOf } from '../../core/oops/translation.js';
import { x86Error } from '../../core/oops/x86.js';
import { Address, pageText } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import type { HistoryItem } from '../history.js';
import { chainText, changeLines } from '../historyLines.js';
import { momentText } from '../log.js';
import { operationText } from '../operationText.js';
import { sizeOf } from '../ranges.js';
import { timeText } from '../clock.js';
import { plural } from '../numbers.js';
import { countText, sizeText } from '../sections.js';
import { programText } from '../subjects.js';
import { accessText } from './known/asks.js';
import { CONTENT_WORDS, type Place } from './place.js';
import type { Explanation, PostMortem, Writer } from './postmortem.js';
import type { OopsScene, TracedScene } from './scene.js';

export interface Paragraph {
  readonly title: string;
  readonly lines: readonly string[];
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const addressText = (value: bigint): string => Address.toText(Address.fromBigInt(value));

const codeText = ({ address, symbol, offset, size, module }: CodePlace): string => {
  const name = symbol === null ? '' : `${symbol}+${hex(BigInt(offset))}/${hex(BigInt(size ?? 0))}`;
  const at = address === null ? '' : addressText(address);
  return [name, at === '' || name === '' ? at : `(${at})`, module === null ? '' : `[${module}]`]
    .filter((part) => part !== '')
    .join(' ');
};

const KINDS: Readonly<Record<Oops['kind'], string>> = {
  'page-fault': 'a page fault',
  trap: 'a trap instruction was executed',
  'invalid-instruction': 'something that is no instruction was executed',
  'general-protection':
    'a general protection fault: a bad address or a bad instruction, the CPU does not say which',
  bug: 'a check of the kernel failed',
};

const codeWords = (oops: Oops): string =>
  oops.code === null
    ? ''
    : ` (${oops.arch === 'arm64' ? 'ESR' : 'error code'} ${hex(oops.code)}: ${(oops.arch === 'arm64' ? arm64Syndrome(oops.code) : x86Error(oops.code)).words.join(', ')})`;

const FRAMES = 8;

const faultLines = (oops: Oops): readonly string[] => {
  const { kind, access, address, pc, lr, trace, cpu, comm, pid, release, tainted, time } = oops;
  const what =
    kind === 'page-fault' && access !== null && address !== null
      ? `${accessText(access)} of ${addressText(address)} was refused`
      : `${KINDS[kind]}${address === null ? '' : ` at ${addressText(address)}`}`;
  const callers = trace.filter(({ reliable }) => reliable);
  // arm64 begins the trace with the instruction itself.
  const own = callers[0];
  const begins = own !== undefined && pc !== null && codeText(own) === codeText(pc);
  const chain = callers.slice(begins ? 1 : 0).map((place) => place.symbol ?? codeText(place));
  const who = [
    ...(comm === null ? [] : [`task ${comm}-${pid}`]),
    ...(cpu === null ? [] : [`CPU ${cpu}`]),
    ...(release === null ? [] : [`kernel ${release}`]),
    ...(tainted === null ? [] : [`tainted ${tainted}`]),
    ...(time === null ? [] : [`at ${timeText(time)}`]),
  ];
  return [
    `${what}${codeWords(oops)}`,
    ...(pc === null ? [] : [`in ${codeText(pc)}`]),
    ...(lr === null ? [] : [`to return to ${codeText(lr)}`]),
    ...(chain.length === 0
      ? []
      : [`called by ${chain.slice(0, FRAMES).join(' ← ')}${chain.length > FRAMES ? ' ← …' : ''}`]),
    ...(who.length === 0 ? [] : [who.join(', ')]),
  ];
};

const tableLines = (translation: Translation): readonly string[] => {
  const width = Math.max(...translation.levels.map(({ raw }) => (raw === null ? 3 : hex(raw).length)));
  const { present, shift, pfn } = translation;
  const result =
    present === null
      ? 'could not be read'
      : !present
        ? 'not present'
        : `${Prot.toText(protOf(translation))}, ${sizeText(sizeOf(shift ?? 0))} page`;
  return [
    ...translation.levels.map(({ level, raw, flags }) =>
      `${level.padEnd(3)}  ${(raw === null ? 'BAD' : hex(raw)).padEnd(width)}  ${flags.join(' ')}`.trimEnd(),
    ),
    `together: ${result}${pfn === null ? '' : `, physical ${pageText(pfn)}`}`,
  ];
};

const momentLines = ({ trace, moment }: TracedScene): readonly string[] => [
  `moment: ${momentText({ trace: trace.name, seq: moment.seq })}, ${moment.how}`,
];

const backingLines = ({ alias }: TracedScene): readonly string[] =>
  alias.backed.map(
    ({ page, from, to }) =>
      `the frame backed ${pageText(page)} ${from === 0 ? 'before the trace began' : `from event ${from}`}${to === null ? ' until now' : ` to event ${to}`}`,
  );

const CHUNK = 64;

const placeLines = (scene: TracedScene, place: Place): readonly string[] => {
  const { space, base, entry, pfn, area, pack, program, symbol, content, gone, gonePacks } = place;
  if (space === 'user')
    return [`${Address.toText(place.address)}: an address of user space, no kernel memory`];
  const own =
    space === 'direct' && entry !== null ? Address.of(entry.frame, place.address.offset) : place.address;
  return [
    ...(space === 'direct' && base !== null
      ? [
          `direct map of physical ${pageText(pfn ?? 0)}${base.from === 'oops' ? ' (the direct map is placed by the page-table line)' : ''}`,
          ...backingLines(scene),
        ]
      : []),
    entry === null
      ? scene.history.length > 0
        ? 'by the trace nothing is mapped there'
        : 'the trace knows nothing of it'
      : `by the trace: ${Prot.toText(entry.prot)}, ${sizeText(sizeOf(entry.shift))} page, physical ${pfn === null ? 'not known' : pageText(pfn)}`,
    ...(area === null
      ? []
      : [
          `${area.state === 'live' ? '' : 'lazily freed '}area ${pageText(area.start)} to ${pageText(area.start + area.pages)}${area.caller === '' ? '' : `, allocated by ${area.caller}`}`,
        ]),
    ...(pack === null
      ? []
      : [
          `pack at ${pageText(pack.start)}, chunk ${Math.floor(Address.minus(own, Address.of(pack.start)) / CHUNK)} of ${pack.bytes / CHUNK}`,
        ]),
    ...(program === null
      ? []
      : [`program:${program.number} (${program.name ?? 'no symbol'}, ${program.type}), ${program.state}`]),
    ...(symbol === null || symbol.name === program?.name ? [] : [`symbol ${symbol.name}`]),
    ...(content === null ? [] : [`content: ${CONTENT_WORDS[content.kind]}`]),
    ...gone.slice(0, 3).map((life) => `before: ${programText(life)}, freed by event ${life.to}`),
    ...gonePacks
      .slice(0, 3)
      .map((life) => `before: pack at ${pageText(life.start)}, from event ${life.from} to event ${life.to}`),
  ];
};

/** The faulting address, and the code where it is of interest by itself. */
const addressLines = (scene: TracedScene): readonly string[] => {
  const { place, code } = scene;
  const isOwn = code !== null && place !== null && Address.equals(code.address, place.address);
  const ofTrace = code !== null && (code.entry !== null || code.area !== null || code.gone.length > 0);
  return [
    ...momentLines(scene),
    ...(place === null ? ['the oops names no address that could be looked up'] : placeLines(scene, place)),
    ...(code !== null && !isOwn && ofTrace
      ? [`the code, ${Address.toText(code.address)}:`, ...placeLines(scene, code).map((line) => `  ${line}`)]
      : []),
  ];
};

const MARKS = { for: '+', against: '−', unknown: '?' } as const;

const eventsText = (events: readonly number[]): string =>
  events.length === 0 ? '' : ` (event${events.length === 1 ? '' : 's'} ${events.join(', ')})`;

const FITS: Readonly<Record<Explanation['fit'], string>> = { fits: 'fits', possible: 'possible' };

const explanationLines = (list: readonly Explanation[]): readonly string[] => {
  return list.flatMap(({ id, title, known, fit, score, affected, fix, evidence }, index) => [
    `${index + 1}. ${known ? `${id}: ` : ''}${title}`,
    `   ${[FITS[fit], ...(known ? [`weight ${score.toFixed(2)}`] : ['what the state says'])].join(', ')}`,
    // Several questions may have the same answer: that there is no trace.
    ...new Set(
      evidence.map(({ verdict, text, events }) => `   ${MARKS[verdict]} ${text}${eventsText(events)}`),
    ),
    ...(known ? [`   kernels: ${affected ?? '?'}; fixed by: ${fix ?? 'no fix found'}`] : []),
  ]);
};

const writerLines = (what: string, writer: Writer | null, scene: OopsScene): readonly string[] => {
  if (scene.traced === null) return [];
  if (writer === null) return [`${what}: no change is recorded`];
  const { event, calls, marker } = writer;
  const who = event.task === '' ? '' : ` by ${event.task}`;
  return [
    `${what}: event ${event.seq}, ${event.kind}${who}`,
    `   in ${chainText(calls)}`,
    ...(marker === null ? [] : [`   after marker ${operationText(marker.text)}`]),
  ];
};

/** Changes shown at most unless all are wanted. */
const MOST = 8;

const itemLines = (item: HistoryItem): readonly string[] => {
  const { event, calls } = item;
  const head = `event ${event.seq}  ${event.task}  ${event.kind}  in ${chainText(calls)}`;
  return [head, ...changeLines(item).map((line) => `    ${line}`)];
};

const historyLines = (scene: TracedScene, all: boolean): readonly string[] => {
  const { history, page } = scene;
  if (page === null || history.length === 0) return [];
  const shown = all ? history : history.slice(-MOST);
  const left = history.length - shown.length;
  const lines = shown.flatMap(itemLines);
  return left > 0 ? [`${plural(left, 'earlier change')} left out (--all shows them)`, ...lines] : lines;
};

const aliasLines = ({ alias }: TracedScene, all: boolean): readonly string[] => {
  const shown = all ? alias.changes : alias.changes.slice(-MOST);
  const left = alias.changes.length - shown.length;
  return [
    ...(left > 0 ? [`${plural(left, 'earlier change')} left out (--all shows them)`] : []),
    ...shown.map(({ event, from, to }) => {
      const text = (entry: typeof to): string =>
        entry === null
          ? 'not known'
          : `${Prot.toText(entry.prot)} ${sizeText(sizeOf(entry.shift))}${entry.frame >= 0 ? `, backs ${pageText(entry.frame)}` : ''}`;
      return `event ${event.seq}  ${event.task}  ${event.kind}: ${text(from)} → ${text(to)}`;
    }),
  ];
};

export interface LineOptions {
  /** Every change of the page. */
  readonly all: boolean;
}

/** The whole report. */
export const postMortemParagraphs = (
  { scene, compared, permission, content, explanations, unknown }: PostMortem,
  { all }: LineOptions,
): readonly Paragraph[] => {
  const { oops, translation, traced } = scene;
  const ofFault = explanations.filter(({ explains }) => explains === 'fault');
  const ofState = explanations.filter(({ explains }) => explains === 'state');
  const list: Paragraph[] = [
    { title: oops.headline, lines: faultLines(oops) },
    {
      title: 'What fits',
      lines: ofFault.length === 0 ? ['nothing that is known explains this fault'] : explanationLines(ofFault),
    },
    { title: 'Seen beside it, and no cause of a fault by itself', lines: explanationLines(ofState) },
    { title: 'Page table in the oops', lines: translation === null ? [] : tableLines(translation) },
    { title: 'The address', lines: traced === null ? [] : addressLines(traced) },
    {
      title: 'By the trace, and in the oops',
      lines: compared.map(
        ({ what, model, oops: seen, equal, note }) =>
          `${what}: ${model ?? '?'} by the trace, ${seen ?? '?'} in the oops${equal === true ? ', equal' : ''}${note === null ? '' : `: ${note}`}`,
      ),
    },
    {
      title: 'Last changes',
      lines: [...writerLines('permission', permission, scene), ...writerLines('content', content, scene)],
    },
    {
      title: `History of ${traced?.page === null || traced === null ? 'the page' : pageText(traced.page)}${traced === null ? '' : `, ${countText(traced.history.length)} changes`}`,
      lines: traced === null ? [] : historyLines(traced, all),
    },
    { title: 'History of its direct map', lines: traced === null ? [] : aliasLines(traced, all) },
    { title: 'Not known', lines: unknown },
  ];
  return list.filter(({ lines }) => lines.length > 0);
};
