/**
 * Moments: `TRACE@WHERE`, where WHERE is `42` (event), `#loaded8` (marker), `6.817602s` (time), `start` or `end` (default). A moment is after its event;
 * `start` is before the first event, starting dump included. (design.md §7)
 */
import { fail, ok, type Result } from '../core/value/failure.js';
import { nearNames } from '../store/index.js';
import { timeText } from './clock.js';

/** A place in a trace as somebody wrote it. */
export type Where =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'event'; readonly seq: number }
  | { readonly kind: 'marker'; readonly text: string }
  /** Absolute, as printed in the trace, in nanoseconds. */
  | { readonly kind: 'time'; readonly ns: bigint };

/** A moment as somebody wrote it. */
export interface WrittenMoment {
  readonly trace: string;
  readonly where: Where;
}

/** A marker of a trace. */
export interface MarkerAt {
  readonly seq: number;
  /** Nanoseconds since the first event. */
  readonly time: number;
  readonly text: string;
}

/** What a trace must tell for a WHERE to be found in it. */
export interface MomentSource {
  readonly name: string;
  /** How many events it has: the number of the last one. */
  readonly events: number;
  /** Absolute time of the first event in nanoseconds; null where it is not known. */
  readonly origin: bigint | null;
  markers(): Result<readonly MarkerAt[]>;
  /** Number of the last event at or before a time (nanoseconds since the first event), 0: none. */
  lastAt(time: number): Result<number>;
}

const FORMS = '42 (an event), #MARKER, 6.817602s (a time), start or end';
const PHASE = 'phase: ';
const NS_DIGITS = 9;

const bad = (text: string, why: string): Result<never> =>
  fail('bad-moment', `${JSON.stringify(text)} is no moment: ${why}`, undefined, `write ${FORMS}`);

/** Reads WHERE. Failure: `bad-moment`. */
export const parseWhere = (text: string): Result<Where> => {
  if (text === '' || text === 'end') return ok({ kind: 'end' });
  if (text === 'start') return ok({ kind: 'start' });
  if (text.startsWith('#'))
    return text.length > 1 ? ok({ kind: 'marker', text: text.slice(1) }) : bad(text, 'the marker is missing');
  if (/^\d+$/.test(text)) {
    const seq = Number(text);
    return Number.isSafeInteger(seq)
      ? ok({ kind: 'event', seq })
      : bad(text, 'no trace has that many events');
  }
  const time = /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text);
  if (time === null) return bad(text, 'its form is not known');
  const [, seconds = '', rest = ''] = time;
  return ok({ kind: 'time', ns: BigInt(seconds + rest.padEnd(NS_DIGITS, '0')) });
};

/** Reads `TRACE@WHERE`; a trace alone means its end. */
export const parseMoment = (text: string): Result<WrittenMoment> => {
  const at = text.indexOf('@');
  const trace = at < 0 ? text : text.slice(0, at);
  if (trace === '')
    return fail(
      'bad-moment',
      `${JSON.stringify(text)} names no trace`,
      undefined,
      `write TRACE@WHERE; WHERE is ${FORMS}`,
    );
  const where = parseWhere(at < 0 ? 'end' : text.slice(at + 1));
  return where.ok ? ok({ trace, where: where.value }) : where;
};

/** WHERE as it is written. */
export const whereText = (where: Where): string => {
  switch (where.kind) {
    case 'event':
      return String(where.seq);
    case 'marker':
      return `#${where.text}`;
    case 'time':
      return timeText(where.ns);
    default:
      return where.kind;
  }
};

const called = (text: string): string => (text.startsWith(PHASE) ? text.slice(PHASE.length) : text);

/** Markers that a text names: whole texts and texts after `phase: ` before prefixes. */
const named = (markers: readonly MarkerAt[], text: string): readonly MarkerAt[] => {
  const exact = markers.filter((marker) => marker.text === text || called(marker.text) === text);
  if (exact.length > 0) return exact;
  return markers.filter((marker) => marker.text.startsWith(text) || called(marker.text).startsWith(text));
};

const FEW = 6;

const listed = (items: readonly string[]): string =>
  items.length <= FEW
    ? items.join(', ').replace(/, ([^,]*)$/, ' and $1')
    : `${items.slice(0, FEW).join(', ')} and ${items.length - FEW} more`;

const ambiguous = (source: MomentSource, text: string, found: readonly MarkerAt[]): Result<never> => {
  const texts = new Set(found.map((marker) => marker.text));
  const seqs = found.map(({ seq }) => String(seq));
  if (texts.size === 1)
    return fail(
      'ambiguous-moment',
      `marker #${text} occurs ${found.length === 2 ? 'twice' : `${found.length} times`} in trace ${source.name}: events ${listed(seqs)}`,
      undefined,
      `write #${text}:1 for the first, #${text}:2 for the second, or the number of the event`,
    );
  return fail(
    'ambiguous-moment',
    `#${text} fits ${found.length} markers of trace ${source.name}: ${listed(
      found.map(({ seq, text: own }) => `${JSON.stringify(called(own))} (event ${seq})`),
    )}`,
    undefined,
    'write more of it, or the number of the event',
  );
};

const noMarker = (source: MomentSource, text: string, markers: readonly MarkerAt[]): Result<never> => {
  const names = [...new Set(markers.map((marker) => called(marker.text)))];
  const near = nearNames(text, names);
  // Phases are few and short; the operations of a workload are neither.
  const phases = [
    ...new Set(
      markers.filter((marker) => marker.text.startsWith(PHASE)).map((marker) => called(marker.text)),
    ),
  ];
  const hint =
    names.length === 0
      ? 'this trace has no markers: write the number of an event, a time, start or end'
      : near.length > 0
        ? `did you mean ${near.map((name) => `#${name}`).join(' or ')}?`
        : `its markers are ${listed((phases.length > 0 ? phases : names).map((name) => `#${name}`))}`;
  return fail('no-such-marker', `trace ${source.name} has no marker #${text}`, undefined, hint);
};

const findMarker = (source: MomentSource, text: string): Result<number> => {
  const all = source.markers();
  if (!all.ok) return all;
  const found = named(all.value, text);
  if (found.length === 1) return ok((found[0] as MarkerAt).seq);
  if (found.length > 1) return ambiguous(source, text, found);
  const numbered = /^(.+):(\d{1,9})$/s.exec(text);
  if (numbered === null) return noMarker(source, text, all.value);
  const [, name = '', nth = ''] = numbered;
  const of = named(all.value, name);
  if (of.length === 0) return noMarker(source, name, all.value);
  if (new Set(of.map((marker) => marker.text)).size > 1) return ambiguous(source, name, of);
  const marker = of[Number(nth) - 1];
  return marker === undefined
    ? fail(
        'no-such-marker',
        `marker #${name} occurs ${of.length === 1 ? 'once' : `${of.length} times`} in trace ${source.name}, there is no number ${nth}`,
        undefined,
        `event${of.length === 1 ? '' : 's'} ${listed(of.map(({ seq }) => String(seq)))}`,
      )
    : ok(marker.seq);
};

const findTime = (source: MomentSource, where: Where & { readonly kind: 'time' }): Result<number> => {
  if (source.origin === null)
    return fail(
      'no-times',
      `trace ${source.name} does not say when it began`,
      undefined,
      'write the number of an event or a marker',
    );
  const since = where.ns - source.origin;
  if (since < 0n)
    return fail(
      'before-trace',
      `${whereText(where)} is before the first event of trace ${source.name}`,
      undefined,
      `it begins at ${whereText({ kind: 'time', ns: source.origin })}; what was known before is ${source.name}@start`,
    );
  return source.lastAt(Number(since));
};

/**
 * The event after which the moment is, 0 for the start. Failures: `no-such-event`, `no-such-marker`, `ambiguous-moment`, `no-times`, `before-trace`, or
 * damage of the log.
 */
export const findWhere = (source: MomentSource, where: Where): Result<number> => {
  switch (where.kind) {
    case 'start':
      return ok(0);
    case 'end':
      return ok(source.events);
    case 'event':
      return where.seq <= source.events
        ? ok(where.seq)
        : fail(
            'no-such-event',
            `trace ${source.name} has no event ${where.seq}`,
            undefined,
            source.events === 0 ? 'it is empty' : `it has 1 to ${source.events}`,
          );
    case 'marker':
      return findMarker(source, where.text);
    default:
      return findTime(source, where);
  }
};
