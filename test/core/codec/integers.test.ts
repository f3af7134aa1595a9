import { expect } from 'chai';
import * as fc from 'fast-check';
import { inputOf } from '../../../core/codec/input.js';
import { putIntegers, takeIntegers, type Range } from '../../../core/codec/integers.js';
import { newOutput } from '../../../core/codec/output.js';

const MAX = Number.MAX_SAFE_INTEGER;

function put(values: readonly number[], range: Range): Uint8Array {
  const out = newOutput(1);
  putIntegers(out, new Float64Array(values), values.length, range);
  return out.bytes.slice(0, out.at);
}

function take(bytes: Uint8Array, count: number, range: Range): number[] {
  const values = new Float64Array(count);
  const input = inputOf(bytes);
  takeIntegers(input, values, count, range);
  expect(input.at).to.equal(bytes.length);
  return [...values];
}

/** The reference: bigints, every form written out. */
function varint(n: bigint): number[] {
  return n < 128n ? [Number(n)] : [Number(n & 127n) | 128, ...varint(n >> 7n)];
}
const zigzag = (n: bigint): bigint => (n < 0n ? -2n * n - 1n : 2n * n);
const unsigned = (n: bigint): number[] => varint(n);
const signed = (n: bigint): number[] => varint(zigzag(n));

function runs(items: readonly bigint[], item: (n: bigint) => number[]): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < items.length;) {
    let end = i;
    while (end < items.length && items[end] === items[i]) end++;
    bytes.push(...item(items[i] as bigint), ...varint(end === items.length ? 0n : BigInt(end - i)));
    i = end;
  }
  return bytes;
}

function forms(values: readonly number[], isSigned: boolean): number[][] {
  const items = values.map(BigInt);
  const differences = items.map((item, i) => item - (i === 0 ? 0n : (items[i - 1] as bigint)));
  const value = isSigned ? signed : unsigned;
  const isExact = differences.every((n) => n <= BigInt(MAX) && n >= -BigInt(MAX));
  return [
    [0, ...items.flatMap(value)],
    [1, ...runs(items, value)],
    ...(isExact
      ? [
          [2, ...differences.flatMap(signed)],
          [3, ...runs(differences, signed)],
        ]
      : []),
  ];
}

const anyInteger = (min: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: Math.max(min, -3), max: 3 }),
    fc.integer({ min: Math.max(min, -70_000), max: 70_000 }),
    fc.maxSafeInteger().map((n) => (min < 0 ? n : Math.abs(n))),
  );

/** Values, runs of values, and values that go up in equal steps. */
const column = (min: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.tuple(anyInteger(min), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 2 })), {
      maxLength: 6,
    })
    .map((stretches) =>
      stretches.flatMap(([value, count, step]) =>
        Array.from({ length: count }, (_, i) => (value > MAX - 400 ? value : value + i * step)),
      ),
    );

describe('a column of integers', () => {
  for (const [name, range] of [
    ['unsigned', { min: 0, max: MAX }],
    ['signed', { min: -MAX, max: MAX }],
  ] as const) {
    it(`is the smallest of its forms and comes back: ${name}`, () => {
      fc.assert(
        fc.property(column(range.min), (values) => {
          const bytes = put(values, range);
          const all = values.length === 0 ? [[]] : forms(values, range.min < 0);
          const least = Math.min(...all.map((form) => form.length));
          expect([...bytes]).to.deep.equal(all.find((form) => form.length === least));
          expect(take(bytes, values.length, range)).to.deep.equal(values);
          for (const form of all)
            expect(take(Uint8Array.from(form), values.length, range)).to.deep.equal(values);
        }),
        { numRuns: 500 },
      );
    });
  }

  it('keeps differences that are no exact numbers out', () => {
    const values = [MAX, -MAX + 1, MAX - 1, -MAX];
    expect(take(put(values, { min: -MAX, max: MAX }), 4, { min: -MAX, max: MAX })).to.deep.equal(values);
  });
});
