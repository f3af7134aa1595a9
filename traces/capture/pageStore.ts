import { Address, PAGE_SIZE, type PageNumber } from '../../core/value/address.js';

/** Bytes `from` up to `to` (exclusive) of one page. */
export interface KnownPart {
  readonly from: number;
  readonly to: number;
}

/** A page of which only some parts are known; the other bytes of `bytes` are 0 and mean nothing. */
export interface PartialPage {
  /** 4096 bytes. */
  readonly bytes: Uint8Array;
  /** Ascending, apart from each other, none empty. */
  readonly known: readonly KnownPart[];
}

/** `count` pages from `first` that all read as `bytes`. */
interface Run {
  first: number;
  count: number;
  bytes: Uint8Array;
}

/**
 * Contents of pages, written once and in ascending order within an area. Equal pages are kept once, and neighbours that
 * are equal take one entry together: 4 MiB of one byte cost as much as a page.
 */
export class PageStore {
  readonly #runs: Run[] = [];
  readonly #partial = new Map<number, { bytes: Uint8Array; known: { from: number; to: number }[] }>();
  readonly #interned = new Map<string, Uint8Array>();
  #sorted = true;

  write(at: Address, bytes: Uint8Array): void {
    let { page, offset } = at as { page: number; offset: number };
    for (let from = 0; from < bytes.length; page++, offset = 0) {
      const take = Math.min(PAGE_SIZE - offset, bytes.length - from);
      this.#put(page, offset, bytes.subarray(from, from + take));
      from += take;
    }
  }

  /** `row` over and over from `start` to `end`, a whole number of times. */
  repeat(start: Address, end: Address, row: Uint8Array): void {
    let at = start;
    const even = PAGE_SIZE % row.length === 0;
    while (Address.compare(at, end) < 0) {
      const pages = end.page - at.page;
      if (even && at.offset === 0 && pages > 0) {
        this.#addRun(at.page, pages, this.#intern(repeated(row, PAGE_SIZE)));
        at = Address.of(end.page);
        continue;
      }
      const room = Math.min(Address.minus(end, at), even ? PAGE_SIZE - at.offset : row.length);
      this.write(at, repeated(row, room));
      at = Address.add(at, room);
    }
  }

  /** No more writes: the table that makes equal pages one is dropped. */
  seal(): void {
    this.#interned.clear();
    this.#sort();
  }

  /** The 4096 bytes of a page that is known completely, else null. Do not change them: pages share them. */
  page(page: number): Uint8Array | null {
    this.#sort();
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.#runs[middle] as Run;
      if (page < run.first) high = middle;
      else if (page >= run.first + run.count) low = middle + 1;
      else return run.bytes;
    }
    return null;
  }

  part(page: number): PartialPage | null {
    return this.#partial.get(page) ?? null;
  }

  *pages(): Generator<PageNumber> {
    this.#sort();
    for (const run of this.#runs) {
      for (let i = 0; i < run.count; i++) yield (run.first + i) as PageNumber;
    }
  }

  partialPages(): readonly PageNumber[] {
    return [...this.#partial.keys()].sort((a, b) => a - b) as PageNumber[];
  }

  #put(page: number, offset: number, bytes: Uint8Array): void {
    if (bytes.length === PAGE_SIZE) {
      this.#addRun(page, 1, this.#intern(bytes.slice()));
      return;
    }
    let part = this.#partial.get(page);
    if (part === undefined) this.#partial.set(page, (part = { bytes: new Uint8Array(PAGE_SIZE), known: [] }));
    part.bytes.set(bytes, offset);
    const last = part.known.at(-1);
    if (last !== undefined && last.to === offset) last.to += bytes.length;
    else part.known.push({ from: offset, to: offset + bytes.length });
    const first = part.known[0];
    if (part.known.length === 1 && first?.from === 0 && first.to === PAGE_SIZE) {
      this.#partial.delete(page);
      this.#addRun(page, 1, this.#intern(part.bytes));
    }
  }

  #addRun(first: number, count: number, bytes: Uint8Array): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.bytes === bytes && last.first + last.count === first) {
      last.count += count;
      return;
    }
    if (last !== undefined && first < last.first) this.#sorted = false;
    this.#runs.push({ first, count, bytes });
  }

  #intern(bytes: Uint8Array): Uint8Array {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const known = this.#interned.get(key);
    if (known !== undefined) return known;
    this.#interned.set(key, bytes);
    return bytes;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#runs.sort((a, b) => a.first - b.first);
    this.#sorted = true;
  }
}

const repeated = (row: Uint8Array, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += row.length) {
    bytes.set(at + row.length <= length ? row : row.subarray(0, length - at), at);
  }
  return bytes;
};
