/**
 * The trace event format that Chrome defined and the Perfetto UI, chrome://tracing and speedscope open: JSON, one object an entry. Calls are `B` and `E`
 * slices on the line of their task, other events instants (`i`), what can be counted counters (`C`). Times are microseconds since the first event of the
 * trace; 64-bit values are texts, as in JSON Lines, since readers keep numbers as doubles.
 */
import { payloadJson, valuesJson } from '../../core/codec/json.js';
import type { Event, EventOf } from '../../core/event/event.js';
import { ORIGINS } from '../../core/event/kind.js';
import type { Memory } from '../../core/memory/memory.js';
import { gathered, type ExportedTrace, type ExportWriter } from './exportWriter.js';
import { Counting, UNITS, type Counts } from './perfettoCounters.js';
import { Tracks, type Placed, type Track } from './perfettoTracks.js';

const PID = 1;

/** Nanoseconds as microseconds, exact. */
const micros = (ns: number): string => `${Math.floor(ns / 1000)}.${String(ns % 1000).padStart(3, '0')}`;

/** `"name":value` of an entry whose time is written as it is. */
const entry = (ph: string, ns: number, rest: object): string =>
  `,\n{"ph":"${ph}","ts":${micros(ns)},"pid":${PID},${JSON.stringify(rest).slice(1)}`;

const metadata = (name: string, tid: number, args: object): string =>
  JSON.stringify({ ph: 'M', ts: 0, pid: PID, tid, name, args });

type Args = Readonly<Record<string, unknown>>;

/** Names that the arguments of every entry have. */
const COMMON = ['seq', 'cpu', 'origin', 'detail'];

/** Arguments of an entry: what every event has, then its own; of these, one with a name of the others gets an underscore. */
function argsOf({ seq, cpu, origin }: Event, detail: string, own: Args): Args {
  const common = { seq, cpu, origin: ORIGINS[origin], ...(detail === '' ? {} : { detail }) };
  return COMMON.some((name) => name in own)
    ? {
        ...common,
        ...(Object.fromEntries(
          Object.entries(own).map(([name, value]) => [COMMON.includes(name) ? `${name}_` : name, value]),
        ) as Args),
      }
    : { ...common, ...own };
}

/** Values of a call line by name. */
const callArgs = (event: EventOf<'entered' | 'returned'>): Args =>
  argsOf(event, '', valuesJson(event.names, event.values));

const isCall = (event: Event): event is EventOf<'entered' | 'returned'> =>
  event.kind === 'entered' || event.kind === 'returned';

export interface PerfettoOptions {
  /** Memory before the first event. */
  readonly start: Memory;
  /** What an event says, in a few words. */
  readonly detail: (event: Event) => string;
}

class Entries {
  readonly #tracks = new Tracks();
  readonly #counting: Counting;
  #shown: Partial<Counts> = {};

  constructor(readonly options: PerfettoOptions) {
    this.#counting = new Counting(options.start);
  }

  *of(event: Event): Generator<string> {
    const placed = this.#tracks.place(event);
    const { track, isNew, abandoned } = placed;
    if (isNew) yield `,\n${metadata('thread_name', track.tid, { name: track.name })}`;
    for (const call of abandoned)
      yield entry('E', event.time, { tid: track.tid, args: { entered: call, return: 'not recorded' } });
    yield isCall(event) ? this.#call(event, placed) : this.#instant(event, track);
    if (isCall(event)) return;
    this.#counting.apply(event);
    yield* this.counters(event.time);
  }

  #call(event: EventOf<'entered' | 'returned'>, { track, matches }: Placed): string {
    const args = callArgs(event);
    const { tid } = track;
    if (event.kind === 'entered') return entry('B', event.time, { tid, cat: 'call', name: event.fn, args });
    return matches
      ? entry('E', event.time, { tid, args })
      : entry('i', event.time, {
          tid,
          s: 't',
          cat: 'call',
          name: `${event.fn} returned, entry not recorded`,
          args,
        });
  }

  #instant(event: Event, { tid }: Track): string {
    const isMarker = event.kind === 'marker';
    const detail = this.options.detail(event);
    return entry('i', event.time, {
      tid,
      s: isMarker ? 'g' : 't',
      cat: event.kind,
      name: isMarker ? event.text : event.kind,
      args: argsOf(event, detail, payloadJson(event)),
    });
  }

  /** Counters that have changed. One that is not known any more ends with an instant that says so: a counter cannot. */
  *counters(time: number): Generator<string> {
    const counts = this.#counting.counts();
    for (const name of Object.keys(UNITS) as (keyof Counts)[]) {
      const value = counts[name];
      if (value === this.#shown[name]) continue;
      yield value === null
        ? entry('i', time, { tid: 0, s: 'p', cat: 'unknown', name: `${name}: not known from here on` })
        : entry('C', time, { name, args: { [UNITS[name]]: value } });
    }
    this.#shown = counts;
  }
}

export function perfetto(trace: ExportedTrace, options: PerfettoOptions): ExportWriter {
  const entries = new Entries(options);
  const { name, kernel, arch, origin, events, root } = trace;
  const title = [name, kernel, arch].filter((part) => part !== null).join(' ');
  function* all(batch: readonly Event[]): Generator<string> {
    for (const event of batch) yield* entries.of(event);
  }
  return {
    begin: () =>
      gathered([
        `{"displayTimeUnit":"ns","otherData":${JSON.stringify({ trace: name, kernel, arch, time_origin_ns: origin, events, root })},\n`,
        `"traceEvents":[\n${metadata('process_name', 0, { name: title })}`,
        ...entries.counters(0),
      ]),
    add: (batch) => gathered(all(batch)),
    end: () => ['\n]}\n'],
  };
}
