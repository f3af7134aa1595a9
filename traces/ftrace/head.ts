import { CLOSE, CLOSE_BRACKET, MINUS, OPEN, OPEN_BRACKET, SPACE } from './bytes.js';
import { decimal, isDigit, skipDigits, skipSpaces } from './bytes.js';
import type { TimeStamp } from './clock.js';

/** Column of the `-` after the command name, which is printed as `%16s-%-7d` (kernel/trace/trace_output.c, trace_print_context). */
const DASH = 16;
const LONGEST_FLAGS = 16;
const LONGEST_PID = 10;
const LONGEST_CPU = 6;
const LONGEST_TGID = 16;

/** Where the parts of `TASK-PID [(TGID)] [CPU] [FLAGS] TIME:` stand in a line: read in place by `readHead`. */
export interface HeadPlaces {
  taskStart: number;
  dash: number;
  pid: number;
  cpu: number;
  flagsStart: number;
  /** End of the flags, or of `[CPU]` where there is no such column. */
  flagsEnd: number;
  /** After the `:` of the time. */
  end: number;
}

export const HeadPlaces = Object.freeze({
  create: (): HeadPlaces => ({ taskStart: 0, dash: 0, pid: 0, cpu: 0, flagsStart: 0, flagsEnd: 0, end: 0 }),
});

/**
 * Reads the head of an event. A command name may hold spaces, dashes, brackets, anything: the dash in its column decides, and
 * where columns are not kept (trace-cmd) the first `-digits [digits]` after which a time follows.
 */
export function readHead(
  bytes: Uint8Array,
  s: number,
  e: number,
  places: HeadPlaces,
  time: TimeStamp,
): boolean {
  if (e - s > DASH && bytes[s + DASH] === MINUS && readFrom(bytes, s, s + DASH, e, places, time)) return true;
  for (let p = s; p < e; p++) {
    if (bytes[p] !== OPEN_BRACKET || !isDigit(bytes[p + 1])) continue;
    const dash = dashBefore(bytes, s, p);
    if (dash >= 0 && readFrom(bytes, s, dash, e, places, time)) return true;
  }
  return false;
}

/** The dash of `-digits` that stands, with an optional `(tgid)`, before the `[` at `p`; -1 when there is none. */
function dashBefore(bytes: Uint8Array, s: number, p: number): number {
  let q = spacesBefore(bytes, s, p);
  if (q > s && q < p && bytes[q - 1] === CLOSE) {
    const nearest = Math.max(s, q - LONGEST_TGID);
    let open = q - 1;
    while (open > nearest && bytes[open] !== OPEN) open--;
    q = spacesBefore(bytes, s, open);
  }
  const end = q;
  while (q > s && isDigit(bytes[q - 1])) q--;
  return q < end && q > s && bytes[q - 1] === MINUS ? q - 1 : -1;
}

function spacesBefore(bytes: Uint8Array, s: number, p: number): number {
  while (p > s && bytes[p - 1] === SPACE) p--;
  return p;
}

/** Reads a head whose command name ends at `dash`. */
function readFrom(
  bytes: Uint8Array,
  s: number,
  dash: number,
  e: number,
  places: HeadPlaces,
  time: TimeStamp,
): boolean {
  const pidEnd = skipDigits(bytes, dash + 1, e);
  if (pidEnd === dash + 1 || pidEnd - dash > LONGEST_PID + 1) return false;
  const cpuStart = cpuColumn(bytes, pidEnd, e);
  if (cpuStart < 0) return false;
  const cpuEnd = skipDigits(bytes, cpuStart, e);
  if (cpuEnd === cpuStart || cpuEnd - cpuStart > LONGEST_CPU || bytes[cpuEnd] !== CLOSE_BRACKET) return false;
  const bracket = cpuEnd + 1;
  const next = skipSpaces(bytes, bracket, e);
  if (next === bracket) return false;
  places.flagsStart = places.flagsEnd = bracket;
  let end = time.read(bytes, next, e);
  if (end < 0) {
    let flagsEnd = next;
    while (flagsEnd < e && flagsEnd - next <= LONGEST_FLAGS && bytes[flagsEnd] !== SPACE) flagsEnd++;
    if (flagsEnd === next || bytes[flagsEnd] !== SPACE || flagsEnd >= e) return false;
    places.flagsStart = next;
    places.flagsEnd = flagsEnd;
    end = time.read(bytes, skipSpaces(bytes, flagsEnd, e), e);
    if (end < 0) return false;
  }
  places.taskStart = Math.min(skipSpaces(bytes, s, dash), dash);
  places.dash = dash;
  places.pid = decimal(bytes, dash + 1, pidEnd);
  places.cpu = decimal(bytes, cpuStart, cpuEnd);
  places.end = end;
  return true;
}

/** After the pid: spaces, optionally `(tgid)` or `(-----)` and spaces, `[`. The index after the bracket, or -1. */
function cpuColumn(bytes: Uint8Array, p: number, e: number): number {
  let q = skipSpaces(bytes, p, e);
  if (bytes[q] === OPEN && q > p) {
    let close = q + 1;
    while (close < e && close - q < LONGEST_TGID && bytes[close] !== CLOSE) {
      const byte = bytes[close];
      if (byte !== SPACE && byte !== MINUS && !isDigit(byte)) return -1;
      close++;
    }
    if (bytes[close] !== CLOSE) return -1;
    q = skipSpaces(bytes, close + 1, e);
    p = close + 1;
  }
  return q > p && q < e && bytes[q] === OPEN_BRACKET ? q + 1 : -1;
}
