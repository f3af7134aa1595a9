/**
 * The Merkle tree of RFC 6962 §2.1 (the same in RFC 9162), as transparency logs use it: a leaf is H(0x00 ‖ entry), a node H(0x01 ‖ left ‖ right), the
 * left side of a node is the largest power of two that leaves something for the right.
 */

/** SHA-256 of texts one after the other. Given by the caller: core has no hash of its own. */
export type Sha256 = (...parts: readonly Uint8Array[]) => Uint8Array;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafHash = (sha256: Sha256, entry: Uint8Array): Uint8Array => sha256(LEAF, entry);

export const nodeHash = (sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array =>
  sha256(NODE, left, right);

/** Hashes level by level, leaves first, the root alone last. A hash without a partner is taken to the next level as it is. */
export interface MerkleTree {
  readonly size: number;
  readonly root: Uint8Array;
  readonly levels: readonly (readonly Uint8Array[])[];
}

export function merkleTree(sha256: Sha256, entries: readonly Uint8Array[]): MerkleTree {
  let level: readonly Uint8Array[] = entries.map((entry) => leafHash(sha256, entry));
  const levels = [level];
  while (level.length > 1) {
    const below = level;
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, i) => {
      const left = below[2 * i] as Uint8Array;
      const right = below[2 * i + 1];
      return right === undefined ? left : nodeHash(sha256, left, right);
    });
    levels.push(level);
  }
  return { size: entries.length, root: level[0] ?? sha256(), levels };
}

/** The hashes beside the way from a node up to the root, lowest first. */
function besides(tree: MerkleTree, level: number, index: number): readonly Uint8Array[] {
  const path: Uint8Array[] = [];
  for (let at = index, k = level; k < tree.levels.length - 1; k++) {
    const beside = tree.levels[k]?.[at % 2 === 0 ? at + 1 : at - 1];
    if (beside !== undefined) path.push(beside);
    at = Math.floor(at / 2);
  }
  return path;
}

/** RFC 6962 §2.1.1: what shows, with the leaf, that it is leaf `index` (0 ≤ index < size) of the tree. */
export const inclusionPath = (tree: MerkleTree, index: number): readonly Uint8Array[] =>
  besides(tree, 0, index);

/** RFC 6962 §2.1.2: what shows that the tree begins with the tree of its first `first` leaves (0 ≤ first ≤ size). */
export function consistencyPath(tree: MerkleTree, first: number): readonly Uint8Array[] {
  if (first === 0 || first === tree.size) return [];
  // The highest complete subtree that ends where the first tree ended.
  let level = 0;
  let last = first - 1;
  for (; last % 2 === 1; level++) last = Math.floor(last / 2);
  const own = tree.levels[level]?.[last] as Uint8Array;
  // When that is the whole first tree, who checks has its root already.
  return last === 0 ? besides(tree, level, last) : [own, ...besides(tree, level, last)];
}
