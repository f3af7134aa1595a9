/**
 * Follows a log instead of a recording: what was observed is followed again, and gives everything that was derived from it. A log of an import is
 * so its own oracle: old and new events are equal, byte for byte.
 */
import type { Arch } from '../../arch/arch.js';
import type { Event, EventOf } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import type { Memory } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import type { RecordedLine, RecordedNames } from '../recorded.js';
import { Follow } from './follow.js';

export interface RefollowOptions {
  readonly profile: Profile;
  readonly arch: Arch;
  /** Memory before the first event: of the trace's genesis. */
  readonly start: Memory;
  /** All events of the log, from the first on. */
  readonly events: Iterable<Event>;
}

/** Interns lists of names, as a reader of a recording does. */
const interner = (): ((names: string) => RecordedNames) => {
  const known = new Map<string, RecordedNames>();
  return (names) => {
    let found = known.get(names);
    if (found === undefined)
      known.set(names, (found = { id: known.size, names: names === '' ? [] : names.split(',') }));
    return found;
  };
};

interface Head {
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly time: number;
}

/** `comm-pid` taken apart: a comm may hold dashes, a pid does not. */
const headOf = ({ task, cpu, time }: Event): Head => {
  const dash = task.lastIndexOf('-');
  return { task: task.slice(0, dash), pid: Number(task.slice(dash + 1)), cpu, time };
};

/**
 * The events that a log's observed events give, one by one. Numbers of lines are the only thing a log does not keep of its recording: a
 * divergence says its own, and the n-th new one takes that of the n-th old one.
 */
export function* refollow({ profile, arch, start, events }: RefollowOptions): Generator<Event> {
  const names = interner();
  const lines: number[] = [];
  let made: Event[] = [];
  const follow = new Follow({ profile, arch, nodes: 1, start, emit: (event) => made.push(event) });
  const withLine = (event: Event): Event =>
    event.kind === 'divergence' ? { ...event, line: lines.shift() ?? 0 } : event;
  const lineOf = (event: EventOf<'entered'> | EventOf<'returned'>): RecordedLine => ({
    line: 0,
    ...headOf(event),
    fn: event.fn,
    isReturn: event.kind === 'returned',
    place: event.place,
    signature: names(event.names),
    ...event.values,
  });
  const give = (event: Event): void => {
    switch (event.kind) {
      case 'entered':
      case 'returned':
        return follow.line(lineOf(event));
      case 'marker':
        return follow.marker({ ...headOf(event), text: event.text });
      case 'noted':
        return follow.noted({ ...headOf(event), event: event.event, body: event.body });
      case 'limit-set':
        return follow.limit(event.bytes);
      case 'gap':
        return follow.lost(event.lost, event.why, event.origin === Origin.derived ? null : event.cpu);
      default:
        return undefined;
    }
  };
  // A divergence of a line comes before or after the line's own event: what a line gives is held back until the next one is read.
  let held: Event[] = [];
  for (const event of events) {
    if (event.kind === 'divergence') lines.push(event.line);
    if (event.origin !== Origin.observed && event.kind !== 'gap') continue;
    yield* held.map(withLine);
    give(event);
    held = made;
    made = [];
  }
  yield* held.map(withLine);
  follow.end();
  yield* made.map(withLine);
}
