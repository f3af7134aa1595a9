/** Numbers of the segment format. docs/events.md describes the bytes. */

/** First byte of every segment. */
export const FORMAT = 1;

/** Events in one segment: 1 to this many. */
export const MAX_EVENTS = 4096;

/** Values of one call line: at most this many (ftrace allows 128 arguments). */
export const MAX_VALUES = 1024;

/** Flag of the second byte: sequence numbers are stored because they do not follow each other. */
export const EXPLICIT_SEQ = 1;

/** Code of the kind that opens a call, and of the one that closes it: the call column is predicted from them. */
export const ENTERS = 1;
export const RETURNS = 2;

/** How a value of a call line is found. 0 in the file: in the same way as the last value of its slot. */
export const SAME = 1;
/** The slot's last value plus a difference of the low half. */
export const NEAR = 2;
/** The 64 bits follow. */
export const FAR = 3;
/** COPY + d: the value d values back in the segment. */
export const COPY = 3;
/** Furthest d, so that every way fits one byte. */
export const REACH = 124;

export const MAX_INT = Number.MAX_SAFE_INTEGER;
export const MAX_PAGE = 2 ** 52 - 1;
export const MAX_HALF = 2 ** 32 - 1;

/** What the common columns may hold. */
export const COMMON = {
  seq: { min: 0, max: MAX_INT },
  time: { min: 0, max: MAX_INT },
  cpu: { min: 0, max: MAX_INT },
  task: { min: 0, max: MAX_INT },
  origin: { min: 0, max: 2 },
} as const;
