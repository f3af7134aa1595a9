/** Bytes being written: grows by doubling. */
export interface Output {
  bytes: Uint8Array;
  at: number;
}

export const newOutput = (size: number): Output => ({ bytes: new Uint8Array(size), at: 0 });

/** Makes room for `more` bytes. */
export function reserve(out: Output, more: number): void {
  if (out.at + more <= out.bytes.length) return;
  const grown = new Uint8Array(Math.max(out.bytes.length * 2, out.at + more));
  grown.set(out.bytes.subarray(0, out.at));
  out.bytes = grown;
}

const LOW = 2 ** 28; // what four bytes hold

/** LEB128, least significant seven bits first; 0 ≤ n < 2^53 (2^54 where exact). */
export function putUint(out: Output, n: number): void {
  reserve(out, 9);
  const { bytes } = out;
  let { at } = out;
  if (n < 128) {
    bytes[at] = n;
    out.at = at + 1;
    return;
  }
  if (n > 0x7fffffff) {
    const rest = Math.floor(n / LOW);
    const low = n - rest * LOW;
    bytes[at++] = low | 128;
    bytes[at++] = (low >> 7) | 128;
    bytes[at++] = (low >> 14) | 128;
    bytes[at++] = (low >> 21) | 128;
    n = rest;
  }
  let small = n;
  while (small > 127) {
    bytes[at++] = (small & 127) | 128;
    small >>>= 7;
  }
  bytes[at++] = small;
  out.at = at;
}

/** Zigzag (0, -1, 1, -2 … as 0, 1, 2, 3 …) as LEB128; |n| < 2^53. */
export function putInt(out: Output, n: number): void {
  const sign = n < 0 ? 1 : 0;
  const magnitude = n < 0 ? -n - 1 : n;
  if (magnitude < 0x40000000) {
    putUint(out, magnitude * 2 + sign);
    return;
  }
  // 2 × magnitude + 1 may not fit a number exactly: the first seven bits are cut off before doubling.
  const rest = Math.floor(magnitude / 64);
  reserve(out, 1);
  out.bytes[out.at++] = (magnitude - rest * 64) * 2 + sign + 128;
  putUint(out, rest);
}

export function putBytes(out: Output, bytes: Uint8Array): void {
  reserve(out, bytes.length);
  out.bytes.set(bytes, out.at);
  out.at += bytes.length;
}

/** Bytes that putUint will write. */
export function sizeOfUint(n: number): number {
  if (n < 0x80) return 1;
  if (n < 0x4000) return 2;
  if (n < 0x200000) return 3;
  if (n < 0x10000000) return 4;
  if (n < 2 ** 35) return 5;
  if (n < 2 ** 42) return 6;
  return n < 2 ** 49 ? 7 : 8;
}

/** Bytes that putInt will write. */
export function sizeOfInt(n: number): number {
  const magnitude = n < 0 ? -n - 1 : n;
  return magnitude < 0x40000000 ? sizeOfUint(magnitude * 2) : 1 + sizeOfUint(Math.floor(magnitude / 64));
}
