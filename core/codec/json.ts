import { KINDS, type Event } from '../event/event.js';
import { ORIGINS, type FieldType, type FieldTypes, type Words } from '../event/kind.js';
import { Address, pageText } from '../value/address.js';
import { Word } from '../value/words.js';
import { ROWS } from './rows.js';

export type JsonValue = string | number | { readonly [name: string]: string | null };

/** An event as JSON Lines show it. */
export interface EventJson {
  readonly seq: number;
  /** Nanoseconds since the first event of the trace, in decimal: readers that keep numbers in 32 bits or as floats lose nothing. */
  readonly time_ns: string;
  readonly cpu: number;
  readonly task: string;
  readonly call: number;
  readonly origin: (typeof ORIGINS)[number];
  readonly kind: string;
  readonly [field: string]: JsonValue;
}

/** Lower-case hex, two digits a byte. */
function bytesText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Names of the values of a call line; where one is missing or used before, `#` and the position. */
function valueNames(names: string, count: number): string[] {
  const given = names === '' ? [] : names.split(',');
  const used = new Set<string>();
  return Array.from({ length: count }, (_, k) => {
    const name = given[k];
    const own = name === undefined || name === '' || used.has(name) ? `#${k}` : name;
    used.add(own);
    return own;
  });
}

/** Values of a call line by name: `0x…` as ftrace prints it, or the text. */
export function valuesJson(names: string, { hi, lo, texts }: Words): Readonly<Record<string, string>> {
  return Object.fromEntries(
    valueNames(names, hi.length).map((name, k) => [
      name,
      texts?.[k] ?? Word.toHex({ hi: hi[k] as number, lo: lo[k] as number }),
    ]),
  );
}

type ToJson<T> = (value: T) => JsonValue;
const same = <T extends JsonValue>(value: T): T => value;

const toJson: { readonly [T in Exclude<FieldType, 'words'>]: ToJson<FieldTypes[T]> } = {
  uint: same,
  int: same,
  page: pageText,
  address: Address.toText,
  word: Word.toHex,
  text: same,
  bytes: bytesText,
};

type FieldJson = readonly [name: string, of: (event: Event) => JsonValue];

/** Fields of each kind. A kind with call-line values has no `names`: they are the keys of the values. */
const FIELDS: ReadonlyMap<string, readonly FieldJson[]> = new Map(
  KINDS.map(({ kind, fields }) => {
    const get = ROWS[kind]?.get as Readonly<Record<string, (event: Event) => never>>;
    const words = fields.some(({ type }) => type === 'words');
    return [
      kind,
      fields
        .filter(({ name }) => !(words && name === 'names'))
        .map(({ name, type }): FieldJson => {
          const of = get[name] as (event: Event) => never;
          if (type === 'words')
            return [
              name,
              (event) => valuesJson((get['names'] as (event: Event) => string)(event), of(event)),
            ];
          const convert = toJson[type] as ToJson<never>;
          return [name, (event) => convert(of(event))];
        }),
    ];
  }),
);

/** The fields of the event's kind alone, safe for JSON. */
export function payloadJson(event: Event): Readonly<Record<string, JsonValue>> {
  const payload: Record<string, JsonValue> = {};
  for (const [name, of] of FIELDS.get(event.kind) ?? []) payload[name] = of(event);
  return payload;
}

/**
 * The event as an object that JSON can hold without loss: addresses, and pages as the address of their first byte, as `0x` and 16 digits;
 * words as `0x…` without leading zeros; bytes as hex; sizes and counts as numbers.
 */
export const eventJson = (event: Event): EventJson => ({
  seq: event.seq,
  time_ns: String(event.time),
  cpu: event.cpu,
  task: event.task,
  call: event.call,
  origin: ORIGINS[event.origin],
  kind: event.kind,
  ...payloadJson(event),
});
