/** Values by their bytes in a buffer, so that no text is made twice. Bounded: when full it forgets everything and starts again. */
export class ByteTable<T> {
  #slots: (Entry<T> | undefined)[] = [];
  #size = 0;

  /** At most `capacity` values (a power of two). */
  constructor(private readonly capacity: number) {
    this.clear();
  }

  clear(): void {
    this.#slots = Array.from({ length: 2 * this.capacity });
    this.#size = 0;
  }

  /** The value of bytes [s, e) whose hash is `hash`. */
  get(hash: number, bytes: Uint8Array, s: number, e: number): T | undefined {
    const mask = this.#slots.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = this.#slots[i];
      if (entry === undefined) return undefined;
      if (entry.hash === hash && equal(entry.bytes, bytes, s, e)) return entry.value;
    }
  }

  /** Remembers a value that `get` did not find. */
  add(hash: number, bytes: Uint8Array, s: number, e: number, value: T): void {
    if (this.#size >= this.capacity) this.clear();
    this.#size++;
    const mask = this.#slots.length - 1;
    let i = hash & mask;
    while (this.#slots[i] !== undefined) i = (i + 1) & mask;
    this.#slots[i] = { hash, bytes: Uint8Array.prototype.slice.call(bytes, s, e), value };
  }
}

interface Entry<T> {
  readonly hash: number;
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** One step of the hash (FNV-1a): start with HASH_START. */
export const HASH_START = 0x811c9dc5 | 0;
export const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193);

export function hashOf(bytes: Uint8Array, s: number, e: number): number {
  let hash = HASH_START;
  for (; s < e; s++) hash = hashStep(hash, bytes[s] as number);
  return hash;
}

/** Whether `key` stands at [s, e). */
export function equal(key: Uint8Array, bytes: Uint8Array, s: number, e: number): boolean {
  const n = key.length;
  if (e - s !== n) return false;
  for (let i = 0; i < n; i++) if (key[i] !== bytes[s + i]) return false;
  return true;
}

const LONGEST = 256;

/** Strings by their bytes: the same string for the same bytes. Bytes that are no UTF-8 become U+FFFD. */
export class StringTable {
  readonly #table = new ByteTable<string>(16384);

  of(bytes: Buffer, s: number, e: number): string {
    if (e - s > LONGEST) return bytes.toString('utf8', s, e);
    const hash = hashOf(bytes, s, e);
    const known = this.#table.get(hash, bytes, s, e);
    if (known !== undefined) return known;
    const text = bytes.toString('utf8', s, e);
    this.#table.add(hash, bytes, s, e, text);
    return text;
  }
}
