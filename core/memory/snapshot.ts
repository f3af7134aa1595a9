import { ok, type Result } from '../value/failure.js';
import { encodeMemory } from './encoding.js';
import type { Memory } from './memory.js';

export { decodeMemory, encodeMemory } from './encoding.js';

/**
 * Version of the reducer and of what snapshots hold: to be raised when `evolve` gives another memory for the same events, so that snapshots made
 * before are passed over.
 */
export const REDUCER_VERSION = 10;
/** By this name snapshots are kept. */
export const REDUCER = `memory-${REDUCER_VERSION}`;

/** Events between two snapshots, at least. */
const APART = 8192;
/** Bytes of segments between two snapshots, at least, in sizes of the last one. */
const TIMES = 2;

/** Says when a snapshot is due, segment by segment. */
export interface SnapshotSchedule {
  /** To be told of every segment appended: its last event and its bytes (uncompressed). True when a snapshot after it is due. */
  readonly appended: (last: number, bytes: number) => boolean;
  /** A snapshot after event `seq` was made. */
  readonly made: (seq: number, bytes: number) => void;
}

/**
 * A snapshot is due when the segments since the last one have twice its size, at least 8,192 events apart: all snapshots together then take at most
 * half of what the segments take, and a seek decodes at most three times a snapshot. `last`: the latest one there is.
 */
export const snapshotSchedule = (
  last: { readonly seq: number; readonly bytes: number } = { seq: 0, bytes: 0 },
): SnapshotSchedule => {
  let { seq, bytes } = last;
  let since = 0;
  return {
    appended: (at, size) => {
      since += size;
      return at - seq >= APART && since >= TIMES * bytes;
    },
    made: (at, size) => {
      seq = at;
      bytes = size;
      since = 0;
    },
  };
};

/** Where snapshots are kept: a trace of the log. */
export interface SnapshotStore {
  readonly saveSnapshot: (seq: number, bytes: Uint8Array, reducer: string) => Result<void>;
}

/** Keeps snapshots of a trace that is being written. */
export interface SnapshotKeeper {
  /**
   * To be called after each segment is appended, in order, with its last event, its size in bytes (uncompressed) and the memory after it; `memory` is
   * called only when a snapshot is due. A failure to keep one is no failure of the append: snapshots are derived.
   */
  readonly after: (last: number, bytes: number, memory: () => Memory) => Result<void>;
}

export const snapshotKeeper = (
  store: SnapshotStore,
  last?: { readonly seq: number; readonly bytes: number },
): SnapshotKeeper => {
  const schedule = snapshotSchedule(last);
  return {
    after: (seq, bytes, memory) => {
      if (!schedule.appended(seq, bytes)) return ok(undefined);
      const snapshot = encodeMemory(memory());
      schedule.made(seq, snapshot.length);
      return store.saveSnapshot(seq, snapshot, REDUCER);
    },
  };
};
