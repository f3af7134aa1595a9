import type { Event } from '../event/event.js';
import { fail, ok, type Result } from '../value/failure.js';
import { decodeSegment, type DecodeOptions } from './decode.js';
import { encodeSegment } from './encode.js';
import { reading } from './head.js';
import { damaged, inputOf, takeByte, takeBytes, takeUint } from './input.js';
import { MAX_EVENTS } from './layout.js';
import { newOutput, putBytes, putUint } from './output.js';

/** First byte of a list of segments; a segment begins with FORMAT (1). */
const LIST = 2;

/**
 * Any number of events as bytes: nothing for none, a segment for up to 4096, else LIST and then each segment as its length (varint) and its bytes.
 * For what is no part of the chain of segments: the starting facts of a trace, snapshots.
 */
export function encodeEvents(events: readonly Event[]): Uint8Array {
  if (events.length === 0) return new Uint8Array(0);
  if (events.length <= MAX_EVENTS) return encodeSegment(events);
  const out = newOutput(events.length * 8);
  putUint(out, LIST);
  for (let from = 0; from < events.length; from += MAX_EVENTS) {
    const bytes = encodeSegment(events.slice(from, from + MAX_EVENTS));
    putUint(out, bytes.length);
    putBytes(out, bytes);
  }
  return out.bytes.slice(0, out.at);
}

/** The segments in bytes that `encodeEvents` made. */
function segmentsIn(bytes: Uint8Array): Result<readonly Uint8Array[]> {
  if (bytes.length === 0) return ok([]);
  if (bytes[0] !== LIST) return ok([bytes]);
  return reading(() => {
    const input = inputOf(bytes);
    takeByte(input);
    const segments: Uint8Array[] = [];
    while (input.at < input.end) {
      const length = takeUint(input);
      if (length === 0) damaged(input, 'a segment of no bytes');
      segments.push(takeBytes(input, length));
    }
    return segments;
  });
}

/** The events in bytes that `encodeEvents` made. Failures as of `decodeSegment`. */
export function decodeEvents(bytes: Uint8Array, options: DecodeOptions = {}): Result<Event[]> {
  const segments = segmentsIn(bytes);
  if (!segments.ok) return segments;
  const events: Event[] = [];
  for (const [index, segment] of segments.value.entries()) {
    const decoded = decodeSegment(segment, options);
    if (!decoded.ok) {
      const { code, what, where, hint } = decoded.error;
      return fail(code, what, `${where ?? ''}, segment ${index} of a list`, hint);
    }
    for (const event of decoded.value) events.push(event);
  }
  return ok(events);
}
