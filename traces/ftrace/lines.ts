import { NEWLINE, NUL } from './bytes.js';

/** Lines as bytes [s, e) of a buffer; a line end (or any byte that is no part of a line) stands at e. Valid during the call only. */
export interface LineSink {
  line(bytes: Buffer, s: number, e: number, hasNul: boolean): void;
  tooLong(): void;
}

const FIRST_CARRY = 4096;

/** Cuts chunks into lines. What a chunk leaves open is carried over, up to `longest` bytes; of a longer line nothing is kept. */
export class LineSplitter {
  #carry = Buffer.allocUnsafe(FIRST_CARRY);
  #carried = 0;
  #dropping = false;

  constructor(
    private readonly sink: LineSink,
    private readonly longest: number,
  ) {}

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let s = 0;
    if (this.#dropping || this.#carried > 0) {
      const e = bytes.indexOf(NEWLINE);
      this.#keep(bytes, 0, e < 0 ? bytes.length : e);
      if (e < 0) return;
      this.#finish();
      s = e + 1;
    }
    let nul = bytes.indexOf(NUL, s);
    for (let e = bytes.indexOf(NEWLINE, s); e >= 0; e = bytes.indexOf(NEWLINE, s)) {
      if (nul >= 0 && nul < s) nul = bytes.indexOf(NUL, s);
      if (e - s > this.longest) this.sink.tooLong();
      else this.sink.line(bytes, s, e, nul >= 0 && nul < e);
      s = e + 1;
    }
    if (s < bytes.length) this.#keep(bytes, s, bytes.length);
  }

  /** The end of the input: what is left is a line too. True when there was such a line. */
  end(): boolean {
    const open = this.#dropping || this.#carried > 0;
    if (open) this.#finish();
    return open;
  }

  #keep(bytes: Buffer, s: number, e: number): void {
    if (this.#dropping) return;
    const length = this.#carried + e - s;
    if (length > this.longest) {
      this.#dropping = true;
      this.#carried = 0;
      return;
    }
    if (length >= this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.longest + 1, 2 * length));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#carried, s, e);
    this.#carried = length;
  }

  #finish(): void {
    const length = this.#carried;
    const tooLong = this.#dropping;
    this.#carried = 0;
    this.#dropping = false;
    if (tooLong) return this.sink.tooLong();
    this.#carry[length] = NEWLINE;
    this.sink.line(this.#carry, 0, length, this.#carry.subarray(0, length).includes(NUL));
  }
}
