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

/** LEB128, least significant seven bits first; 0 ≤ n < 2^53 (2^54 where exact). */
export function putUint(out: Output, n: number): void {
  reserve(out, 9);
  const { bytes } = out;
  let { at } = out;
  while (n > 0x7fffffff) {
    bytes[at++] = (n % 128) | 128;
    n = Math.floor(n / 128);
  }
  let small = n | 0;
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
  reserve(out, 1);
  out.bytes[out.at++] = (magnitude % 64) * 2 + sign + 128;
  putUint(out, Math.floor(magnitude / 64));
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
  let size = 5;
  for (let rest = Math.floor(n / 0x800000000); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}

/** Bytes that putInt will write. */
export function sizeOfInt(n: number): number {
  const magnitude = n < 0 ? -n - 1 : n;
  return magnitude < 0x40000000 ? sizeOfUint(magnitude * 2) : 1 + sizeOfUint(Math.floor(magnitude / 64));
}
