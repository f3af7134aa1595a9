import type { Event } from '../../core/event/event.js';

/** A part of a file. */
export type Chunk = string | Uint8Array;

/** What a file says of the trace it was made from. */
export interface ExportedTrace {
  readonly name: string;
  readonly kernel: string | null;
  readonly arch: string | null;
  /** The clock of the recording at the first event, in nanoseconds, decimal; null where it is not known. */
  readonly origin: string | null;
  readonly events: number;
  /** Root of its hash chain. */
  readonly root: string;
}

/** Makes a file of events given batch by batch; keeps no more of it than a batch or a row group. */
export interface ExportWriter {
  /** What comes before the first event. */
  readonly begin: () => Iterable<Chunk>;
  readonly add: (events: readonly Event[]) => Iterable<Chunk>;
  readonly end: () => Iterable<Chunk>;
}

const LONG = 1 << 16;

/** Short texts as long ones. */
export function* gathered(texts: Iterable<string>): Generator<string> {
  let text = '';
  for (const more of texts) {
    text += more;
    if (text.length < LONG) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
