import { COLON, DOT, ZERO, decimal } from './bytes.js';

const BILLION = 1e9;
const LONGEST = 20; // digits of a 64-bit number
const EXACT = 15; // digits that a number holds exactly

/**
 * A time as a trace prints it, read in place: `seconds.micros` (`%5lu.%06lu`, kernel/trace/trace_output.c), `seconds.nanos`
 * (trace-cmd report -t) or an integer of a counting clock (`%12llu`, trace_clock counter, x86-tsc), whose ticks are taken as nanoseconds.
 */
export class TimeStamp {
  /** Whole billions of nanoseconds. */
  seconds = 0;
  /** The rest, below a billion. */
  nanos = 0;
  /** Digits after the point; 0 for a counting clock. */
  digits = 0;

  /** Reads the time at `p`; the index after its `:`, or -1 when there is none or it does not end before `e`. */
  read(bytes: Uint8Array, p: number, e: number): number {
    let q = p;
    let seconds = 0;
    for (; q < e; q++) {
      const digit = (bytes[q] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      seconds = seconds * 10 + digit;
    }
    if (q === p || q - p > LONGEST || q >= e) return -1;
    if (bytes[q] === COLON) return this.#count(bytes, p, q);
    if (bytes[q] !== DOT || q - p > EXACT) return -1;
    const point = q++;
    let nanos = 0;
    for (; q < e; q++) {
      const digit = (bytes[q] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      nanos = nanos * 10 + digit;
    }
    const digits = q - point - 1;
    if (digits === 0 || digits > 9 || q >= e || bytes[q] !== COLON) return -1;
    this.seconds = seconds;
    this.nanos = digits === 6 ? nanos * 1000 : nanos * 10 ** (9 - digits);
    this.digits = digits;
    return q + 1;
  }

  #count(bytes: Uint8Array, p: number, end: number): number {
    const split = Math.max(p, end - 9);
    this.seconds = decimal(bytes, p, split);
    this.nanos = decimal(bytes, split, end);
    this.digits = 0;
    return end + 1;
  }
}

/** Times as nanoseconds since the first one. */
export class Clock {
  #started = false;
  #seconds = 0;
  #nanos = 0;

  /** Nanoseconds from the first event to this one; 0 before there is a first one. Not a safe integer when further than 104 days. */
  since(time: TimeStamp): number {
    if (!this.#started) return 0;
    return (time.seconds - this.#seconds) * BILLION + (time.nanos - this.#nanos);
  }

  /** The first event sets the origin, later ones change nothing. */
  start(time: TimeStamp): void {
    if (this.#started) return;
    this.#started = true;
    this.#seconds = time.seconds;
    this.#nanos = time.nanos;
  }

  /** Absolute time of the first event in nanoseconds; 0 before there is one. */
  get origin(): bigint {
    return BigInt(this.#seconds) * 1_000_000_000n + BigInt(this.#nanos);
  }
}
