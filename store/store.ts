import { ok, type Result } from '../core/value/failure.js';
import { appendSegments, type Appended, type Crashpoint, type Stored } from './append.js';
import { compact } from './compact.js';
import { reading, transact, writing, type Connection, type SqlInput } from './connection.js';
import { createTrace, type NewTrace } from './create-trace.js';
import { describe, listDescriptors, type Descriptor } from './descriptors.js';
import type { EventTable } from './event-table.js';
import { readGenesis } from './genesis.js';
import type { NewSegment } from './new-segment.js';
import { openFile, type FileOptions } from './open.js';
import type { Projection, ProjectionRow } from './projection.js';
import {
  activeProjections,
  dropTables,
  isCurrent,
  type ProjectionVersion,
  projectionStatus,
  registeredNames,
  registerProjections,
  type ActiveProjections,
  type Decode,
  type ProjectionStatus,
} from './projections.js';
import { catchUp, rebuildProjections, type Rebuilt, type RebuildProgress } from './rebuild.js';
import { listTombstones, removeTrace, type Removed, type Tombstone } from './remove.js';
import { segmentAt, segmentsFrom, type Segment } from './segments.js';
import { dropSnapshots, nearestSnapshot, saveSnapshot, type Snapshot } from './snapshots.js';
import { query, type SqlAnswer } from './sql.js';
import { finishTrace } from './summaries.js';
import { findTrace, listTraces, traceById, type TraceInfo } from './trace-info.js';
import type { TraceKey } from './trace-key.js';
import { verifyTrace, type VerifyOptions, type VerifyReport } from './verify.js';

export interface OpenOptions extends FileOptions {
  /** Derived tables to keep up with the log. */
  readonly projections?: readonly Projection<never>[];
  /** Makes a batch for the projections from a segment's canonical bytes. */
  readonly decode?: Decode;
  /** How events look in `sql`. */
  readonly events?: EventTable;
  /** When opening makes derived tables again that are missing, changed or behind: at once (default), or only by `rebuild`. */
  readonly rebuild?: 'at-once' | 'on-demand';
  readonly progress?: (at: RebuildProgress) => void;
  /** Test hook: called at moments of an append. */
  readonly crashpoint?: (at: Crashpoint) => void;
}

/** A log of traces in one SQLite file. No method throws for what can be expected: damage, a full disk, another writer. */
export interface Store {
  readonly file: string;
  traces(): Result<readonly TraceInfo[]>;
  /** The trace of exactly this name. */
  trace(name: string): Result<TraceLog>;
  /** Makes a trace, or gives the one that is there with the same name, meta and genesis. */
  createTrace(trace: NewTrace): Result<TraceLog>;
  /** Removes a trace for good. */
  remove(name: string, when?: string): Result<Removed>;
  /** Gives free space back, and erases what a removal could not because the file was being read. */
  compact(): Result<void>;
  tombstones(): Result<readonly Tombstone[]>;
  /** Answers one query, on a connection that cannot write. */
  sql(query: string, ...parameters: readonly SqlInput[]): Result<SqlAnswer>;
  /** Walks the hash chain of a trace. */
  verify(name: string, options?: VerifyOptions): Result<VerifyReport>;
  /** Keeps descriptors of event kinds; how many were new. */
  describe(
    list: readonly { readonly kind: string; readonly version: number; readonly descriptor: object }[],
  ): Result<number>;
  descriptors(): Result<readonly Descriptor[]>;
  /** Whether the derived tables say what the log says. */
  projections(): Result<readonly ProjectionStatus[]>;
  /** Makes the tables of a projection (all: when not named) again. */
  rebuild(projection?: string): Result<readonly Rebuilt[]>;
  /** Drops all derived tables and snapshots, those of other programs included; the next opening for writing makes ours again. */
  dropDerived(): Result<void>;
  /** Drops snapshots, except those of the reducer to keep; how many. */
  dropSnapshots(keep?: string): Result<number>;
  /** Ends queries still open, then the connection. Twice is once. */
  close(): void;
}

/** One trace of a log. */
export interface TraceLog {
  /** As it is now; as it was last, once the store is closed or the trace removed. */
  readonly info: TraceInfo;
  /** What was known before the first event. */
  genesis(): Result<Uint8Array>;
  /** Appends one segment; returns when it is on the disk. */
  append(segment: NewSegment): Result<{ readonly root: string; readonly stored: Stored }>;
  /** Appends several in one transaction, all or none: one wait for the disk. */
  appendAll(segments: readonly NewSegment[]): Result<Appended>;
  /** Marks the trace complete. The summary can be replaced by finishing again. */
  finish(summary: object): Result<void>;
  segmentAt(seq: number): Result<Segment>;
  /** Segments from the one that holds event `from` on. A failure is the last item. */
  segments(from?: number): Generator<Result<Segment>, void, undefined>;
  saveSnapshot(seq: number, bytes: Uint8Array, reducerVersion: string): Result<void>;
  /**
   * Rows of a derived table, by a constant SELECT on this connection, prepared once. Its first parameter is the id of the trace, the values follow. Null: the
   * projection is of another version, or has not seen all events of the trace.
   */
  derived(
    projection: ProjectionVersion,
    select: string,
    ...values: readonly SqlInput[]
  ): Result<readonly ProjectionRow[] | null>;
  /** The last snapshot at or before event `seq`. */
  nearestSnapshot(seq: number, reducerVersion: string): Result<Snapshot | null>;
}

/** Opens the log in `file`. For writing: makes it when there is none, migrates an older one, restores derived tables. */
export function openStore(file: string, options: OpenOptions = {}): Result<Store> {
  const opened = openFile(file, options);
  if (!opened.ok) return opened;
  const c = opened.value;
  const projections = activeProjections(c, options.projections ?? [], options.decode);
  const ready = c.readonly ? ok(undefined) : prepareProjections(c, projections, options);
  if (!ready.ok) c.db.close();
  return ready.ok ? ok(storeOn(c, projections, options)) : ready;
}

/** A bug in a projection must not leave the file open. */
function prepareProjections(c: Connection, active: ActiveProjections, options: OpenOptions): Result<unknown> {
  try {
    return writing<unknown>(c, () => {
      const registered = registerProjections(c, active.list);
      if (!registered.ok || options.rebuild === 'on-demand') return registered;
      return catchUp(c, active, active.list, options.progress ?? silent);
    });
  } catch (error) {
    c.db.close();
    throw error;
  }
}

const silent = (): void => {};

function storeOn(c: Connection, projections: ActiveProjections, options: OpenOptions): Store {
  const parts = { projections, crashpoint: options.crashpoint ?? silent };
  const queries = new Set<SqlAnswer>();
  const logOf = (info: TraceInfo): TraceLog => traceLog(c, info, parts);
  return {
    file: c.file,
    traces: () => reading(c, () => ok(listTraces(c))),
    trace: (name) =>
      reading(c, () => {
        const info = findTrace(c, name);
        return info.ok ? ok(logOf(info.value)) : info;
      }),
    createTrace: (wanted) =>
      writing(c, () => {
        const made = createTrace(c, wanted, projections);
        if (!made.ok) return made;
        const info = findTrace(c, made.value.name);
        return info.ok ? ok(logOf(info.value)) : info;
      }),
    remove: (name, when = new Date().toISOString()) => writing(c, () => removeTrace(c, name, when)),
    compact: () => writing(c, () => compact(c)),
    tombstones: () => reading(c, () => ok(listTombstones(c))),
    sql: (text, ...parameters) =>
      reading(c, () => {
        const answer = query(c, text, parameters, options.events, (ended) => queries.delete(ended));
        if (answer.ok) queries.add(answer.value);
        return answer;
      }),
    verify: (name, how = {}) => reading(c, () => verifyTrace(c, name, how)),
    describe: (list) => writing(c, () => describe(c, list)),
    descriptors: () => reading(c, () => ok(listDescriptors(c))),
    projections: () => reading(c, () => statuses(c, projections)),
    rebuild: (name) => writing(c, () => rebuildProjections(c, projections, name, options.progress ?? silent)),
    dropDerived: () => writing(c, () => dropDerived(c)),
    dropSnapshots: (keep) => writing(c, () => dropSnapshots(c, keep ?? null)),
    close() {
      for (const open of queries) open.close();
      c.db.close();
    },
  };
}

function statuses(c: Connection, projections: ActiveProjections): Result<readonly ProjectionStatus[]> {
  const all: ProjectionStatus[] = [];
  for (const projection of projections.list) {
    const status = projectionStatus(c, projection);
    if (!status.ok) return status;
    all.push(status.value);
  }
  return ok(all);
}

function dropDerived(c: Connection): Result<void> {
  const dropped = transact(c, () => {
    for (const name of registeredNames(c)) dropTables(c, name);
    return ok(undefined);
  });
  if (!dropped.ok) return dropped;
  const snapshots = dropSnapshots(c, null);
  return snapshots.ok ? ok(undefined) : snapshots;
}

interface LogParts {
  readonly projections: ActiveProjections;
  readonly crashpoint: (at: Crashpoint) => void;
}

function traceLog(c: Connection, known: TraceInfo, parts: LogParts): TraceLog {
  const trace: TraceKey = { id: known.id, name: known.name };
  let last = known;
  return {
    get info() {
      const now = reading(c, () => ok(traceById(c, trace.id)));
      if (now.ok && now.value !== null) last = now.value;
      return last;
    },
    genesis: () => reading(c, () => readGenesis(c, trace)),
    append: (segment) =>
      writing(c, () => {
        const done = appendSegments(c, trace, [segment], parts);
        return done.ok ? ok({ root: done.value.root, stored: done.value.stored[0] ?? 'already' }) : done;
      }),
    appendAll: (segments) => writing(c, () => appendSegments(c, trace, segments, parts)),
    finish: (summary) => writing(c, () => finishTrace(c, trace, summary)),
    segmentAt: (seq) => segmentAt(c, trace, seq),
    segments: (from) => segmentsFrom(c, trace, from),
    saveSnapshot: (seq, bytes, reducer) => writing(c, () => saveSnapshot(c, trace, reducer, { seq, bytes })),
    derived: (projection, select, ...values) =>
      reading(c, () =>
        ok(
          isCurrent(c, projection, trace.id)
            ? parts.projections.write.all(select, trace.id, ...values)
            : null,
        ),
      ),
    nearestSnapshot: (seq, reducer) => reading(c, () => nearestSnapshot(c, trace, reducer, seq)),
  };
}
