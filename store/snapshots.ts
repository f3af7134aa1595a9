import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '../core/value/failure.js';
import { pack, unpack } from './codec.js';
import { row, run, transactDerived, type Connection } from './connection.js';
import { readHead } from './head.js';
import { select } from './query.js';
import { headless } from './segments.js';
import type { TraceKey } from './trace-key.js';

/** State after event `seq` (0: before the first), as whoever saved it wrote it. */
export interface Snapshot {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Binds the bytes to their place: a row that is damaged or was moved is passed over. */
const digestOf = (trace: number, reducer: string, seq: number, bytes: Uint8Array): Buffer =>
  createHash('sha256').update(`pagetrail/snapshot/1\n${trace}\n${seq}\n${reducer}\n`).update(bytes).digest();

/** Keeps a snapshot, in place of one at the same event. Derived: not waited for, and lost without loss. */
export function saveSnapshot(
  c: Connection,
  trace: TraceKey,
  reducer: string,
  { seq, bytes }: Snapshot,
): Result<void> {
  return transactDerived(c, () => {
    const head = readHead(c, trace.id);
    if (head === undefined) return headless(c, trace);
    if (!Number.isInteger(seq) || seq < 0 || seq > head.events) {
      return fail('no-such-event', `trace ${trace.name} has no event ${seq} to keep a snapshot of`, c.file);
    }
    writeSnapshot(c, trace.id, reducer, { seq, bytes });
    return ok(undefined);
  });
}

/** Inside a transaction: keeps a snapshot of the trace with this id. */
export function writeSnapshot(c: Connection, trace: number, reducer: string, { seq, bytes }: Snapshot): void {
  const packed = pack(bytes);
  const digest = digestOf(trace, reducer, seq, bytes);
  run(c, REPLACE, trace, reducer, seq, digest, packed.size, packed.codec, packed.bytes);
}

/** Likewise: drops those that were made by others than this reducer. */
export function dropOtherSnapshots(c: Connection, trace: number, reducer: string): void {
  run(c, 'DELETE FROM snapshots WHERE trace = ? AND reducer <> ?', trace, reducer);
}

const REPLACE =
  'REPLACE INTO snapshots (trace, reducer, seq, digest, size, codec, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)';

/** The last undamaged snapshot at or before event `seq` made by this reducer; null when there is none. */
export function nearestSnapshot(
  c: Connection,
  trace: TraceKey,
  reducer: string,
  seq: number,
): Result<Snapshot | null> {
  for (let before = seq; ;) {
    const found = row(c, SELECT, trace.id, reducer, before);
    if (found === undefined) return ok(null);
    const bytes = unpack(found);
    if (bytes !== null && digestOf(trace.id, reducer, found.seq, bytes).equals(found.digest)) {
      return ok({ seq: found.seq, bytes });
    }
    before = found.seq - 1;
  }
}

const SELECT = select(
  { seq: 'integer', digest: 'hash', size: 'integer', codec: 'integer', bytes: 'blob' },
  `SELECT seq, digest, size, codec, bytes FROM snapshots
  WHERE trace = ? AND reducer = ? AND seq <= ? ORDER BY seq DESC LIMIT 1`,
);

/** Drops all snapshots, or those of other reducers than `keep`; how many. */
export const dropSnapshots = (c: Connection, keep: string | null): Result<number> =>
  transactDerived(c, () =>
    ok(
      keep === null
        ? run(c, 'DELETE FROM snapshots')
        : run(c, 'DELETE FROM snapshots WHERE reducer <> ?', keep),
    ),
  );
