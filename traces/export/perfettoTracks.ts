import type { Event, EventOf } from '../../core/event/event.js';

/** The line of a task in the picture, with the calls that are open in it. */
export interface Track {
  /** From 1: a thread of number 0 would be the idle task of all processors. */
  readonly tid: number;
  readonly name: string;
  readonly open: number[];
}

/** What an event means for the calls of its track. */
export interface Placed {
  readonly track: Track;
  /** The track is used for the first time. */
  readonly isNew: boolean;
  /** Calls that end here although the recording has no return of them, innermost first. */
  readonly abandoned: readonly number[];
  /** The call that begins or ends here is that of the event itself: false for a return of a call that is not open. */
  readonly matches: boolean;
}

/** The idle task has one pid on all processors, on each of which it calls for itself. */
const trackName = ({ task, cpu }: Event): string =>
  task === '' ? 'no task' : task.endsWith('-0') ? `${task} on cpu ${cpu}` : task;

export class Tracks {
  readonly #byName = new Map<string, Track>();
  /** Tracks of open calls: a task may be renamed before its call returns. */
  readonly #byCall = new Map<number, Track>();

  place(event: Event): Placed {
    if (event.kind === 'returned') return this.#leave(event);
    const name = trackName(event);
    const known = this.#byName.get(name);
    const track = known ?? { tid: this.#byName.size + 1, name, open: [] };
    if (known === undefined) this.#byName.set(name, track);
    if (event.kind !== 'entered') return { track, isNew: known === undefined, abandoned: [], matches: true };
    // What is open above the caller cannot return any more; a call without caller is the first one of its task.
    const caller = event.call === 0 ? -1 : track.open.lastIndexOf(event.call);
    const abandoned = event.call === 0 || caller >= 0 ? this.#close(track, caller + 1) : [];
    track.open.push(event.seq);
    this.#byCall.set(event.seq, track);
    return { track, isNew: known === undefined, abandoned, matches: true };
  }

  #leave(event: EventOf<'returned'>): Placed {
    const track = this.#byCall.get(event.call);
    if (track === undefined) {
      const placed = this.place({ ...event, kind: 'marker', text: '' });
      return { ...placed, matches: false };
    }
    const abandoned = this.#close(track, track.open.lastIndexOf(event.call) + 1);
    this.#close(track, track.open.length - 1);
    return { track, isNew: false, abandoned, matches: true };
  }

  /** Ends all calls of a track from one on. */
  #close(track: Track, from: number): readonly number[] {
    const closed = track.open.splice(from).reverse();
    for (const call of closed) this.#byCall.delete(call);
    return closed;
  }
}
