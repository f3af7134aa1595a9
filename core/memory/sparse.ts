import { whole } from '../value/whole.js';

/**
 * A persistent map from integers (0 to 2^53) to values, ordered by key: a B+ tree. Nodes are copied only when their owner is not the token of the
 * present batch, so earlier maps stay valid, a batch pays for each node once, and a single change costs a few nodes of at most 32 items however large
 * the map is.
 */
export interface SparseMap<V> {
  readonly owner: object | null;
  readonly root: Node<V> | null;
  readonly size: number;
}

interface Node<V> {
  readonly owner: object | null;
  /** 0: a leaf, whose items are values; else items are nodes of height - 1. */
  readonly height: number;
  /** Of a leaf the keys themselves, of other nodes a lower bound of each item's keys. Ascending. */
  readonly keys: number[];
  /** In a leaf with a source a number stands for the value that its source makes of it. */
  readonly items: (V | Node<V> | number)[];
  /** Null where all values are there. */
  readonly source: Source<V> | null;
}

/** Makes values of a map when they are first asked for, each once, whichever node it is asked of. */
interface Source<V> {
  readonly value: (index: number) => V;
  readonly made: (V | undefined)[];
}

/** The entries of a map in the order of their keys, without a value being made. */
export interface Rows<V> {
  readonly keys: Float64Array;
  /** Of each entry the index for which `source` gives its value; below 0 where the value is there. */
  readonly indexes: Int32Array;
  /** What `SparseMap.of` was given; null where all values were there from the beginning. */
  readonly source: ((index: number) => V) | null;
  /** The value of an entry. */
  readonly value: (i: number) => V;
}

interface MutableMap<V> {
  owner: object | null;
  root: Node<V> | null;
  size: number;
}

/** Most items of a node. */
const WIDTH = 32;
/** Items of a node of a map that is made at once: with room for more. */
const FULL = 24;
/** A leaf with fewer is joined with the one before it, where both fit. */
const SPARSE = 8;

const EMPTY: SparseMap<never> = Object.freeze({ owner: null, root: null, size: 0 });

/** Index of the last key <= wanted, or -1. */
export const floorIndex = (keys: readonly number[], wanted: number): number => {
  let low = 0;
  let high = keys.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] as number) <= wanted) low = middle + 1;
    else high = middle - 1;
  }
  return high;
};

const fromSource = <V>({ made, value }: Source<V>, index: number): V => {
  const known = made[index];
  if (known !== undefined) return known;
  const own = value(index);
  made[index] = own;
  return own;
};

/** Value `index` of a leaf. */
const valueAt = <V>({ items, source }: Node<V>, index: number): V => {
  const item = items[index];
  return source !== null && typeof item === 'number' ? fromSource(source, item) : (item as V);
};

const own = <V>(node: Node<V>, token: object): Node<V> =>
  node.owner === token
    ? node
    : {
        owner: token,
        height: node.height,
        keys: node.keys.slice(),
        items: node.items.slice(),
        source: node.source,
      };

const ownMap = <V>(map: SparseMap<V>, token: object): MutableMap<V> =>
  map.owner === token ? (map as MutableMap<V>) : { owner: token, root: map.root, size: map.size };

/** `Array.splice` of one, without the array that it makes. */
const insertAt = <T>(list: T[], index: number, value: T): void => {
  list.push(value);
  for (let i = list.length - 1; i > index; i--) list[i] = list[i - 1] as T;
  list[index] = value;
};
const removeAt = (list: unknown[], index: number): void => {
  for (let i = index + 1; i < list.length; i++) list[i - 1] = list[i];
  list.pop();
};

/** Splits a node that is too large. Where keys come in ascending order the left part stays full. */
const split = <V>(node: Node<V>, token: object, atEnd: boolean): Node<V> => {
  const middle = atEnd ? node.keys.length - 1 : node.keys.length >> 1;
  return {
    owner: token,
    height: node.height,
    keys: node.keys.splice(middle),
    items: node.items.splice(middle),
    source: node.source,
  };
};

/** What a put has found: the key was not there before. Kept outside, so that one descent gives both this and the split. */
let isNew = false;

/** Puts a key into an owned subtree. Returns the new right neighbour where the node was split. */
const put = <V>(node: Node<V>, token: object, key: number, value: V): Node<V> | null => {
  const { keys, items } = node;
  let index = floorIndex(keys, key);
  if (node.height === 0) {
    if (index >= 0 && keys[index] === key) {
      items[index] = value;
      isNew = false;
      return null;
    }
    isNew = true;
    index++;
    insertAt(keys, index, key);
    insertAt(items, index, value);
  } else {
    if (index < 0) {
      index = 0;
      keys[0] = key;
    }
    const child = own(items[index] as Node<V>, token);
    items[index] = child;
    const right = put(child, token, key, value);
    if (right === null) return null;
    index++;
    insertAt(keys, index, right.keys[0] as number);
    insertAt<V | Node<V> | number>(items, index, right);
  }
  return keys.length > WIDTH ? split(node, token, index === keys.length - 1) : null;
};

/** Takes a key that is there out of an owned subtree. Nodes that become empty go; leaves that become sparse join the one before. */
const take = <V>(node: Node<V>, token: object, key: number): void => {
  const index = floorIndex(node.keys, key);
  if (node.height === 0) {
    removeAt(node.keys, index);
    removeAt(node.items, index);
    return;
  }
  const child = own(node.items[index] as Node<V>, token);
  node.items[index] = child;
  take(child, token, key);
  if (child.keys.length === 0) {
    removeAt(node.keys, index);
    removeAt(node.items, index);
    return;
  }
  if (child.keys.length >= SPARSE || index === 0) return;
  const before = node.items[index - 1] as Node<V>;
  if (before.keys.length + child.keys.length > WIDTH - SPARSE) return;
  node.items[index - 1] = {
    owner: token,
    height: child.height,
    keys: [...before.keys, ...child.keys],
    items: [...before.items, ...child.items],
    // All leaves of a map that have a source have the same one.
    source: before.source ?? child.source,
  };
  removeAt(node.keys, index);
  removeAt(node.items, index);
};

/** The leaf in which a key would be. */
const leafOf = <V>(map: SparseMap<V>, key: number): Node<V> | null => {
  let node = map.root;
  while (node !== null && node.height > 0) {
    const index = floorIndex(node.keys, key);
    if (index < 0) return null;
    node = node.items[index] as Node<V>;
  }
  return node;
};

/** The two lists without what both begin with and both end with. */
const trimmed = <T>(a: readonly T[], b: readonly T[]): readonly [readonly T[], readonly T[]] => {
  const most = Math.min(a.length, b.length);
  let first = 0;
  while (first < most && a[first] === b[first]) first++;
  let last = 0;
  while (last < most - first && a[a.length - 1 - last] === b[b.length - 1 - last]) last++;
  return [a.slice(first, a.length - last), b.slice(first, b.length - last)];
};

/** Nodes up to which trimming alone is enough: after a single change nothing else is left. */
const FEW = 4;

/** Leaves that two lists of subtrees (each of one height) do not share. They are taken apart level by level; what stands in both is left out. */
const unsharedLeaves = <V>(
  a: readonly Node<V>[],
  b: readonly Node<V>[],
): readonly [readonly Node<V>[], readonly Node<V>[]] => {
  let [left, right] = trimmed(a, b);
  for (;;) {
    const height = Math.max(left[0]?.height ?? 0, right[0]?.height ?? 0);
    const known = left.length > FEW || right.length > FEW ? new Set(left) : null;
    const shared = known === null ? null : new Set(right.filter((node) => known.has(node)));
    if (height === 0 && shared === null) return [left, right];
    const apart = (nodes: readonly Node<V>[]): readonly Node<V>[] => {
      const only = nodes[0];
      if (shared === null && nodes.length === 1 && only !== undefined && only.height === height)
        return only.items as Node<V>[];
      const list: Node<V>[] = [];
      for (const node of nodes) {
        if (shared?.has(node) === true) continue;
        if (node.height < height || height === 0) list.push(node);
        else for (const item of node.items) list.push(item as Node<V>);
      }
      return list;
    };
    [left, right] = trimmed(apart(left), apart(right));
    if (height === 0) return [left, right];
  }
};

/** A place in a list of leaves, entry by entry. */
class Place<V> {
  /** Infinity: after the last one. */
  key = Infinity;
  readonly #leaves: readonly Node<V>[];
  #leaf = 0;
  #index = -1;

  constructor(leaves: readonly Node<V>[]) {
    this.#leaves = leaves;
    this.next();
  }

  next(): void {
    this.#index++;
    let leaf = this.#leaves[this.#leaf];
    if (leaf !== undefined && this.#index === leaf.keys.length) {
      leaf = this.#leaves[++this.#leaf];
      this.#index = 0;
    }
    this.key = leaf === undefined ? Infinity : (leaf.keys[this.#index] as number);
  }

  value(): V {
    return valueAt(this.#leaves[this.#leaf] as Node<V>, this.#index);
  }
}

/** The map with these leaves. */
const treeOf = <V>(leaves: readonly Node<V>[], size: number, owner: object | null): SparseMap<V> => {
  let nodes = leaves;
  for (let height = 1; nodes.length > 1; height++) {
    const above: Node<V>[] = [];
    for (let at = 0; at < nodes.length; at += FULL) {
      const items = nodes.slice(at, at + FULL);
      above.push({ owner, height, keys: items.map((node) => node.keys[0] as number), items, source: null });
    }
    nodes = above;
  }
  return { owner, root: nodes[0] ?? null, size };
};

export const SparseMap = Object.freeze({
  empty<V>(): SparseMap<V> {
    return EMPTY as SparseMap<V>;
  },

  /**
   * The map of these keys, which ascend, and of what `value` gives for the index of each: asked for when a value is first looked at, once; it must go on giving the
   * same. Belongs to `owner`. Values are no numbers.
   */
  of<V extends object>(
    keys: ArrayLike<number>,
    value: (index: number) => V,
    owner: object | null = null,
  ): SparseMap<V> {
    const source: Source<V> = { value, made: new Array<V | undefined>(keys.length) };
    const nodes: Node<V>[] = [];
    for (let at = 0; at < keys.length; at += FULL) {
      const part: number[] = [];
      const items: number[] = [];
      for (let i = at; i < at + FULL && i < keys.length; i++) {
        part.push(whole(keys[i]));
        items.push(i);
      }
      nodes.push({ owner, height: 0, keys: part, items, source });
    }
    return treeOf(nodes, keys.length, owner);
  },

  /** The map of these entries, whose keys ascend. */
  ofNumbers(
    keys: ArrayLike<number>,
    values: ArrayLike<number>,
    owner: object | null = null,
  ): SparseMap<number> {
    const nodes: Node<number>[] = [];
    for (let at = 0; at < keys.length; at += FULL) {
      const part: number[] = [];
      const items: number[] = [];
      for (let i = at; i < at + FULL && i < keys.length; i++) {
        part.push(whole(keys[i]));
        items.push(whole(values[i]));
      }
      nodes.push({ owner, height: 0, keys: part, items, source: null });
    }
    return treeOf(nodes, keys.length, owner);
  },

  get<V>(map: SparseMap<V>, key: number): V | undefined {
    const leaf = leafOf(map, key);
    if (leaf === null) return undefined;
    const index = floorIndex(leaf.keys, key);
    return index >= 0 && leaf.keys[index] === key ? valueAt(leaf, index) : undefined;
  },

  has<V>(map: SparseMap<V>, key: number): boolean {
    const leaf = leafOf(map, key);
    if (leaf === null) return false;
    const index = floorIndex(leaf.keys, key);
    return index >= 0 && leaf.keys[index] === key;
  },

  /** `get` for keys that mostly follow each other: the next one is found where the last one was. The map must not change meanwhile. */
  reader<V>(map: SparseMap<V>): (key: number) => V | undefined {
    let leaf: Node<V> | null = null;
    let at = 0;
    return (key) => {
      if (leaf !== null && leaf.keys[at + 1] === key) return valueAt(leaf, ++at);
      leaf = leafOf(map, key);
      at = leaf === null ? -1 : floorIndex(leaf.keys, key);
      if (leaf !== null && at >= 0 && leaf.keys[at] === key) return valueAt(leaf, at);
      leaf = null;
      return undefined;
    };
  },

  /** The map with `key` set (undefined: removed). Changes in place what already belongs to `token`. */
  set<V>(map: SparseMap<V>, token: object, key: number, value: V | undefined): SparseMap<V> {
    if (value === undefined && SparseMap.get(map, key) === undefined) return map;
    const owned = ownMap(map, token);
    if (owned.root === null) {
      owned.root = { owner: token, height: 0, keys: [key], items: [value as V], source: null };
      owned.size = 1;
      return owned;
    }
    const root = own(owned.root, token);
    owned.root = root;
    if (value === undefined) {
      owned.size--;
      take(root, token, key);
      if (root.keys.length === 0) owned.root = null;
      else if (root.height > 0 && root.keys.length === 1) owned.root = root.items[0] as Node<V>;
      return owned;
    }
    const right = put(root, token, key, value);
    if (isNew) owned.size++;
    if (right !== null)
      owned.root = {
        owner: token,
        height: root.height + 1,
        keys: [root.keys[0] as number, right.keys[0] as number],
        items: [root, right],
        source: null,
      };
    return owned;
  },

  /** The entry with the greatest key <= wanted. */
  floor<V>(map: SparseMap<V>, wanted: number): readonly [number, V] | null {
    // Keys of inner nodes are lower bounds only: what is found below one may all lie above `wanted`.
    let node = map.root;
    let before: Node<V> | null = null;
    while (node !== null) {
      const index = floorIndex(node.keys, wanted);
      if (node.height === 0) {
        if (index >= 0) return [node.keys[index] as number, valueAt(node, index)];
        break;
      }
      if (index > 0) before = node.items[index - 1] as Node<V>;
      if (index < 0) break;
      node = node.items[index] as Node<V>;
    }
    while (before !== null && before.height > 0) before = before.items.at(-1) as Node<V>;
    return before === null ? null : [before.keys.at(-1) as number, valueAt(before, before.keys.length - 1)];
  },

  /** Entries in the order of their keys, from `start` on. */
  *entries<V>(map: SparseMap<V>, start = 0): Generator<readonly [number, V], undefined> {
    const path: { readonly node: Node<V>; index: number }[] = [];
    const descend = (from: Node<V> | null): void => {
      for (let node = from; node !== null;) {
        const index = Math.max(0, floorIndex(node.keys, start));
        path.push({ node, index });
        node = node.height > 0 ? (node.items[index] as Node<V>) : null;
      }
    };
    descend(map.root);
    while (path.length > 0) {
      const { node, index } = path.pop() as { node: Node<V>; index: number };
      if (node.height === 0) {
        for (let i = index; i < node.keys.length; i++) {
          const key = node.keys[i] as number;
          if (key >= start) yield [key, valueAt(node, i)];
        }
      } else if (index + 1 < node.keys.length) {
        path.push({ node, index: index + 1 });
        descend(node.items[index + 1] as Node<V>);
      }
    }
  },

  rows<V>(map: SparseMap<V>): Rows<V> {
    const keys = new Float64Array(map.size);
    const indexes = new Int32Array(map.size);
    const values: V[] = [];
    let source: Source<V> | null = null;
    let count = 0;
    const visit = (node: Node<V>): void => {
      if (node.height > 0) {
        for (const item of node.items) visit(item as Node<V>);
        return;
      }
      source = node.source ?? source;
      for (let i = 0; i < node.keys.length; i++) {
        const item = node.items[i];
        const lazy = node.source !== null && typeof item === 'number';
        // A value that was made may have been changed in place by whoever owns it.
        const made = lazy ? node.source.made[item] : (item as V);
        keys[count] = node.keys[i] as number;
        indexes[count++] = lazy && made === undefined ? item : -values.push(made as V);
      }
    };
    if (map.root !== null) visit(map.root);
    // What `visit` has set is not seen here by the compiler.
    const from = source as Source<V> | null;
    return {
      keys,
      indexes,
      source: from?.value ?? null,
      value: (i) => {
        const index = indexes[i] as number;
        return index < 0 || from === null ? (values[-1 - index] as V) : fromSource(from, index);
      },
    };
  },

  /** Keys whose values are not the same in two maps, ascending, with both values; costs what is not shared. */
  *changes<V>(
    a: SparseMap<V>,
    b: SparseMap<V>,
  ): Generator<readonly [key: number, from: V | undefined, to: V | undefined], undefined> {
    if (a.root === b.root) return;
    const [left, right] = unsharedLeaves(a.root === null ? [] : [a.root], b.root === null ? [] : [b.root]);
    const before = new Place(left);
    const after = new Place(right);
    while (before.key !== after.key || before.key !== Infinity) {
      const key = Math.min(before.key, after.key);
      const isBefore = before.key === key;
      const isAfter = after.key === key;
      const from = isBefore ? before.value() : undefined;
      const to = isAfter ? after.value() : undefined;
      if (from !== to) yield [key, from, to];
      if (isBefore) before.next();
      if (isAfter) after.next();
    }
  },
});
