import { CLOSE, QUOTE, SPACE, skipSpaces } from './bytes.js';
import type { Clock, TimeStamp } from './clock.js';
import { ByteTable, HASH_START, hashOf, hashStep } from './intern.js';
import type { CallLine, Signature } from './line.js';
import { Value, closingQuote } from './values.js';

const HEADS = 1024; // power of two
const PLACES = 16384;
const SAMPLE_START = 12;
const SAMPLE_END = 32;

/** `TASK-PID [CPU] FLAGS ` of earlier lines, a space at the end. */
interface KnownHead {
  readonly bytes: Uint8Array;
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly flags: string;
}

/** `event: (place)` of earlier lines, and the fields that followed last time. */
interface KnownPlace {
  readonly bytes: Uint8Array;
  readonly event: string;
  readonly fn: string;
  readonly isReturn: boolean;
  readonly place: string;
  readonly callee: string;
  fields: KnownFields | null;
  /** The place that came after this one last time: usually it does so again. */
  next: KnownPlace | null;
}

interface KnownFields {
  readonly signature: Signature;
  /** ` name=` of each field, one after the other. */
  readonly names: Uint8Array;
  readonly nameEnds: Int32Array;
  readonly forms: Uint8Array;
  /** Copied for each line: doubles from the start, so that no array changes its representation when an upper half arrives. */
  readonly blank: number[];
  /** Likewise, null where no value is text. */
  readonly noText: null[] | null;
}

const FORM_HEX = 0;
const FORM_DECIMAL = 1;
const FORM_QUOTED = 2;

/** What the general reader found out about a call line, and where: enough to recognise the next one like it. */
export interface CallLayout {
  readonly headEnd: number;
  readonly eventStart: number;
  readonly fieldsStart: number;
}

/**
 * Reads call lines that look like earlier ones: the same head, the same event and place, the same names. Nothing is decided here:
 * what does not match byte for byte is left (null) to the general reader, which decides and teaches (`learn`).
 */
export class QuickCalls {
  readonly #heads: (KnownHead | undefined)[] = Array.from({ length: HEADS });
  readonly #places = new ByteTable<KnownPlace>(PLACES);
  readonly #value = new Value();
  #head = NO_HEAD;
  #place = noPlace();

  constructor(
    private readonly time: TimeStamp,
    private readonly clock: Clock,
  ) {}

  read(bytes: Buffer, s: number, e: number, line: number): CallLine | null {
    const head = this.#findHead(bytes, s, e);
    if (head === null) return null;
    const headEnd = s + head.bytes.length;
    const eventStart = this.time.read(bytes, skipSpaces(bytes, headEnd, e), e) + 1;
    if (eventStart <= 0 || eventStart >= e || bytes[eventStart - 1] !== SPACE) return null;
    const place = this.#findPlace(bytes, eventStart, e);
    if (place === null) return null;
    const ns = this.clock.since(this.time);
    if (!Number.isSafeInteger(ns)) return null;
    const call = this.#fields(bytes, eventStart + place.bytes.length, e, line, ns, head, place);
    if (call === null) return null;
    this.#head = head;
    this.#place = this.#place.next = place;
    return call;
  }

  /** The head that stands at `s` with a space after it. */
  #findHead(bytes: Buffer, s: number, e: number): KnownHead | null {
    if (startsWith(bytes, s, e, this.#head.bytes)) return this.#head;
    if (e - s < SAMPLE_END) return null;
    const head = this.#heads[sample(bytes, s)];
    return head !== undefined && startsWith(bytes, s, e, head.bytes) ? head : null;
  }

  /** The `event: (place)` that stands at `s`. */
  #findPlace(bytes: Buffer, s: number, e: number): KnownPlace | null {
    const { next } = this.#place;
    if (next !== null && startsWith(bytes, s, e, next.bytes)) return next;
    let hash = HASH_START;
    for (let p = s; p < e; p++) {
      const byte = bytes[p] as number;
      hash = hashStep(hash, byte);
      if (byte === CLOSE) return this.#places.get(hash, bytes, s, p + 1) ?? null;
    }
    return null;
  }

  #fields(
    bytes: Buffer,
    p: number,
    e: number,
    line: number,
    time: number,
    head: KnownHead,
    place: KnownPlace,
  ): CallLine | null {
    const { fields } = place;
    if (fields === null) return null;
    const { names, nameEnds, forms, signature } = fields;
    const value = this.#value;
    const hi = fields.blank.slice();
    const lo = fields.blank.slice();
    const texts: (string | null)[] | null = fields.noText === null ? null : fields.noText.slice();
    let k = 0;
    for (let i = 0; i < forms.length; i++) {
      for (const end = nameEnds[i] as number; k < end; k++) if (bytes[p++] !== names[k]) return null;
      const form = forms[i];
      if (form === FORM_HEX) p = value.readHex(bytes, p, e);
      else if (form === FORM_DECIMAL) p = value.readDecimal(bytes, p, e);
      else {
        const quote = bytes[p] === QUOTE ? closingQuote(bytes, p, e) : -1;
        if (quote < 0 || texts === null) return null;
        texts[i] = bytes.toString('utf8', p + 1, quote);
        hi[i] = lo[i] = 0;
        p = quote + 1;
        continue;
      }
      if (p < 0) return null;
      hi[i] = value.hi;
      lo[i] = value.lo;
    }
    if (p !== e) return null;
    return callLine(line, head, time, place, { signature, hi, lo, texts });
  }

  /** Remembers the parts of a call line at [s, …) that the general reader read. */
  learn(bytes: Uint8Array, s: number, layout: CallLayout, call: CallLine): void {
    const { headEnd, eventStart, fieldsStart } = layout;
    const { task, pid, cpu, flags, event, fn, isReturn, place, callee = '' } = call;
    if (headEnd - s >= SAMPLE_END - SAMPLE_START) {
      this.#heads[sample(bytes, s)] = {
        bytes: Uint8Array.prototype.slice.call(bytes, s, headEnd + 1),
        task,
        pid,
        cpu,
        flags,
      };
    }
    const hash = hashOf(bytes, eventStart, fieldsStart);
    let known = this.#places.get(hash, bytes, eventStart, fieldsStart);
    if (known === undefined) {
      const key = Uint8Array.prototype.slice.call(bytes, eventStart, fieldsStart);
      known = { bytes: key, event, fn, isReturn, place, callee, fields: null, next: null };
      this.#places.add(hash, bytes, eventStart, fieldsStart, known);
    }
    this.#place = this.#place.next = known;
    if (known.fields?.signature !== call.signature) known.fields = knownFields(call.signature);
  }

  forget(): void {
    this.#heads.fill(undefined);
    this.#places.clear();
    this.#head = NO_HEAD;
    this.#place = noPlace();
  }
}

/** Stands at the beginning, matches nothing. */
const NO_HEAD: KnownHead = { bytes: Buffer.from('\n'), task: '', pid: 0, cpu: 0, flags: '' };
const noPlace = (): KnownPlace => ({
  bytes: NO_HEAD.bytes,
  event: '',
  fn: '',
  isReturn: false,
  place: '',
  callee: '',
  fields: null,
  next: null,
});

/** Whether `key` stands at [s, …) before `e`. */
function startsWith(bytes: Uint8Array, s: number, e: number, key: Uint8Array): boolean {
  const n = key.length;
  if (s + n > e) return false;
  for (let i = 0; i < n; i++) if (key[i] !== bytes[s + i]) return false;
  return true;
}

/** A few bytes of the head where the end of the name, the pid and the cpu usually stand. */
function sample(bytes: Uint8Array, s: number): number {
  let hash = HASH_START;
  for (let i = s + SAMPLE_START; i < s + SAMPLE_END; i++) hash = hashStep(hash, bytes[i] as number);
  return (hash ^ (hash >>> 15)) & (HEADS - 1);
}

/** Null for signatures with text that is not quoted: they are rare, and only the general reader knows where such a text ends. */
function knownFields(signature: Signature): KnownFields | null {
  if (signature.forms.includes('bare')) return null;
  const parts = signature.names.map((name) => ` ${name}=`);
  let end = 0;
  return {
    signature,
    names: Buffer.from(parts.join(''), 'utf8'),
    nameEnds: Int32Array.from(parts, (part) => (end += part.length)),
    forms: Uint8Array.from(signature.forms, (form) =>
      form === 'hex' ? FORM_HEX : form === 'decimal' ? FORM_DECIMAL : FORM_QUOTED,
    ),
    blank: Array.from({ length: signature.names.length }, () => 0.5),
    noText: signature.text.includes(true) ? signature.names.map(() => null) : null,
  };
}

/** The one place where call lines are made: always the same shape. */
export function callLine(
  line: number,
  head: Pick<CallLine, 'task' | 'pid' | 'cpu' | 'flags'>,
  time: number,
  place: { readonly event: string; readonly fn: string } & Pick<CallLine, 'isReturn' | 'place'> & {
      readonly callee: string;
    },
  fields: Pick<CallLine, 'signature' | 'hi' | 'lo' | 'texts'>,
): CallLine {
  return {
    kind: 'call',
    line,
    task: head.task,
    pid: head.pid,
    cpu: head.cpu,
    flags: head.flags,
    time,
    event: place.event,
    fn: place.fn,
    isReturn: place.isReturn,
    place: place.place,
    callee: place.callee,
    signature: fields.signature,
    hi: fields.hi,
    lo: fields.lo,
    texts: fields.texts,
  };
}
