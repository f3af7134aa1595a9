import { createHash } from 'node:crypto';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { canonicalJson } from '../../store/canonical-json.js';
import { segmentHash } from '../../store/chain.js';
import { pack, unpack } from '../../store/codec.js';
import { newFile, open } from './files.js';
import { must, readAll } from './given.js';

const hash = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
const u64 = (n: number): Buffer => Buffer.from(n.toString(16).padStart(16, '0'), 'hex').reverse();
const u32 = (n: number): Buffer => u64(n).subarray(0, 4);

describe('The chain', () => {
  it('hashes what docs/log-format.md says', () => {
    const log = must(
      open(newFile()).createTrace({
        name: 'übung',
        meta: { b: [1, null], a: 'x' },
        genesis: Buffer.from('dump'),
      }),
    );
    const [one, two] = [Buffer.from('first bytes'), Buffer.alloc(1000, 'deflates ')];
    must(log.append({ first: 1, count: 3, bytes: one }));
    must(log.append({ first: 4, count: 4096, bytes: two }));

    const name = Buffer.from('übung');
    const meta = Buffer.from('{"a":"x","b":[1,null]}');
    const genesis = hash(
      Buffer.from('pagetrail/genesis/1\n'),
      u64(name.length),
      name,
      u64(meta.length),
      meta,
      Buffer.from('dump'),
    );
    const first = hash(Buffer.from('pagetrail/segment/1\n'), genesis, u64(1), u32(3), one);
    const second = hash(Buffer.from('pagetrail/segment/1\n'), first, u64(4), u32(4096), two);
    expect(log.info.genesisRoot).to.equal(genesis.toString('hex'));
    expect(readAll(log).map((s) => s.hash)).to.deep.equal([first.toString('hex'), second.toString('hex')]);
    expect(log.info.root).to.equal(second.toString('hex'));
  });

  it('writes the first number of a segment in 64 bits', () => {
    const previous = hash(Buffer.from('before'));
    const bytes = Buffer.from('x');
    for (const first of [1, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 5]) {
      expect(segmentHash(previous, first, 3, bytes)).to.deep.equal(
        hash(Buffer.from('pagetrail/segment/1\n'), previous, u64(first), u32(3), bytes),
      );
    }
  });
});

describe('Canonical JSON', () => {
  it('is the same text for equal values, whatever the order of their keys, and parses back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        const shuffled: unknown = JSON.parse(JSON.stringify(value, reversed));
        expect(canonicalJson(shuffled)).to.equal(text);
        expect(JSON.parse(text ?? '')).to.deep.equal(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is not made of what JSON cannot hold', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const value of [1n, NaN, Infinity, undefined, () => 1, new Date(0), new Map(), [undefined], cycle]) {
      expect(canonicalJson(value)).to.equal(null);
    }
    expect(canonicalJson({ b: undefined, a: -0 })).to.equal('{"a":0}');
  });
});

/** Replacer that turns the order of an object's keys around. */
const reversed = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value;

describe('Compression', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.integer({ min: 1, max: 50 }), (bytes, times) => {
        const all = Buffer.concat(Array.from({ length: times }, () => bytes));
        const packed = pack(all);
        expect(packed.bytes.length).to.be.at.most(all.length);
        expect(Buffer.from(unpack(packed) ?? 'nothing').equals(all)).to.equal(true);
      }),
    );
  });

  it('never gives more, or less, than the size says', () => {
    const packed = pack(Buffer.alloc(5000));
    expect(packed.codec).to.equal(1);
    for (const size of [0, 1, 4999, 5001, 2 ** 40, NaN]) expect(unpack({ ...packed, size })).to.equal(null);
    expect(unpack({ ...packed, codec: 0 })).to.equal(null);
    expect(unpack({ ...packed, codec: 2 })).to.equal(null);
    expect(unpack({ ...packed, bytes: packed.bytes.subarray(0, 5) })).to.equal(null);
  });
});
