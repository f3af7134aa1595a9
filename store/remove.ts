import { ok, type Result } from '../core/value/failure.js';
import { rootText } from './chain.js';
import { compact } from './compact.js';
import { rows, run, transact, type Connection } from './connection.js';
import { readHead } from './head.js';
import { restoreTriggers } from './open.js';
import { registeredNames, tablesOf } from './projections.js';
import { select } from './query.js';
import { segmentId } from './schema.js';
import { findTrace, noSuchTrace } from './trace-info.js';
import type { TraceKey } from './trace-key.js';

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
    const trace = findTrace(c, name);
    if (!trace.ok) return trace;
    const head = readHead(c, trace.value.id);
    if (head === undefined) return noSuchTrace(c, name);
    removeDerived(c, trace.value);
    removeTruth(c, trace.value);
    run(c, BURY, trace.value.id, name, head.segments, head.events, head.root, when);
    return ok({ name, segments: head.segments, events: head.events, root: rootText(head.root), when });
  });
  if (!tombstone.ok) return tombstone;
  const compacted = compact(c);
  return ok({ ...tombstone.value, erased: compacted.ok });
}

const BURY =
  'INSERT INTO tombstones (trace, name, segments, events, root, removed) VALUES (?, ?, ?, ?, ?, ?)';

function removeDerived(c: Connection, { id }: TraceKey): void {
  for (const projection of registeredNames(c)) {
    for (const table of tablesOf(c, projection)) c.db.prepare(`DELETE FROM ${table} WHERE trace = ?`).run(id);
  }
  for (const table of ['projected', 'snapshots', 'summaries', 'heads'])
    run(c, `DELETE FROM ${table} WHERE trace = ?`, id);
}

/** The triggers that stop this are put away and put back in one transaction: nobody ever sees the log without them. */
function removeTruth(c: Connection, { id }: TraceKey): void {
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
