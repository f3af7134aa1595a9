import { expect } from 'chai';
import * as fc from 'fast-check';
import { Address, PAGE_SIZE, pageText } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import { Word } from '../../../core/value/words.js';

const TOP = 2n ** 64n;
const EDGES = [
  0n,
  1n,
  0xfffn,
  0x1000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 53n - 1n,
  2n ** 53n,
];
const EXTREMES = [
  ...EDGES,
  ...EDGES.map((n) => TOP - 1n - n),
  2n ** 63n - 1n,
  2n ** 63n,
  0xc008000000000000n,
];

/** 64-bit values, the edges of halves, pages, doubles and of the whole range among them. */
const value64 = fc.oneof(
  fc.constantFrom(...EXTREMES),
  fc.bigInt({ min: 0n, max: TOP - 1n }),
  fc
    .tuple(fc.constantFrom(...EXTREMES), fc.bigInt({ min: -5000n, max: 5000n }))
    .map(([edge, by]) => BigInt.asUintN(64, edge + by)),
);
const safe = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, -1, 2 ** 32, -(2 ** 32), 2 ** 32 - 1, -(2 ** 32) - 1, 2 ** 31, -(2 ** 31)),
);
const check = (property: fc.IPropertyWithHooks<never> | fc.IProperty<never>): void =>
  fc.assert(property as fc.IProperty<never>, { numRuns: 2000 });
const property = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void): fc.IProperty<never> =>
  fc.property(arbitrary, holds) as unknown as fc.IProperty<never>;

describe('an address', () => {
  it('is its 64-bit value, by way of bigint, halves and text', () => {
    check(
      property(value64, (value) => {
        const address = Address.fromBigInt(value);
        expect(Address.toBigInt(address)).to.equal(value);
        expect(BigInt(address.page) * 4096n + BigInt(address.offset)).to.equal(value);
        expect(BigInt(Address.hi(address))).to.equal(value >> 32n);
        expect(BigInt(Address.lo(address))).to.equal(value & 0xffffffffn);
        expect(Address.fromWords(Address.hi(address), Address.lo(address))).to.deep.equal(address);
        const text = `0x${value.toString(16).padStart(16, '0')}`;
        expect(Address.toText(address)).to.equal(text);
        expect(Address.parse(text)).to.deep.equal(address);
        expect(Address.parse(value.toString(16).toUpperCase())).to.deep.equal(address);
      }),
    );
  });

  it('takes halves as signed numbers too', () => {
    check(
      property(value64, (value) => {
        const [hi, lo] = [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];
        expect(Address.toBigInt(Address.fromWords(hi, lo))).to.equal(value);
      }),
    );
  });

  it('moves by bytes as a bigint does, as long as it stays in 64 bits', () => {
    const step = fc.oneof(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
      fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
    );
    check(
      property(fc.tuple(value64, step), ([value, by]) => {
        const sum = value + BigInt(by);
        if (sum < 0n || sum >= TOP) return;
        const moved = Address.add(Address.fromBigInt(value), by);
        expect(Address.toBigInt(moved)).to.equal(sum);
        expect(moved.offset >= 0 && moved.offset < PAGE_SIZE).to.equal(true);
        expect(Address.minus(moved, Address.fromBigInt(value))).to.equal(by);
      }),
    );
  });

  it('compares as an unsigned number', () => {
    check(
      property(fc.tuple(value64, value64), ([a, b]) => {
        const [one, other] = [Address.fromBigInt(a), Address.fromBigInt(b)];
        expect(Math.sign(Address.compare(one, other))).to.equal(a < b ? -1 : a > b ? 1 : 0);
        expect(Address.equals(one, other)).to.equal(a === b);
        expect(Address.isZero(one)).to.equal(a === 0n);
      }),
    );
  });

  it('is not read from what is not hex, is empty, or has 17 digits', () => {
    for (const text of ['', '0x', '0xg', '12345678901234567', ' 1', '1 ', '-1', '0x-1', '0x0x1'])
      expect(Address.parse(text), JSON.stringify(text)).to.equal(null);
  });

  it('of a page prints its first byte; the page after the last prints as zero', () => {
    expect(pageText(0xfffffffffffff)).to.equal('0xfffffffffffff000');
    expect(pageText(0x10000000000000)).to.equal('0x0000000000000000');
  });
});

describe('a word', () => {
  it('is its 64-bit value, by way of bigint, address and hex', () => {
    check(
      property(value64, (value) => {
        const word = Word.fromBigInt(value);
        expect(Word.toBigInt(word)).to.equal(value);
        expect(Word.toAddress(word)).to.deep.equal(Address.fromBigInt(value));
        expect(Word.fromAddress(Address.fromBigInt(value))).to.deep.equal(word);
        expect(Word.toHex(word)).to.equal(`0x${value.toString(16)}`);
        expect(Word.isZero(word)).to.equal(value === 0n);
        expect(Word.toInt(word)).to.equal(Number(BigInt.asIntN(32, value)));
        if (value < 2n ** 53n) expect(Word.toNumber(word)).to.equal(Number(value));
      }),
    );
  });

  it('of a number is its two’s complement', () => {
    check(
      property(safe, (n) => {
        expect(Word.toBigInt(Word.fromNumber(n))).to.equal(BigInt.asUintN(64, BigInt(n)));
      }),
    );
  });

  it('equals another one of the same value only', () => {
    check(
      property(fc.tuple(value64, value64), ([a, b]) => {
        expect(Word.equals(Word.fromBigInt(a), Word.fromBigInt(b))).to.equal(a === b);
      }),
    );
  });
});

describe('a permission', () => {
  const bits = fc.integer({ min: 0, max: 15 });
  const prot = fc.tuple(bits, bits).map(([yes, unknown]) => (yes & ~unknown) | Prot.unknown(unknown));

  it('changes bit by bit: set is yes, cleared is no, the rest stays as it was', () => {
    check(
      property(fc.tuple(prot, bits, bits), ([before, set, clear]) => {
        if ((set & clear) !== 0) return;
        const after = Prot.change(before, set, clear);
        for (const bit of [1, 2, 4, 8]) {
          const changed = ((set | clear) & bit) !== 0;
          expect(Prot.has(after, bit)).to.equal(changed ? (set & bit) !== 0 : Prot.has(before, bit));
          expect(Prot.isUnknown(after, bit)).to.equal(changed ? false : Prot.isUnknown(before, bit));
        }
      }),
    );
  });

  it('may execute unless it is known that it cannot', () => {
    check(
      property(prot, (before) => {
        const possible = (bit: number): boolean => Prot.has(before, bit) || Prot.isUnknown(before, bit);
        expect(Prot.mayExecute(before)).to.equal(possible(Prot.present) && possible(Prot.executable));
      }),
    );
  });

  it('prints r w x, - for no, ? for unknown, and nothing of a page that is not present', () => {
    expect(Prot.toText(Prot.kernel)).to.equal('rw-');
    expect(Prot.toText(Prot.present | Prot.executable)).to.equal('r-x');
    expect(Prot.toText(Prot.writable | Prot.executable)).to.equal('---');
    expect(Prot.toText(Prot.nothingKnown)).to.equal('???');
    expect(Prot.toText(Prot.present | Prot.unknown(Prot.writable | Prot.executable))).to.equal('r??');
  });
});
