import * as fc from 'fast-check';
import { KINDS, type Event } from '../../../core/event/event.js';
import type { FieldType, FieldTypes, Kind, Words } from '../../../core/event/kind.js';
import { Address } from '../../../core/value/address.js';

const MAX_INT = Number.MAX_SAFE_INTEGER;
const MAX_PAGE = 2 ** 52 - 1;
const MAX_HALF = 2 ** 32 - 1;

/** Small numbers as they are in recordings, and the limits. */
const upTo = (max: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 300 }) },
    { weight: 1, arbitrary: fc.nat({ max }) },
    { weight: 1, arbitrary: fc.constantFrom(max, max - 1, Math.floor(max / 2)) },
  );

/** Every UTF-16 string, lone surrogates included. */
const wild = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
  .map((units) => String.fromCharCode(...units));
const text = fc.oneof(
  fc.constantFrom('', 'poke', 'bpf_prog_pack_alloc', 'prog,insns', 'Δ\u0000"\\', '𝄞'),
  fc.string({ unit: 'binary', maxLength: 12 }),
  wild,
);

const words: fc.Arbitrary<Words> = fc
  .array(fc.tuple(upTo(MAX_HALF), upTo(MAX_HALF), fc.option(text)), { maxLength: 4 })
  .chain((values) =>
    fc.boolean().map((withTexts) => ({
      hi: values.map(([hi]) => hi),
      lo: values.map(([, lo]) => lo),
      texts: withTexts ? values.map(([, , own]) => own) : null,
    })),
  );

const values: { readonly [T in FieldType]: fc.Arbitrary<FieldTypes[T]> } = {
  uint: upTo(MAX_INT),
  int: fc.tuple(fc.boolean(), upTo(MAX_INT)).map(([negative, n]) => (negative && n !== 0 ? -n : n)),
  page: upTo(MAX_PAGE),
  address: fc.tuple(upTo(MAX_PAGE), fc.nat({ max: 4095 })).map(([page, offset]) => Address.of(page, offset)),
  word: fc.record({ hi: upTo(MAX_HALF), lo: upTo(MAX_HALF) }, { noNullPrototype: true }),
  text,
  words,
  bytes: fc.uint8Array({ maxLength: 70 }),
};

const common = {
  seq: upTo(MAX_INT),
  time: upTo(MAX_INT),
  cpu: fc.nat({ max: 511 }),
  task: fc.constantFrom('', 'workload-84', 'kworker/0:1-12'),
  call: upTo(MAX_INT),
  origin: fc.constantFrom(0 as const, 1 as const, 2 as const),
};

/** An event of this kind with any values its fields allow, in the property order of a decoded one. */
export const eventOfKind = ({ kind, fields }: Kind): fc.Arbitrary<Event> =>
  fc.record(
    {
      ...common,
      kind: fc.constant(kind),
      ...Object.fromEntries(fields.map(({ name, type }) => [name, values[type]])),
    },
    { noNullPrototype: true },
  ) as unknown as fc.Arbitrary<Event>;

export const anyEvent: fc.Arbitrary<Event> = fc.oneof(...KINDS.map(eventOfKind));

/** Numbered on from `first`, as in a log. */
export const numbered = (events: readonly Event[], first: number): Event[] =>
  events.map((event, i) => ({ ...event, seq: first + i }));

/** The events of a segment: numbered (as in a log) or with any numbers (as in a dump). */
export const anySegment: fc.Arbitrary<Event[]> = fc
  .tuple(fc.array(anyEvent, { minLength: 1, maxLength: 60 }), fc.option(upTo(MAX_INT - 100)))
  .map(([events, first]) => (first === null ? events : numbered(events, first)));
