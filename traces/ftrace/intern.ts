const FIRST_SLOTS = 64; // a power of two

/** Values by their bytes in a buffer, so that nothing is made twice. Bounded: when full it forgets everything and starts again. */
export class ByteTable<T> {
  #slots = slots<T>(FIRST_SLOTS);
  #size = 0;

  constructor(private readonly capacity: number) {}

  clear(): void {
    this.#slots = slots(FIRST_SLOTS);
    this.#size = 0;
  }

  /** The value of bytes [s, e) whose hash is `hash`. */
  get(hash: number, bytes: Uint8Array, s: number, e: number): T | undefined {
    const mask = this.#slots.length - 1;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = this.#slots[i] as Entry<T> | null;
      if (entry === null) return undefined;
      if (entry.hash === hash && equal(entry.bytes, bytes, s, e)) return entry.value;
    }
  }

  /** Remembers a value that `get` did not find. */
  add(hash: number, bytes: Uint8Array, s: number, e: number, value: T): void {
    if (this.#size >= this.capacity) this.clear();
    if (2 * ++this.#size > this.#slots.length) this.#grow();
    place(this.#slots, { hash, bytes: copyOf(bytes, s, e), value });
  }

  #grow(): void {
    const larger = slots<T>(2 * this.#slots.length);
    for (const entry of this.#slots) if (entry !== null) place(larger, entry);
    this.#slots = larger;
  }
}

type Slots<T> = (Entry<T> | null)[];

const slots = <T>(n: number): Slots<T> => Array.from({ length: n }, () => null);

/** Puts an entry into the next free slot after its own. */
function place<T>(into: Slots<T>, entry: Entry<T>): void {
  const mask = into.length - 1;
  let i = entry.hash & mask;
  while (into[i] !== null) i = (i + 1) & mask;
  into[i] = entry;
}

interface Entry<T> {
  readonly hash: number;
  readonly bytes: Buffer;
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

/** A copy of bytes [s, e), small ones side by side in Node's pool. */
export function copyOf(bytes: Uint8Array, s: number, e: number): Buffer {
  const copy = Buffer.allocUnsafe(e - s);
  for (let i = s; i < e; i++) copy[i - s] = bytes[i] as number;
  return copy;
}

/** Whether `key` stands at [s, e). */
export function equal(key: Buffer, bytes: Uint8Array, s: number, e: number): boolean {
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

/** Whether `key` stands at `s` and ends at `e` or before. */
export function startsWith(key: Buffer, bytes: Uint8Array, s: number, e: number): boolean {
  const n = key.length;
  if (s + n > e) return false;
  for (let i = 0; i < n; i++) if (key[i] !== bytes[s + i]) return false;
  return true;
}
