/** Values of call lines by the names that the kernel functions of the model use: recorded names differ between kernels. */
import { LINES } from '../driver/lines.js';
import type { EventOf } from '../event/event.js';
import type { Word } from '../value/words.js';

/** By function, by the names of the line, by the name that is looked for. */
type Indexes = Map<string, Map<string, Map<string, number>>>;

const ENTRIES: Indexes = new Map();
const RESULTS: Indexes = new Map();

const at = <V>(map: Map<string, V>, key: string, make: () => V): V => {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
};
const newMap = <V>(): Map<string, V> => new Map();

const indexOf = ({ kind, fn, names }: EventOf<'entered'> | EventOf<'returned'>, as: string): number => {
  const byNames = at(kind === 'entered' ? ENTRIES : RESULTS, fn, newMap<Map<string, number>>);
  const indexes = at(byNames, names, newMap<number>);
  const known = indexes.get(as);
  if (known !== undefined) return known;
  const shape = LINES[fn];
  const columns = kind === 'entered' ? shape?.entry : shape?.result;
  const index = names.split(',').findIndex((name) => (columns?.[name]?.as ?? name) === as);
  indexes.set(as, index);
  return index;
};

/** A value of a call line; null where the line does not show it. */
export const valueOf = (event: EventOf<'entered'> | EventOf<'returned'>, as: string): Word | null => {
  const index = indexOf(event, as);
  return index < 0 ? null : { hi: event.values.hi[index] ?? 0, lo: event.values.lo[index] ?? 0 };
};

/** Largest errno that a pointer can carry. */
const MAX_ERRNO = 4095;

/** What an `int` result says; null where the line does not show it. */
export const resultOf = (event: EventOf<'returned'>): number | null => {
  const value = valueOf(event, 'ret');
  return value === null ? null : value.lo | 0;
};

/** The error that a pointer carries (negative), -1 for a null pointer, 0 for a good one; null where the line does not show it. */
export const pointerError = (event: EventOf<'returned'>): number | null => {
  const value = valueOf(event, 'ret');
  if (value === null) return null;
  if (value.hi === 0 && value.lo === 0) return -1;
  const low = value.lo | 0;
  return value.hi >>> 0 === 0xffffffff && low < 0 && low >= -MAX_ERRNO ? low : 0;
};
