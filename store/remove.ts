import { ok, type Result } from '../core/value/failure.js';
import { rootText } from './chain.js';
import { compact } from './compact.js';
import { row, rows, run, transact, type Connection } from './connection.js';
import { readHead } from './head.js';
import { restoreTriggers } from './open.js';
import { registeredNames, forgetTrace } from './projections.js';
import { select } from './query.js';
import { segmentId } from './schema.js';
import { noSuchTrace } from './trace-info.js';

/** What is left of a removed trace. */
export interface Tombstone {
  readonly name: string;
  readonly segments: number;
  readonly events: number;
  readonly root: string;
  /** When it was removed, ISO 8601. */
  readonly when: string;
}

export interface Removed extends Tombstone {
  /** False: the trace is gone, but bytes of it may still be in the file; `compact` says why and tries again. */
  readonly erased: boolean;
}

/** Removes a trace and everything derived from it, overwrites its bytes, and leaves a tombstone. */
export function removeTrace(c: Connection, name: string, when: string): Result<Removed> {
  const tombstone = transact(c, (): Result<Tombstone> => {
    const trace = row(c, TRACE, name);
    if (trace === undefined) return noSuchTrace(c, name);
    // A damaged trace can be removed as well: nothing of it need be read.
    const { segments, events, root } = readHead(c, trace.id) ?? { segments: 0, events: 0, root: trace.root };
    removeDerived(c, trace.id);
    removeTruth(c, trace.id);
    run(c, BURY, trace.id, name, segments, events, root, when);
    return ok({ name, segments, events, root: rootText(root), when });
  });
  if (!tombstone.ok) return tombstone;
  const compacted = compact(c);
  return ok({ ...tombstone.value, erased: compacted.ok });
}

const TRACE = select({ id: 'integer', root: 'hash' }, 'SELECT id, root FROM traces WHERE name = ?');
const BURY =
  'INSERT INTO tombstones (trace, name, segments, events, root, removed) VALUES (?, ?, ?, ?, ?, ?)';

function removeDerived(c: Connection, id: number): void {
  for (const projection of registeredNames(c)) forgetTrace(c, projection, id);
  for (const table of ['projected', 'snapshots', 'summaries', 'heads'])
    run(c, `DELETE FROM ${table} WHERE trace = ?`, id);
}

/** The triggers that stop this are put away and put back in one transaction: nobody ever sees the log without them. */
function removeTruth(c: Connection, id: number): void {
  c.db.exec('DROP TRIGGER segments_no_delete; DROP TRIGGER traces_no_delete');
  run(c, 'DELETE FROM segments WHERE id >= ? AND id < ?', segmentId(id, 0), segmentId(id + 1, 0));
  run(c, 'DELETE FROM traces WHERE id = ?', id);
  restoreTriggers(c);
}

const SELECT = select(
  { name: 'text', segments: 'integer', events: 'integer', root: 'hash', removed: 'text' },
  'SELECT name, segments, events, root, removed FROM tombstones ORDER BY trace',
);

export const listTombstones = (c: Connection): readonly Tombstone[] =>
  rows(c, SELECT).map(({ name, segments, events, root, removed }) => ({
    name,
    segments,
    events,
    root: rootText(root),
    when: removed,
  }));
