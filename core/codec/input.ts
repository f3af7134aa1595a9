import { MAX_INT } from './layout.js';

/** Bytes being read. */
export interface Input {
  readonly bytes: Uint8Array;
  at: number;
  /** Nothing at or after this is read. */
  readonly end: number;
}

/** What is wrong with the bytes; thrown inside the codec only, decodeSegment makes it a failure. */
export class Damage extends Error {
  readonly code: 'segment-damaged' | 'segment-too-new';
  readonly at: number;

  constructor(code: Damage['code'], what: string, at: number) {
    super(what);
    this.code = code;
    this.at = at;
  }
}

/** A plain Uint8Array, whatever class the bytes are of: parts of others are dear to make. */
const plain = (bytes: Uint8Array): Uint8Array =>
  bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const inputOf = (bytes: Uint8Array): Input => ({ bytes: plain(bytes), at: 0, end: bytes.length });

export function damaged(input: Input, what: string): never {
  throw new Damage('segment-damaged', what, input.at);
}

export function tooNew(input: Input, what: string): never {
  throw new Damage('segment-too-new', what, input.at);
}

export function takeByte(input: Input): number {
  if (input.at >= input.end) damaged(input, 'the bytes end too early');
  return input.bytes[input.at++] as number;
}

/** LEB128; up to 2^54 (what is longer is damage). */
export function takeUint(input: Input): number {
  let byte = takeByte(input);
  if (byte < 128) return byte;
  let n = byte & 127;
  let scale = 128;
  do {
    byte = takeByte(input);
    n += (byte & 127) * scale;
    scale *= 128;
  } while (byte > 127 && scale < 2 ** 56);
  if (byte > 127 || n > 2 ** 54) damaged(input, 'a number is too large');
  return n;
}

/** LEB128 that must not be above `max`. */
export function takeUpTo(input: Input, max: number, what: string): number {
  const n = takeUint(input);
  if (n > max) damaged(input, `${what} is ${n}, the most there can be is ${max}`);
  return n;
}

/** Zigzag; the counterpart of putInt. */
export function takeInt(input: Input): number {
  const byte = takeByte(input);
  let magnitude = (byte & 127) >> 1;
  if (byte > 127) magnitude += 64 * takeUpTo(input, MAX_INT, 'a number');
  return byte & 1 ? -magnitude - 1 : magnitude;
}

export function takeBytes(input: Input, length: number): Uint8Array {
  if (length > input.end - input.at) damaged(input, 'the bytes end too early');
  const bytes = input.bytes.subarray(input.at, input.at + length);
  input.at += length;
  return bytes;
}

/** The next `length` bytes as an input of their own. */
export function takeInput(input: Input, length: number): Input {
  const at = input.at;
  takeBytes(input, length);
  return { bytes: input.bytes, at, end: at + length };
}
