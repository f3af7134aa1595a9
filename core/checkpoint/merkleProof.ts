import { nodeHash, type Sha256 } from './merkleTree.js';

/** Checking of proofs (RFC 9162 §2.1.3.2 and §2.1.4.2). Sizes and indices are safe integers; no proof, however wrong, throws. */

const half = (n: number): number => Math.floor(n / 2);
const isOdd = (n: number): boolean => n % 2 === 1;

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

/** A tree as a checkpoint knows it. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether the tree has this leaf (its hash, not its entry) at `index`. */
export function includes(
  sha256: Sha256,
  tree: TreeHead,
  index: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!(index >= 0 && index < tree.size)) return false;
  let at = index;
  let last = tree.size - 1;
  let hash = leaf;
  for (const beside of path) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = nodeHash(sha256, beside, hash);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else hash = nodeHash(sha256, hash, beside);
    at = half(at);
    last = half(last);
  }
  return last === 0 && equal(hash, tree.root);
}

/** Whether the later tree begins with all leaves of the earlier one, in their order. */
export function extendsTree(
  sha256: Sha256,
  earlier: TreeHead,
  later: TreeHead,
  path: readonly Uint8Array[],
): boolean {
  if (earlier.size > later.size) return false;
  if (earlier.size === later.size) return path.length === 0 && equal(earlier.root, later.root);
  // Everything begins with nothing: the root of an empty tree is known.
  if (earlier.size === 0) return path.length === 0 && equal(earlier.root, sha256());
  let at = earlier.size - 1;
  let last = later.size - 1;
  while (isOdd(at)) {
    at = half(at);
    last = half(last);
  }
  const [start, ...rest] = at === 0 ? [earlier.root, ...path] : path;
  if (start === undefined) return false;
  let [before, after] = [start, start];
  for (const beside of rest) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      before = nodeHash(sha256, beside, before);
      after = nodeHash(sha256, beside, after);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else after = nodeHash(sha256, after, beside);
    at = half(at);
    last = half(last);
  }
  return last === 0 && equal(before, earlier.root) && equal(after, later.root);
}
