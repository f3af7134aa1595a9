import type { Address } from '../value/address.js';
import type { Word } from '../value/words.js';

/** How a field is stored in a column, shown in SQL, in JSON Lines and in the reference. */
export interface FieldTypes {
  /** Non-negative integer below 2^53. */
  uint: number;
  /** Integer, |n| below 2^53. */
  int: number;
  /** 4 KiB page number (virtual or physical), below 2^52. */
  page: number;
  /** Exact 64-bit byte address. */
  address: Address;
  /** Raw 64-bit value. */
  word: Word;
  /** Interned text. */
  text: string;
  /** Values of a call line, in the order of its `names`. */
  words: Words;
  /** Raw bytes. */
  bytes: Uint8Array;
}

/** Values of one call line: 32-bit halves by position; texts where the value is a string (null where there is none at all). */
export interface Words {
  readonly hi: readonly number[];
  readonly lo: readonly number[];
  readonly texts: readonly (string | null)[] | null;
}

export type FieldType = keyof FieldTypes;

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** What it means, with its unit. */
  readonly doc: string;
}

/** Where the knowledge of an event comes from. */
export const Origin = Object.freeze({
  /** Read from a recording (or given to an emulation as its workload). */
  observed: 0,
  /** Follows from the model. */
  derived: 1,
  /** Taken for granted where nothing was recorded. */
  assumed: 2,
});
export type Origin = 0 | 1 | 2;
export const ORIGINS = ['observed', 'derived', 'assumed'] as const;

/** Fields that every event has. */
export interface Common {
  /** Number in its trace, gapless from 1; 0 for what the starting dump gives. */
  readonly seq: number;
  /** Nanoseconds since the first event of the trace. */
  readonly time: number;
  readonly cpu: number;
  /** `comm-pid`, or empty. */
  readonly task: string;
  /** Number of the `entered` event of the enclosing kernel call (for `returned`: its own), 0 outside any. */
  readonly call: number;
  readonly origin: Origin;
}

/** Descriptor of one kind of event: drives the codec, SQL columns, JSON Lines and the reference pages. */
export interface Kind {
  readonly kind: string;
  /** Number in the file format; never reused. */
  readonly code: number;
  readonly version: number;
  readonly doc: string;
  readonly fields: readonly Field[];
  /** False for kinds that leave memory as it is (the fold skips them while decoding). */
  readonly changesMemory: boolean;
}

type Payload<E> = Omit<E, keyof Common | 'kind'>;
type FieldSpec<E> = {
  readonly [K in keyof Payload<E>]-?: readonly [
    {
      [T in FieldType]: FieldTypes[T] extends Payload<E>[K]
        ? Payload<E>[K] extends FieldTypes[T]
          ? T
          : never
        : never;
    }[FieldType],
    string,
  ];
};

/** Declares a kind; the compiler holds interface and fields equal. */
export const kindOf =
  <E extends Common & { readonly kind: string }>() =>
  (
    kind: E['kind'],
    code: number,
    doc: string,
    fields: FieldSpec<E>,
    options: { version?: number; changesMemory?: boolean } = {},
  ): Kind =>
    Object.freeze({
      kind,
      code,
      version: options.version ?? 1,
      doc,
      fields: Object.entries(fields as Record<string, readonly [FieldType, string]>).map(
        ([name, [type, text]]) => ({ name, type, doc: text }),
      ),
      changesMemory: options.changesMemory ?? true,
    });
