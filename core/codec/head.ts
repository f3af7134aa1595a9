import { fail, ok, type Result } from '../value/failure.js';
import { Damage, damaged, inputOf, takeByte, takeUpTo, tooNew, type Input } from './input.js';
import { EXPLICIT_SEQ, FORMAT, MAX_EVENTS, MAX_INT } from './layout.js';
import { putUint, type Output } from './output.js';

/** The first bytes of a segment. */
export interface Head {
  /** Sequence number of the first event. */
  readonly first: number;
  /** Events, 1 to 4096. */
  readonly count: number;
  /** Sequence numbers go up by one from event to event. */
  readonly gapless: boolean;
}

export function putHead(out: Output, head: Head): void {
  putUint(out, FORMAT);
  putUint(out, head.gapless ? 0 : EXPLICIT_SEQ);
  putUint(out, head.first);
  putUint(out, head.count);
}

export function takeHead(input: Input): Head {
  const format = takeByte(input);
  if (format !== FORMAT) tooNew(input, `segment format ${format} is unknown`);
  const flags = takeByte(input);
  if (flags > EXPLICIT_SEQ) damaged(input, `flags ${flags} are unknown`);
  const first = takeUpTo(input, MAX_INT, 'the first sequence number');
  const count = takeUpTo(input, MAX_EVENTS, 'the number of events');
  if (count === 0) damaged(input, 'a segment of no events');
  return { first, count, gapless: flags === 0 };
}

/** Runs a reader of segment bytes; damage becomes the failure `segment-damaged` with the byte where it was noticed. */
export function reading<T>(read: () => T): Result<T> {
  try {
    return ok(read());
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    const hint =
      error.code === 'segment-too-new' ? 'a newer pagetrail wrote it: read it with that' : undefined;
    return fail(error.code, error.message, `byte ${error.at} of the segment`, hint);
  }
}

/** First sequence number and number of events, from the first bytes alone. */
export const headOf = (bytes: Uint8Array): Result<Head> => reading(() => takeHead(inputOf(bytes)));
