import { payloadJson, valuesJson, type JsonValue } from '../core/codec/json.js';
import type { Event, EventOf } from '../core/event/event.js';
import { Space } from '../core/event/pages.js';
import { ORIGINS, Origin } from '../core/event/kind.js';
import { CONTENT_CLASSES } from '../core/memory/content.js';
import { Address, pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';
import { Word } from '../core/value/words.js';
import { bytesText, plural } from './numbers.js';
import { valuesText } from './valuesText.js';

const LETTERS = [
  [Prot.present, 'p'],
  [Prot.writable, 'w'],
  [Prot.executable, 'x'],
  [Prot.dirty, 'd'],
] as const;

const letters = (bits: number): string =>
  LETTERS.filter(([bit]) => (bits & bit) !== 0)
    .map(([, letter]) => letter)
    .join('');

/** `+x -w`: bits that became yes and no (p present, w writable, x executable, d dirty). */
export const changeText = (set: number, clear: number): string =>
  [set === 0 ? '' : `+${letters(set)}`, clear === 0 ? '' : `-${letters(clear)}`].filter(Boolean).join(' ');

const pagesText = (pages: number): string => plural(pages, 'page');

/** A frame: its physical address, or the name it has until that is known. */
export const frameText = (frame: number): string => (frame >= 0 ? pageText(frame) : `frame f${-frame}`);

const spaceText = (space: number, page: number): string =>
  space === Space.direct ? `direct map of ${pageText(page)}` : pageText(page);

const leaf = (shift: number): string => (shift < 12 ? '?' : bytesText(2 ** shift));

const patternText = (pattern: number): string => `0x${(pattern >>> 0).toString(16).padStart(8, '0')}`;

const fieldText = (value: JsonValue): string =>
  typeof value === 'object'
    ? Object.entries(value)
        .map(([name, text]) => `${name}=${text ?? ''}`)
        .join(' ')
    : String(value);

const generic = (event: Event): string =>
  Object.entries(payloadJson(event))
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${fieldText(value)}`)
    .join(' ');

const callText = ({ kind, fn, names, values }: EventOf<'entered'> | EventOf<'returned'>): string =>
  valuesText(fn, kind === 'entered' ? 'entry' : 'result', valuesJson(names, values));

/** What an event says, without its kind: addresses first, then how much and how. */
export function detailText(event: Event): string {
  switch (event.kind) {
    case 'entered':
    case 'returned':
      return `${event.fn} ${callText(event)}`.trimEnd();
    case 'chosen': {
      const same = event.predicted === event.value;
      const expected =
        event.predicted === '' ? '' : same ? ' (as predicted)' : ` (predicted ${event.predicted})`;
      return `${event.what} ${event.value}${expected}`;
    }
    case 'area-allocated':
      return `${pageText(event.start)} ${pagesText(event.pages)}${event.caller === '' ? '' : ` by ${event.caller}`}`;
    case 'area-freed':
    case 'frames-released':
    case 'pack-removed':
      return pageText(event.start);
    case 'areas-purged':
      return event.pages === 0
        ? 'all lazily freed areas'
        : `${pageText(event.start)} ${pagesText(event.pages)}`;
    case 'mapped':
      return `${pageText(event.page)} ${pagesText(event.pages)} ${Prot.toText(event.prot)} leaf ${leaf(event.shift)} at ${frameText(event.frame)}`;
    case 'unmapped':
      return `${pageText(event.page)} ${pagesText(event.pages)}`;
    case 'direct-mapped':
      return `${spaceText(Space.direct, event.page)} ${pagesText(event.pages)} ${Prot.toText(event.prot)} leaf ${leaf(event.shift)}`;
    case 'permission':
      return `${spaceText(event.space, event.page)} ${pagesText(event.pages)} ${changeText(event.set, event.clear)}`;
    case 'split':
    case 'collapsed':
      return `${spaceText(event.space, event.page)} ${leaf(event.from)} → ${leaf(event.to)}`;
    case 'identified':
      return `${frameText(event.frame)} is ${pageText(event.page)}${event.pages === 1 ? '' : `, ${pagesText(event.pages)}`}`;
    case 'leaf-known':
      return `${spaceText(Space.direct, event.page)} leaf ${leaf(event.shift)}`;
    case 'copied':
      return `${Address.toText(event.to)} ${bytesText(event.length)} ${event.what} by ${event.way}`;
    case 'filled':
      return `${Address.toText(event.to)} ${bytesText(event.length)} of ${patternText(event.pattern)} by ${event.way}`;
    case 'seen':
      return `${Address.toText(event.at)} holds ${patternText(event.value)}`;
    case 'content':
      return `${frameText(event.frame)} blocks ${event.block}–${event.block + event.blocks - 1} ${CONTENT_CLASSES[event.class] ?? ''}`;
    case 'tlb-flushed':
      return event.pages === 0
        ? `everything (${event.why})`
        : `${pageText(event.page)} ${pagesText(event.pages)} (${event.why})`;
    case 'icache-flushed':
      return `${Address.toText(event.at)} ${bytesText(event.length)}`;
    case 'pack-created':
      return `${pageText(event.start)} ${bytesText(event.bytes)}${event.partial === 0 ? '' : ', which chunks are taken is not fully known'}`;
    case 'chunk-allocated':
    case 'chunk-freed':
      return `${Address.toText(event.at)} ${bytesText(event.bytes)}`;
    case 'program-allocated':
      return `#${event.program} (${event.type}) ${Address.toText(event.chunk)} ${bytesText(event.bytes)}`;
    case 'program-placed':
      return `#${event.program} entry ${Address.toText(event.start)} ${bytesText(event.length)}`;
    case 'program-finalized':
    case 'program-freed':
      return `#${event.program}`;
    case 'program-joined':
      return `#${event.program} is struct bpf_prog ${Word.toHex(event.pointer)}`;
    case 'published':
      return `${Address.toText(event.start)} ${event.name}`;
    case 'unpublished':
      return `${Address.toText(event.start)} ${event.name}`;
    case 'marker':
      return event.text;
    case 'warned':
      return `${event.bug === 1 ? 'BUG: ' : ''}${event.text}`;
    case 'gap':
      return `${event.lost === 0 ? 'events' : plural(event.lost, 'event')} lost: ${event.why}`;
    case 'divergence':
      return `line ${event.line}: ${event.fn}: the model said ${event.model}, recorded is ${event.recorded} (${event.id})`;
    case 'forgotten':
      return `${pageText(event.page)} ${pagesText(event.pages)}: ${event.why}`;
    case 'noted':
      return `${event.event}: ${event.body}`;
    default:
      return generic(event);
  }
}

/** `entered` and `returned` as arrows: the lines between are what the call did. */
const MARKS: Readonly<Partial<Record<Event['kind'], string>>> = { entered: '→', returned: '←' };

/** Kind and detail of an event in one line. */
export function eventText(event: Event): string {
  const mark = MARKS[event.kind];
  const text = mark === undefined ? `${event.kind} ${detailText(event)}` : `${mark} ${detailText(event)}`;
  return event.origin === Origin.assumed ? `${text} (${ORIGINS[event.origin]})` : text;
}
