import { MAX_BYTES, MAX_EVENTS } from './schema.js';

/** Events to append: `count` of them, the first with number `first`. */
export interface NewSegment {
  readonly first: number;
  readonly count: number;
  /** Canonical bytes, uncompressed. */
  readonly bytes: Uint8Array;
  /** The same events as the projections want them; decoded from `bytes` when not given. */
  readonly batch?: unknown;
}

/** Why a segment cannot be appended to any trace; null when it can. */
export function whyBad({ first, count, bytes }: NewSegment): string | null {
  if (!Number.isInteger(count) || count < 1 || count > MAX_EVENTS) {
    return `a segment has 1 to ${MAX_EVENTS} events, not ${count}`;
  }
  if (!Number.isSafeInteger(first) || first < 1 || !Number.isSafeInteger(first + count)) {
    return `a segment cannot begin at event ${first}`;
  }
  return bytes.length > MAX_BYTES ? `the segment from event ${first} has more than ${MAX_BYTES} bytes` : null;
}
