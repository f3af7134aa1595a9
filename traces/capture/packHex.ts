/**
 * `pack.hex`: the bytes of the executable areas, like hexdump. Producer: the lab's recorder.
 *
 *     # area ffffffffc0000000-ffffffffc0201000 2101248 bpf_prog_pack_alloc+0x164/0x2d0 pages=512 vmalloc N0=512
 *     ffffffffc0000000  40 06 00 00 cc cc cc cc cc cc cc cc cc cc cc cc
 *     *                                          the row above again and again, up to the next address
 *     ffffffffc0000640  ... 62992 bytes, crc32 e9a23612      left out, with its checksum
 *     ffffffffc0200000                           end of what is mapped: the area's end without its guard page
 *
 * Seen in all captures: rows of 16 bytes on multiples of 16, an omitted run is a multiple of 16, an area always ends with
 * the bare address, one page before its end (64 KiB on ppc64le with 64K pages). What is left out lies between the first and
 * last rows of functions, now and then across two of them; free room is never left out. Shorter rows are read as well.
 */
import { Address, type PageNumber } from '../../core/value/address.js';
import { eachLine } from './lines.js';
import { PageStore, type PartialPage } from './pageStore.js';
import { Problems, quoted } from './problems.js';
import { parseRange, type AddressRange } from './range.js';

export interface HexArea extends AddressRange {
  /** The rest of the header: size and vmallocinfo's words. */
  readonly text: string;
}

/** Bytes that were left out of the dump; their CRC-32 (zlib's) is known. */
export interface OmittedRun extends AddressRange {
  readonly crc32: number;
}

/** Memory as dumped: complete pages, partly dumped pages, and what is known about the rest. */
export interface MemoryBytes {
  /** As in the headers, guard page included. */
  readonly areas: readonly HexArea[];
  readonly omitted: readonly OmittedRun[];
  /** Parts of areas neither dumped nor omitted: the guard page, or a hole in the dump. */
  readonly notDumped: readonly AddressRange[];
  /** The 4096 bytes of a page that was dumped completely, else null. Shared: do not change. */
  page(page: PageNumber): Uint8Array | null;
  /** A page of which only parts were dumped, else null. */
  part(page: PageNumber): PartialPage | null;
  /** Completely dumped pages, ascending. */
  pages(): Iterable<PageNumber>;
  /** Partly dumped pages, ascending. */
  partialPages(): readonly PageNumber[];
  /** `length` bytes from `start`, or null when one of them was not dumped. */
  read(start: Address, length: number): Uint8Array | null;
  readonly problems: readonly string[];
}

const AREA = /^# area ([0-9a-f]{16})-([0-9a-f]{16}) (.*)$/;
const ROW = /^([0-9a-f]{16})(?:  ([0-9a-f]{2}(?: [0-9a-f]{2})*))?$/;
const OMITTED = /^([0-9a-f]{16})  \.\.\. (\d+) bytes, crc32 ([0-9a-f]{8})$/;

class Parser {
  readonly store = new PageStore();
  readonly areas: HexArea[] = [];
  readonly omitted: OmittedRun[] = [];
  readonly notDumped: AddressRange[] = [];
  #area: HexArea | null = null;
  /** First byte not accounted for. */
  #at: Address = Address.zero;
  #row: Uint8Array | null = null;
  #repeats = false;

  constructor(
    readonly file: string,
    readonly problems: Problems,
  ) {}

  line(line: string, number: number): void {
    if (line === '') return;
    if (line === '*') {
      if (this.#row === null || this.#repeats) this.#problem(number, "'*' does not follow a row");
      else this.#repeats = true;
      return;
    }
    if (line.startsWith('#')) {
      this.#header(line, number);
      return;
    }
    const row = ROW.exec(line);
    const omitted = row === null ? OMITTED.exec(line) : null;
    const address = Address.parse(row?.[1] ?? omitted?.[1] ?? '');
    if (address === null) {
      this.#problem(number, `not a row of pack.hex: ${quoted(line)}`);
      return;
    }
    if (omitted !== null) {
      const end = Address.add(address, Number(omitted[2]));
      if (!this.#advance(address, end, number)) return;
      this.omitted.push({ start: address, end, crc32: parseInt(omitted[3] ?? '', 16) });
      this.#at = end;
      this.#row = null;
      return;
    }
    const hex = row?.[2];
    const bytes = hex === undefined ? null : new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    const end = bytes === null ? address : Address.add(address, bytes.length);
    if (!this.#advance(address, end, number)) return;
    if (bytes !== null) this.store.write(address, bytes);
    this.#at = end;
    this.#row = bytes;
  }

  end(number: number): void {
    this.#closeArea(number);
    this.store.seal();
  }

  #header(line: string, number: number): void {
    const m = AREA.exec(line);
    const range = m === null ? null : parseRange(m[1] ?? '', m[2] ?? '');
    this.#closeArea(number);
    if (range === null) {
      this.#problem(number, `not an area header: ${quoted(line)}; its rows are left out`);
      return;
    }
    for (const other of this.areas) {
      if (Address.compare(range.start, other.end) < 0 && Address.compare(other.start, range.end) < 0) {
        this.#problem(number, 'the area overlaps an earlier one; its rows are left out');
        return;
      }
    }
    this.#area = { ...range, text: m?.[3] ?? '' };
    this.areas.push(this.#area);
    this.#at = range.start;
  }

  #closeArea(number: number): void {
    if (this.#area !== null) {
      if (this.#repeats)
        this.#problem(number, "the area ends in '*': no address says how far the row repeats");
      if (Address.compare(this.#at, this.#area.end) < 0) {
        this.notDumped.push({ start: this.#at, end: this.#area.end });
      }
    }
    this.#area = null;
    this.#row = null;
    this.#repeats = false;
  }

  /** Brings the account up to `address`; false when the line that covers `address` to `end` cannot be used. */
  #advance(address: Address, end: Address, number: number): boolean {
    if (this.#area === null) {
      this.#problem(number, 'a row outside any area');
      return false;
    }
    if (Address.compare(address, this.#at) < 0 || Address.compare(end, this.#area.end) > 0) {
      this.#problem(number, 'the row lies before the one above or outside its area; left out');
      return false;
    }
    const row = this.#row;
    if (Address.compare(this.#at, address) < 0) {
      if (this.#repeats && row !== null && Address.minus(address, this.#at) % row.length === 0) {
        this.store.repeat(this.#at, address, row);
      } else {
        this.#problem(
          number,
          this.#repeats ? "'*' is not a whole number of rows" : 'bytes are missing before this row',
        );
        this.notDumped.push({ start: this.#at, end: address });
      }
    } else if (this.#repeats) this.#problem(number, "'*' repeats nothing");
    this.#repeats = false;
    return true;
  }

  #problem(number: number, what: string): void {
    this.problems.add(this.file, number, what);
  }
}

/** Text of a pack.hex to memory. */
export const parsePackHex = (text: string, file: string): MemoryBytes => {
  const problems = new Problems();
  const parser = new Parser(file, problems);
  let last = 0;
  eachLine(text, (line, number) => {
    parser.line(line, number);
    last = number;
  });
  parser.end(last);
  const { store } = parser;
  return {
    areas: parser.areas,
    omitted: parser.omitted,
    notDumped: parser.notDumped,
    page: (page) => store.page(page),
    part: (page) => store.part(page),
    pages: () => store.pages(),
    partialPages: () => store.partialPages(),
    read: (start, length) => readBytes(store, start, length),
    problems: problems.list(),
  };
};

const readBytes = (store: PageStore, start: Address, length: number): Uint8Array | null => {
  const bytes = new Uint8Array(length);
  let { page, offset } = start as { page: number; offset: number };
  for (let at = 0; at < length; page++, offset = 0) {
    const to = Math.min(4096, offset + length - at);
    const whole = store.page(page);
    const part = whole === null ? store.part(page) : null;
    const source = whole ?? part?.bytes;
    const known = whole !== null || part?.known.some((p) => p.from <= offset && to <= p.to) === true;
    if (source === undefined || !known) return null;
    bytes.set(source.subarray(offset, to), at);
    at += to - offset;
  }
  return bytes;
};
