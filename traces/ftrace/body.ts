import { CLOSE, EQUALS, OPEN, SPACE, HEX, find, findText, skipSpaces } from './bytes.js';
import type { StringTable } from './intern.js';
import type { Signature, ValueForm } from './line.js';
import type { SignatureTable } from './signature.js';
import { Value, nameEnd } from './values.js';

/** More arguments than a probe may have (MAX_TRACE_ARGS, kernel/trace/trace_probe.h). */
const MOST_FIELDS = 128;
const RAW_DIGITS = 8;

/** Where a call comes from: the text in parentheses. */
export interface Place {
  readonly isReturn: boolean;
  readonly place: string;
  readonly callee: string;
  /** After the closing parenthesis. */
  readonly end: number;
}

/**
 * Reads `(place)` or `(caller <- callee)` at `p`. The kernel's own text puts the caller first (print_kretprobe_event); programs that
 * print by the event's format (`"(%lx <- %lx)"`: trace-cmd, perf) put the function first, as raw addresses: these are turned round.
 * Null when it is not that.
 */
export function readPlace(
  bytes: Buffer,
  p: number,
  e: number,
  strings: StringTable,
  functionFirst: boolean,
): Place | null {
  if (p >= e || bytes[p] !== OPEN) return null;
  const close = find(bytes, CLOSE, p, e);
  if (close >= e || close === p + 1 || (close + 1 < e && bytes[close + 1] !== SPACE)) return null;
  const arrow = findText(bytes, ' <- ', p, close);
  if (arrow < 0) {
    return { isReturn: false, place: strings.of(bytes, p + 1, close), callee: '', end: close + 1 };
  }
  const left = strings.of(bytes, p + 1, arrow);
  const right = strings.of(bytes, arrow + 4, close);
  return functionFirst || isRaw(bytes, p + 1, arrow)
    ? { isReturn: true, place: right, callee: left, end: close + 1 }
    : { isReturn: true, place: left, callee: right, end: close + 1 };
}

/** An address as `%lx` prints it: no `0x`, and no offset as the caller's symbol has. */
function isRaw(bytes: Uint8Array, p: number, e: number): boolean {
  if (e - p < RAW_DIGITS) return false;
  for (; p < e; p++) if ((HEX[bytes[p] as number] as number) > 15) return false;
  return true;
}

/** The name=value part of a call's body. */
export interface Fields {
  readonly signature: Signature;
  readonly hi: readonly number[];
  readonly lo: readonly number[];
  readonly texts: readonly (string | null)[] | null;
}

/** Reads ` name=value …` from `p` to `e`; null when that is not what stands there. */
export function readFields(
  bytes: Buffer,
  p: number,
  e: number,
  strings: StringTable,
  signatures: SignatureTable,
): Fields | null {
  while (e > p && bytes[e - 1] === SPACE) e--;
  const names: string[] = [];
  const forms: ValueForm[] = [];
  const hi: number[] = [];
  const lo: number[] = [];
  const texts: (string | null)[] = [];
  const value = new Value();
  while (p < e) {
    const name = skipSpaces(bytes, p, e);
    const end = nameEnd(bytes, name, e);
    if (name === p || end === name || end >= e || bytes[end] !== EQUALS || names.length === MOST_FIELDS)
      return null;
    p = value.read(bytes, end + 1, e);
    names.push(strings.of(bytes, name, end));
    forms.push(value.form);
    hi.push(value.hi);
    lo.push(value.lo);
    texts.push(
      value.form === 'quoted' || value.form === 'bare'
        ? bytes.toString('utf8', value.start, value.stop)
        : null,
    );
  }
  const signature = signatures.of(names, forms);
  if (signature === null) return null;
  return { signature, hi, lo, texts: signature.text.includes(true) ? texts : null };
}
