/** Which calls there are in a root call, and what of their insides is compared. */
import { isOwnRoot } from '../../core/driver/follow/roots.js';
import type { Gathered } from './builder.js';

/** What of a call's inside is compared: all, only sums of what happens to the direct map, or nothing. */
export type Inside = 'all' | 'alias' | 'nothing';

/** A root call that is not over. It is used again for another one afterwards. */
export interface OpenRoot extends Gathered {
  /** Goes up when it is over. */
  life: number;
  /** The call in which the next step is, unless another is named. */
  node: number;
  /** By call: where the fact that came last in it begins in the slots and what it is; -1: it was a call, or nothing. */
  readonly lastFact: number[];
  readonly lastPart: number[];
}

/** A call in it. */
export interface OpenCall {
  seq: number;
  fn: string;
  /** The nearest call around it that stands for itself, or itself, counted in the root call. */
  node: number;
  /** The one around that. */
  around: number;
  isKept: boolean;
  /** Its name for those in it, '' where the root call is looked through. */
  caller: string;
  /** Outermost call looked through since `node`. */
  via: string | null;
  isRoot: boolean;
  root: OpenRoot | null;
  /** Life of the root call: where it has another, the call is long over. */
  life: number;
  inside: Inside;
}

const RING = 1 << 14;

/**
 * Calls by their numbers. Nearly all that are asked for are young: those lie in a ring, whose places are used again and again; older ones that are still
 * open are moved to a map.
 */
export interface OpenCalls {
  /** A place for a call, to be filled in. */
  readonly add: (seq: number) => OpenCall;
  /** Null: it is none of ours, or its root call is over. */
  readonly get: (seq: number) => OpenCall | null;
  readonly drop: (seq: number) => void;
  /** Forgets older calls whose root calls have ended. */
  readonly sweep: () => void;
}

const isOver = ({ root, life }: OpenCall): boolean => root === null || root.life !== life;

const noCall = (): OpenCall => ({
  seq: -1,
  fn: '',
  node: 0,
  around: -1,
  isKept: false,
  caller: '',
  via: null,
  isRoot: false,
  root: null,
  life: 0,
  inside: 'all',
});

export const openCalls = (): OpenCalls => {
  const ring = Array.from({ length: RING }, noCall);
  const older = new Map<number, OpenCall>();
  const placeOf = (seq: number): OpenCall => ring[seq % RING] as OpenCall;
  return {
    add: (seq) => {
      const there = placeOf(seq);
      if (!isOver(there)) older.set(there.seq, { ...there });
      there.seq = seq;
      return there;
    },
    get: (seq) => {
      const there = placeOf(seq);
      if (there.seq === seq) return isOver(there) ? null : there;
      const found = older.size === 0 ? undefined : older.get(seq);
      return found === undefined || isOver(found) ? null : found;
    },
    drop: (seq) => {
      const there = placeOf(seq);
      if (there.seq === seq) there.root = null;
      older.delete(seq);
    },
    sweep: () => {
      for (const [seq, call] of older) if (isOver(call)) older.delete(seq);
    },
  };
};

/** Calls whose inside is made by what others freed before. */
const MADE_BY_OTHERS: ReadonlySet<string> = new Set([
  '_vm_unmap_aliases',
  '__purge_vmap_area_lazy',
  'flush_tlb_kernel_range',
]);

/** The page-attribute call that calls itself for the aliases, and what stands between where that is not inlined. */
const ATTRIBUTES = '__change_page_attr_set_clr';
const ALIASES = 'cpa_process_alias';

/** What of the inside of a call is compared wherever it is. */
export const insideAlone = (fn: string): Inside => (MADE_BY_OTHERS.has(fn) ? 'nothing' : 'all');

/** Steps for aliases go by frames: what the direct map gets from them is summed up. For calls whose inside is compared at all. */
export const insideOf = (fn: string, parent: OpenCall): Inside => {
  const isStep = fn === ALIASES || (fn === ATTRIBUTES && parent.fn === ATTRIBUTES);
  return isStep || parent.inside === 'alias' ? 'alias' : 'all';
};

/** Calls of others inside one of ours that say nothing of it. */
const BY_THE_WAY: ReadonlySet<string> = new Set(['flush_tlb_kernel_range', '__purge_vmap_area_lazy']);
export const isByTheWay = (fn: string): boolean => BY_THE_WAY.has(fn);

/** Only calls of ours are compared; others may stand anywhere. */
export const isOurs = isOwnRoot;
