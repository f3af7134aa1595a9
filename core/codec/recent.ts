import { SAME } from './layout.js';

/**
 * What is remembered of the values of a segment's call lines, the same when writing and when reading: the last 128 values (a ring) and, for
 * each slot (a position of a shape), its last value and the way in which that was found.
 */
export interface Recent {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  /** Values so far. */
  count: number;
  readonly slotHi: Uint32Array;
  readonly slotLo: Uint32Array;
  readonly slotWay: Uint8Array;
}

const RING = 128;

export const newRecent = (slots: number): Recent => ({
  hi: new Uint32Array(RING),
  lo: new Uint32Array(RING),
  count: 0,
  slotHi: new Uint32Array(slots),
  slotLo: new Uint32Array(slots),
  slotWay: new Uint8Array(slots).fill(SAME),
});

/** Place in the ring of value n. */
export const place = (n: number): number => n & (RING - 1);

export function remember(recent: Recent, slot: number, hi: number, lo: number, way: number): void {
  const at = place(recent.count++);
  recent.hi[at] = hi;
  recent.lo[at] = lo;
  recent.slotHi[slot] = hi;
  recent.slotLo[slot] = lo;
  recent.slotWay[slot] = way;
}
