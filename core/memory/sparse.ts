/**
 * A persistent map from integers (0 to 2^53) to values, ordered by key. Leaves of 64 slots are copied only when their owner is not
 * the token of the present batch, so earlier maps stay valid and a batch pays for each leaf once.
 */
export interface SparseMap<V> {
  readonly owner: object | null;
  readonly keys: readonly number[];
  readonly leaves: readonly Leaf<V>[];
  readonly size: number;
}

interface Leaf<V> {
  owner: object | null;
  count: number;
  readonly slots: (V | undefined)[];
}

const WIDTH = 64;

const EMPTY: SparseMap<never> = Object.freeze({ owner: null, keys: [], leaves: [], size: 0 });

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

const leafOf = <V>(map: SparseMap<V>, key: number): Leaf<V> | undefined => {
  const high = Math.floor(key / WIDTH);
  const index = floorIndex(map.keys, high);
  return index >= 0 && map.keys[index] === high ? map.leaves[index] : undefined;
};

interface MutableMap<V> {
  owner: object | null;
  keys: number[];
  leaves: Leaf<V>[];
  size: number;
}

const own = <V>(map: SparseMap<V>, token: object): MutableMap<V> =>
  map.owner === token
    ? (map as unknown as MutableMap<V>)
    : { owner: token, keys: map.keys.slice(), leaves: map.leaves.slice(), size: map.size };

export const SparseMap = Object.freeze({
  empty<V>(): SparseMap<V> {
    return EMPTY as SparseMap<V>;
  },

  get<V>(map: SparseMap<V>, key: number): V | undefined {
    return leafOf(map, key)?.slots[key % WIDTH];
  },

  /** The map with `key` set (undefined: removed). Changes in place what already belongs to `token`. */
  set<V>(map: SparseMap<V>, token: object, key: number, value: V | undefined): SparseMap<V> {
    const high = Math.floor(key / WIDTH);
    const at = floorIndex(map.keys, high);
    const present = at >= 0 && map.keys[at] === high;
    if (!present && value === undefined) return map;
    const owned = own(map, token);
    let index = at;
    if (!present) {
      index = at + 1;
      owned.keys.splice(index, 0, high);
      owned.leaves.splice(index, 0, {
        owner: token,
        count: 0,
        slots: new Array<V | undefined>(WIDTH).fill(undefined),
      });
    }
    let leaf = owned.leaves[index] as Leaf<V>;
    if (leaf.owner !== token) {
      leaf = { owner: token, count: leaf.count, slots: leaf.slots.slice() };
      owned.leaves[index] = leaf;
    }
    const slot = key % WIDTH;
    const before = leaf.slots[slot];
    leaf.slots[slot] = value;
    const delta = (value === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    leaf.count += delta;
    owned.size += delta;
    if (leaf.count === 0) {
      owned.keys.splice(index, 1);
      owned.leaves.splice(index, 1);
    }
    return owned;
  },

  /** The entry with the greatest key <= wanted. */
  floor<V>(map: SparseMap<V>, wanted: number): readonly [number, V] | null {
    let index = floorIndex(map.keys, Math.floor(wanted / WIDTH));
    while (index >= 0) {
      const key = map.keys[index] as number;
      const slots = (map.leaves[index] as Leaf<V>).slots;
      const from = key === Math.floor(wanted / WIDTH) ? wanted % WIDTH : WIDTH - 1;
      for (let slot = from; slot >= 0; slot--) {
        const value = slots[slot];
        if (value !== undefined) return [key * WIDTH + slot, value];
      }
      index--;
    }
    return null;
  },

  /** Entries in the order of their keys, from `start` on. */
  *entries<V>(map: SparseMap<V>, start = 0): Generator<readonly [number, V]> {
    const first = Math.floor(start / WIDTH);
    let index = floorIndex(map.keys, first);
    if (index < 0 || (map.keys[index] as number) < first) index++;
    for (; index < map.keys.length; index++) {
      const base = (map.keys[index] as number) * WIDTH;
      const slots = (map.leaves[index] as Leaf<V>).slots;
      for (let slot = base < start ? start - base : 0; slot < WIDTH; slot++) {
        const value = slots[slot];
        if (value !== undefined) yield [base + slot, value];
      }
    }
  },

  /** Keys whose values differ between two maps; costs what is not shared. */
  *changedKeys<V>(a: SparseMap<V>, b: SparseMap<V>): Generator<number> {
    let i = 0;
    let j = 0;
    while (i < a.keys.length || j < b.keys.length) {
      const ka = i < a.keys.length ? (a.keys[i] as number) : Infinity;
      const kb = j < b.keys.length ? (b.keys[j] as number) : Infinity;
      const key = Math.min(ka, kb);
      const la = ka === key ? a.leaves[i++] : undefined;
      const lb = kb === key ? b.leaves[j++] : undefined;
      if (la === lb) continue;
      for (let slot = 0; slot < WIDTH; slot++)
        if (la?.slots[slot] !== lb?.slots[slot]) yield key * WIDTH + slot;
    }
  },
});
