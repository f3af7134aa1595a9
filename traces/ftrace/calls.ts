import { CLOSE, COLON, OPEN, SPACE, find, skipSpaces } from './bytes.js';
import type { TaskHead } from './heads.js';
import { ByteTable, copyOf, hashOf, startsWith } from './intern.js';
import type { CallLine, Signature } from './line.js';
import { Value } from './values.js';

/** What stands before the fields of a call. */
export interface CallPlace {
  readonly event: string;
  readonly fn: string;
  readonly isReturn: boolean;
  readonly place: string;
  readonly callee: string;
}

/** Fields as they were read. */
export type CallFields = Pick<CallLine, 'signature' | 'hi' | 'lo' | 'texts'>;

/** `event: (place)` of earlier lines, and the fields that followed last time. */
interface KnownPlace {
  readonly bytes: Buffer;
  readonly place: CallPlace;
  fields: KnownFields;
  /** The place that came after this one last time: usually it does so again. */
  next: KnownPlace | null;
}

interface KnownFields {
  readonly signature: Signature;
  /** ` name=` of each field, one after the other. */
  readonly names: Buffer;
  readonly nameEnds: Int32Array;
  readonly forms: Uint8Array;
  /** Copied for each line: doubles from the start, so that no array changes its representation when an upper half arrives. */
  readonly blank: number[];
  /** Likewise; null where no value is text. */
  readonly noText: null[] | null;
}

const MOST_PLACES = 16384;
const FORM_HEX = 0;
const FORM_DECIMAL = 1;
const FORM_TEXT = 2;

/**
 * Reads the bodies of calls that look like earlier ones: the same event and place, the same names. Nothing is decided here: what does
 * not match byte for byte is left (null) to the general reader, which decides and teaches (`learn`).
 */
export class KnownCalls {
  readonly #places = new ByteTable<KnownPlace>(MOST_PLACES);
  readonly #fields = new Map<Signature, KnownFields>();
  readonly #value = new Value();
  #last: KnownPlace | null = null;

  /** The call whose event begins at `s`. */
  read(bytes: Buffer, s: number, e: number, line: number, head: TaskHead, time: number): CallLine | null {
    if (bytes[e - 1] === SPACE) return null;
    const known = this.#find(bytes, s, e);
    if (known === null) return null;
    const fields = this.#readFields(bytes, s + known.bytes.length, e, known.fields);
    if (fields === null) return null;
    if (this.#last !== null) this.#last.next = known;
    this.#last = known;
    return callLine(line, head, time, known.place, fields);
  }

  #find(bytes: Buffer, s: number, e: number): KnownPlace | null {
    const next = this.#last?.next ?? null;
    if (next !== null && startsWith(next.bytes, bytes, s, e)) return next;
    const open = skipSpaces(bytes, find(bytes, COLON, s, e) + 1, e);
    if (bytes[open] !== OPEN) return null;
    const end = find(bytes, CLOSE, open, e) + 1;
    return this.#places.get(hashOf(bytes, s, end), bytes, s, end) ?? null;
  }

  #readFields(bytes: Buffer, p: number, e: number, known: KnownFields): CallFields | null {
    const { signature, names, nameEnds, forms, blank, noText } = known;
    const value = this.#value;
    const hi = blank.slice();
    const lo = blank.slice();
    const texts: (string | null)[] | null = noText === null ? null : noText.slice();
    let k = 0;
    for (let i = 0; i < forms.length; i++) {
      for (const end = nameEnds[i] as number; k < end; k++) if (bytes[p++] !== names[k]) return null;
      const form = forms[i];
      if (form === FORM_HEX) p = value.readHex(bytes, p, e);
      else if (form === FORM_DECIMAL) p = value.readDecimal(bytes, p, e);
      else {
        p = value.read(bytes, p, e);
        if (value.form !== signature.forms[i] || texts === null) return null;
        texts[i] = bytes.toString('utf8', value.start, value.stop);
      }
      if (p < 0) return null;
      hi[i] = value.hi;
      lo[i] = value.lo;
    }
    return p === e ? { signature, hi, lo, texts } : null;
  }

  /** Remembers what the general reader read at [s, end). */
  learn(bytes: Buffer, s: number, end: number, place: CallPlace, signature: Signature): void {
    const hash = hashOf(bytes, s, end);
    const fields = this.#fieldsOf(signature);
    let known = this.#places.get(hash, bytes, s, end);
    if (known === undefined) {
      known = { bytes: copyOf(bytes, s, end), place, fields, next: null };
      this.#places.add(hash, bytes, s, end, known);
    }
    known.fields = fields;
    if (this.#last !== null) this.#last.next = known;
    this.#last = known;
  }

  forget(): void {
    this.#places.clear();
    this.#last = null;
  }

  #fieldsOf(signature: Signature): KnownFields {
    let known = this.#fields.get(signature);
    if (known === undefined) this.#fields.set(signature, (known = knownFields(signature)));
    return known;
  }
}

function knownFields(signature: Signature): KnownFields {
  const parts = signature.names.map((name) => ` ${name}=`);
  let end = 0;
  return {
    signature,
    names: Buffer.from(parts.join('')),
    nameEnds: Int32Array.from(parts, (part) => (end += part.length)),
    forms: Uint8Array.from(signature.forms, (form) =>
      form === 'hex' ? FORM_HEX : form === 'decimal' ? FORM_DECIMAL : FORM_TEXT,
    ),
    blank: Array.from({ length: parts.length }, () => 0.5),
    noText: signature.text.includes(true) ? parts.map(() => null) : null,
  };
}

/** The one place where call lines are made: always the same shape. */
export function callLine(
  line: number,
  head: TaskHead,
  time: number,
  place: CallPlace,
  fields: CallFields,
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
