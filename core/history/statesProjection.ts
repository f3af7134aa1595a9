/** Snapshots kept up with the log: those of another reducer are made again from the events. */
import { decodeSegment } from '../codec/decode.js';
import { folder, type Folder } from '../memory/evolve.js';
import { nothing } from '../memory/memory.js';
import {
  encodeMemory,
  REDUCER,
  REDUCER_VERSION,
  snapshotSchedule,
  type SnapshotSchedule,
} from '../memory/snapshot.js';
import type { Batch } from './projection.js';

/** What the projection needs of the store. */
interface Snapshots {
  keepSnapshot(trace: number, seq: number, bytes: Uint8Array, reducer: string): void;
  /** Drops those of a trace that were made by others than this reducer. */
  dropOtherSnapshots(trace: number, reducer: string): void;
}

interface Own {
  readonly fold: Folder;
  readonly schedule: SnapshotSchedule;
}

/**
 * Projection `states`: has no table of its own, keeps snapshots as they are due. Its version is that of the reducer, so that a log written by an older
 * program gets new ones when it is next opened for writing. A writer that has the memory at hand keeps them itself.
 */
export const statesProjection = () => {
  const own = new Map<number, Own>();
  return {
    name: 'states',
    version: REDUCER_VERSION,
    ddl: [],
    start(genesis: Uint8Array, snapshots: Snapshots, trace: { readonly id: number }): void {
      const fold = folder(nothing);
      if (genesis.length > 0) {
        const given = decodeSegment(genesis);
        if (!given.ok) throw new Error(given.error.what);
        for (const event of given.value) fold.apply(event);
      }
      snapshots.dropOtherSnapshots(trace.id, REDUCER);
      own.set(trace.id, { fold, schedule: snapshotSchedule() });
    },
    follows: (trace: { readonly id: number }): boolean => own.has(trace.id),
    apply(batch: Batch, snapshots: Snapshots, trace: { readonly id: number }): void {
      if (!('events' in batch)) {
        own.delete(trace.id);
        return;
      }
      const followed = own.get(trace.id);
      if (followed === undefined) throw new Error(`trace ${trace.id} was not followed from its beginning`);
      const { fold, schedule } = followed;
      for (const event of batch.events) fold.apply(event);
      const last = batch.events.at(-1);
      if (last === undefined || !schedule.appended(last.seq, batch.bytes)) return;
      const bytes = encodeMemory(fold.memory());
      schedule.made(last.seq, bytes.length);
      snapshots.keepSnapshot(trace.id, last.seq, bytes, REDUCER);
    },
  };
};
