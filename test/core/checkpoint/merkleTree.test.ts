import { createHash } from 'node:crypto';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { extendsTree, includes } from '../../../core/checkpoint/merkleProof.js';
import {
  consistencyPath,
  inclusionPath,
  leafHash,
  merkleTree,
  type Sha256,
} from '../../../core/checkpoint/merkleTree.js';

const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** RFC 6962 §2.1 word by word: MTH, PATH and SUBPROOF as they are defined there. */
const split = (n: number): number => 2 ** Math.ceil(Math.log2(n) - 1);

function mth(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.from([0]), entries[0] as Uint8Array);
  const k = split(entries.length);
  return sha256(Buffer.from([1]), mth(entries.slice(0, k)), mth(entries.slice(k)));
}

function pathOf(m: number, entries: readonly Uint8Array[]): readonly Uint8Array[] {
  if (entries.length === 1) return [];
  const k = split(entries.length);
  return m < k
    ? [...pathOf(m, entries.slice(0, k)), mth(entries.slice(k))]
    : [...pathOf(m - k, entries.slice(k)), mth(entries.slice(0, k))];
}

function subproof(m: number, entries: readonly Uint8Array[], whole: boolean): readonly Uint8Array[] {
  if (m === entries.length) return whole ? [] : [mth(entries)];
  const k = split(entries.length);
  return m <= k
    ? [...subproof(m, entries.slice(0, k), whole), mth(entries.slice(k))]
    : [...subproof(m - k, entries.slice(k), false), mth(entries.slice(0, k))];
}

/** Entries and roots that Certificate Transparency's implementations share as their examples. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((entry) => Buffer.from(entry, 'hex'));
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const given = fc.array(fc.uint8Array({ maxLength: 4 }), { minLength: 1, maxLength: 70 });
/** Entries, and a number between 0 and theirs. */
const givenAt = given.chain((entries) => fc.tuple(fc.constant(entries), fc.nat(entries.length)));

describe('The Merkle tree of RFC 6962', () => {
  for (const [size, root] of ROOTS.entries())
    it(`has the known root with ${size} of the 8 known entries`, () => {
      expect(hex(merkleTree(sha256, ENTRIES.slice(0, size)).root)).to.equal(root);
    });

  it('gives the known paths of the 8-leaf example', () => {
    const tree = merkleTree(sha256, ENTRIES);
    expect(inclusionPath(tree, 0).map(hex)).to.deep.equal([
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ]);
    expect(consistencyPath(tree, 6).map(hex)).to.deep.equal([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  it('has the roots and paths of the definition', () => {
    fc.assert(
      fc.property(givenAt, ([entries, n]) => {
        const tree = merkleTree(sha256, entries);
        expect(hex(tree.root)).to.equal(hex(mth(entries)));
        const index = Math.min(n, entries.length - 1);
        expect(inclusionPath(tree, index).map(hex)).to.deep.equal(pathOf(index, entries).map(hex));
        const consistency = n === 0 ? [] : subproof(n, entries, true);
        expect(consistencyPath(tree, n).map(hex)).to.deep.equal(consistency.map(hex));
      }),
    );
  });

  it('proves each leaf at its place only', () => {
    for (let size = 1; size <= 18; size++) {
      const entries = Array.from({ length: size }, (_, i) => Buffer.from([i]));
      const tree = merkleTree(sha256, entries);
      for (let index = 0; index < size; index++) {
        const path = inclusionPath(tree, index);
        for (let claimed = -1; claimed <= size; claimed++) {
          const leaf = leafHash(sha256, Buffer.from([claimed & 0xff]));
          expect(includes(sha256, tree, claimed, leaf, path)).to.equal(claimed === index);
          const own = leafHash(sha256, entries[index] as Buffer);
          expect(includes(sha256, tree, claimed, own, path)).to.equal(claimed === index);
        }
      }
    }
  });

  it('proves each beginning of it', () => {
    for (let size = 0; size <= 18; size++) {
      const entries = Array.from({ length: size }, (_, i) => Buffer.from([i]));
      const later = merkleTree(sha256, entries);
      for (let first = 0; first <= size; first++) {
        const path = consistencyPath(later, first);
        for (let claimed = 0; claimed <= size; claimed++) {
          const earlier = merkleTree(sha256, entries.slice(0, claimed));
          // An empty path proves both that nothing comes first and that the whole does.
          const empty = path.length === 0 && (claimed === 0 || claimed === size);
          // The path of a complete left subtree starts at a root that the checker has.
          const expected = claimed === first || empty;
          expect(extendsTree(sha256, earlier, later, path), `${claimed} in ${size}`).to.equal(expected);
        }
      }
    }
  });

  it('proves nothing with anything changed: leaf, path, root, size', () => {
    fc.assert(
      fc.property(givenAt, fc.nat(), fc.nat({ max: 255 }), ([entries, n], where, bit) => {
        const tree = merkleTree(sha256, entries);
        const flipped = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        const changed = (path: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] => [
          ...(path.length === 0
            ? []
            : [path.map((hash, i) => (i === where % path.length ? flipped(hash) : hash))]),
          ...(path.length === 0 ? [] : [path.slice(1), path.slice(0, -1)]),
          [...path, tree.root],
        ];
        const index = Math.min(n, entries.length - 1);
        const leaf = leafHash(sha256, entries[index] as Uint8Array);
        const inclusion = inclusionPath(tree, index);
        expect(includes(sha256, tree, index, leaf, inclusion)).to.equal(true);
        expect(includes(sha256, tree, index, flipped(leaf), inclusion)).to.equal(false);
        expect(includes(sha256, { ...tree, root: flipped(tree.root) }, index, leaf, inclusion)).to.equal(
          false,
        );
        for (const path of changed(inclusion))
          expect(includes(sha256, tree, index, leaf, path)).to.equal(false);

        const earlier = merkleTree(sha256, entries.slice(0, n));
        const consistency = consistencyPath(tree, n);
        expect(extendsTree(sha256, earlier, tree, consistency)).to.equal(true);
        expect(extendsTree(sha256, { ...earlier, root: flipped(earlier.root) }, tree, consistency)).to.equal(
          false,
        );
        if (n > 0)
          expect(extendsTree(sha256, earlier, { ...tree, root: flipped(tree.root) }, consistency)).to.equal(
            false,
          );
        for (const path of changed(consistency))
          expect(extendsTree(sha256, earlier, tree, path)).to.equal(false);
      }),
    );
  });

  it('of another past is not a continuation', () => {
    fc.assert(
      fc.property(given, fc.nat(), fc.nat(), (entries, at, more) => {
        const n = 1 + (more % entries.length);
        const changed = entries.map((entry, i) => (i === at % n ? Uint8Array.of(...entry, 1) : entry));
        const [tree, other] = [merkleTree(sha256, entries), merkleTree(sha256, changed)];
        const earlier = merkleTree(sha256, entries.slice(0, n));
        expect(extendsTree(sha256, earlier, other, consistencyPath(other, n))).to.equal(false);
        expect(extendsTree(sha256, earlier, tree, consistencyPath(tree, n))).to.equal(true);
      }),
    );
  });
});
