/** Why a line was left out. */
export type SkipReason =
  'blank line' | 'line too long' | 'NUL bytes' | 'not a trace line' | 'no event name' | 'time out of range';

/** What became of the lines of a trace: always lines = events + annotations + headers + the sum of skipped. */
export interface Counts {
  readonly lines: number;
  /** Lines that are entries of the ring buffer (stack traces count once): what ftrace's header counts as entries-in-buffer. */
  readonly events: number;
  /** Stack frames, lost events, `buffer started`. */
  readonly annotations: number;
  readonly headers: number;
  /** By SkipReason; reasons that did not occur are absent. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Events lost, the sum of the lines that say so (one for each that does not know its number). */
  readonly lost: number;
  /** Of the header `entries-in-buffer/entries-written`, the sum over all headers of concatenated traces; null without one. */
  readonly entriesInBuffer: number | null;
  readonly entriesWritten: number | null;
}

/** The same while reading. */
export interface Tally {
  lines: number;
  events: number;
  annotations: number;
  headers: number;
  skipped: Record<string, number>;
  lost: number;
  entriesInBuffer: number | null;
  entriesWritten: number | null;
}

export const Tally = Object.freeze({
  create(): Tally {
    return {
      lines: 0,
      events: 0,
      annotations: 0,
      headers: 0,
      skipped: {},
      lost: 0,
      entriesInBuffer: null,
      entriesWritten: null,
    };
  },

  skip(tally: Tally, reason: SkipReason): void {
    tally.skipped[reason] = (tally.skipped[reason] ?? 0) + 1;
  },

  /** `# entries-in-buffer/entries-written: n/m   #P:2` (kernel/trace/trace.c, print_event_info); other headers say nothing. */
  header(tally: Tally, text: string): void {
    const found = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(text);
    if (!found) return;
    tally.entriesInBuffer = (tally.entriesInBuffer ?? 0) + Number(found[1]);
    tally.entriesWritten = (tally.entriesWritten ?? 0) + Number(found[2]);
  },
});
