import { createHash } from 'node:crypto';

/**
 * The hash chain of a trace. SHA-256 throughout, integers little-endian:
 *
 *     genesis root = H("pagetrail/genesis/1\n" ‖ u64 |name| ‖ name ‖ u64 |meta| ‖ meta ‖ genesis)
 *     segment hash = H("pagetrail/segment/1\n" ‖ previous hash or genesis root ‖ u64 first ‖ u32 count ‖ bytes)
 *
 * name and meta (canonical JSON) are UTF-8; genesis and bytes are the uncompressed canonical bytes: what compression does
 * is promised by nobody. Every field but the last has a known length, so no two inputs give the same text to hash.
 */
const GENESIS = Buffer.from('pagetrail/genesis/1\n', 'latin1');
const SEGMENT = Buffer.from('pagetrail/segment/1\n', 'latin1');

const FIRST_AT = SEGMENT.length + 32;
const COUNT_AT = FIRST_AT + 8;

export function genesisRoot(name: string, meta: string, genesis: Uint8Array): Buffer {
  const hash = createHash('sha256').update(GENESIS);
  for (const text of [name, meta]) {
    const bytes = Buffer.from(text, 'utf8');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  }
  return hash.update(genesis).digest();
}

export function segmentHash(previous: Uint8Array, first: number, count: number, bytes: Uint8Array): Buffer {
  const head = Buffer.allocUnsafe(COUNT_AT + 4);
  head.set(SEGMENT);
  head.set(previous, SEGMENT.length);
  head.writeUInt32LE(first % 0x100000000, FIRST_AT);
  head.writeUInt32LE(Math.floor(first / 0x100000000), FIRST_AT + 4);
  head.writeUInt32LE(count, COUNT_AT);
  return createHash('sha256').update(head).update(bytes).digest();
}

/** 64 lower-case hex digits, as every output writes a hash. */
export const rootText = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');

/** The hash of a text with 64 hex digits in any case; null when it is not that. */
export const parseRoot = (text: string): Buffer | null =>
  /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : null;
