import { SPACE, skipSpaces } from './bytes.js';
import type { TimeStamp } from './clock.js';
import { HeadPlaces, readHead } from './head.js';
import { HASH_START, type StringTable, copyOf, hashStep, startsWith } from './intern.js';

/** Who did it and where: `TASK-PID [CPU] FLAGS `. */
export interface TaskHead {
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly flags: string;
  /** As it stands in the line, with a space at the end. */
  readonly bytes: Buffer;
}

const SLOTS = 1024; // a power of two
const SAMPLE_START = 8;
const SAMPLE_END = 29;
/** A shorter head leaves the column of the dash to what follows it: it is read anew each time. */
const SHORTEST = 20;
const NO_HEAD: TaskHead = { task: '', pid: 0, cpu: 0, flags: '', bytes: Buffer.from('\n') };

/** Reads heads; those that came before are recognised byte for byte. */
export class HeadReader {
  readonly #known: (TaskHead | null)[] = Array.from({ length: SLOTS }, () => null);
  readonly #places = HeadPlaces.create();
  #last = NO_HEAD;
  /** After the `:` of the time of the head read last. */
  end = 0;

  constructor(
    private readonly strings: StringTable,
    private readonly time: TimeStamp,
  ) {}

  /** The head of the line at [s, e), its time in `time`; null when there is none. */
  read(bytes: Buffer, s: number, e: number): TaskHead | null {
    if (this.#isAt(bytes, s, e, this.#last)) return this.#last;
    if (e - s < SAMPLE_END) return this.#readNew(bytes, s, e, -1);
    const slot = sample(bytes, s);
    const known = this.#known[slot] ?? NO_HEAD;
    if (!this.#isAt(bytes, s, e, known)) return this.#readNew(bytes, s, e, slot);
    this.#last = known;
    return known;
  }

  /** Whether this head stands at `s`, a time following. */
  #isAt(bytes: Buffer, s: number, e: number, { bytes: key }: TaskHead): boolean {
    if (!startsWith(key, bytes, s, e)) return false;
    this.end = this.time.read(bytes, skipSpaces(bytes, s + key.length, e), e);
    return this.end >= 0;
  }

  #readNew(bytes: Buffer, s: number, e: number, slot: number): TaskHead | null {
    const at = this.#places;
    if (!readHead(bytes, s, e, at, this.time)) return null;
    this.end = at.end;
    const head: TaskHead = {
      task: this.strings.of(bytes, at.taskStart, at.dash),
      pid: at.pid,
      cpu: at.cpu,
      flags: this.strings.of(bytes, at.flagsStart, at.flagsEnd),
      bytes: copyOf(bytes, s, at.flagsEnd + 1),
    };
    if (slot >= 0 && head.bytes.length > SHORTEST && bytes[at.flagsEnd] === SPACE) {
      this.#known[slot] = this.#last = head;
    }
    return head;
  }
}

/** A few bytes of the head where the end of the name, the pid and the cpu usually stand. */
function sample(bytes: Uint8Array, s: number): number {
  let hash = HASH_START;
  for (let i = s + SAMPLE_START; i < s + SAMPLE_END; i++) hash = hashStep(hash, bytes[i] as number);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
