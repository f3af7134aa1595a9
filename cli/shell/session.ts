import type { Cursor, CursorMoment } from '../../replay/cursor.js';
import type { At, TraceView } from '../../replay/log.js';
import type { Result } from '../../core/value/failure.js';
import type { Context } from '../console/context.js';
import { clockOf, type Clock } from '../../replay/clock.js';

/** Where a shell is, and what it prints with. */
export interface Session {
  readonly context: Context;
  readonly trace: TraceView;
  readonly cursor: Cursor;
  readonly clock: Clock;
  /** Places with a name that somebody gave, by event. */
  readonly bookmarks: Map<string, number>;
}

export const Session = Object.freeze({
  on(context: Context, trace: TraceView, cursor: Cursor): Session {
    return { context, trace, cursor, clock: clockOf(trace), bookmarks: new Map() };
  },

  here(session: Session): CursorMoment {
    return session.cursor.moment$.value;
  },

  /** A bookmark by its name, else any WHERE. */
  where(session: Session, text: string): At {
    return session.bookmarks.get(text) ?? text;
  },

  /** `S1@242 7.891630s`. */
  place(session: Session): string {
    const { seq, event } = Session.here(session);
    const at = seq === 0 ? 'start' : `${seq}`;
    return `${session.trace.name}@${at}${event === null ? '' : ` ${session.clock(event.time)}`}`;
  },
});

/** What a command of the shell answers: lines for people, a value for --json; null ends the session. */
export interface Answer {
  readonly lines: readonly string[];
  readonly json: unknown;
}

export interface ShellCommand {
  readonly names: readonly string[];
  /** How it is written: `step [N]`. */
  readonly usage: string;
  readonly about: string;
  readonly run: (session: Session, words: readonly string[]) => Result<Answer | null>;
}
