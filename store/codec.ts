import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** How bytes are kept: as they are, or as a raw deflate stream (RFC 1951). */
export const STORED = 0;
export const DEFLATED = 1;

/** More is never restored, whatever a file says. */
const LONGEST = 1 << 30;

export interface Packed {
  readonly codec: number;
  /** Length before compression, in bytes. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** Compressed when that makes them smaller. Level 1: a higher one costs more time than the disk gives back. */
export function pack(bytes: Uint8Array): Packed {
  const deflated = bytes.length > 0 ? deflateRawSync(bytes, { level: 1, memLevel: 9 }) : bytes;
  return deflated.length < bytes.length
    ? { codec: DEFLATED, size: bytes.length, bytes: deflated }
    : { codec: STORED, size: bytes.length, bytes };
}

/** The bytes before compression; null when they cannot be restored to `size` bytes. */
export function unpack({ codec, size, bytes }: Packed): Uint8Array | null {
  const restored = codec === DEFLATED ? inflated(bytes, size) : codec === STORED ? bytes : null;
  return restored?.length === size ? restored : null;
}

function inflated(bytes: Uint8Array, size: number): Uint8Array | null {
  if (size < 1 || size > LONGEST) return null;
  try {
    return inflateRawSync(bytes, { maxOutputLength: size, chunkSize: Math.min(Math.max(size, 64), 1 << 20) });
  } catch {
    return null; // zlib says no more than that the stream is bad, or longer than `size`.
  }
}

/** Length before compression of bytes whose `size` nobody kept; null when they are damaged. */
export function restoredSize(codec: number, bytes: Uint8Array): number | null {
  if (codec === STORED) return bytes.length;
  return codec === DEFLATED ? (inflated(bytes, LONGEST)?.length ?? null) : null;
}
