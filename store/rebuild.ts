import { fail, ok, type Failure, type Result } from '../core/value/failure.js';
import { rows, transact, transactDerived, type Connection } from './connection.js';
import { readGenesis } from './genesis.js';
import { readHead } from './head.js';
import type { Projection } from './projection.js';
import {
  dropTables,
  forgetTrace,
  projectedEvents,
  registerProjections,
  registeredVersion,
  setProjected,
  startOne,
  type ActiveProjections,
} from './projections.js';
import { select } from './query.js';
import { headless, segmentsFrom, type Segment } from './segments.js';
import type { TraceKey } from './trace-key.js';

/** How far the rebuild of one projection is with one trace, in events. */
export interface RebuildProgress {
  readonly projection: string;
  readonly trace: string;
  readonly done: number;
  readonly total: number;
}

/** What a rebuild did with one projection and one trace of which it had not seen all events. */
export interface Rebuilt {
  readonly projection: string;
  readonly trace: string;
  /** Events the projection has seen now. */
  readonly events: number;
  /** Why it could not go on: the log is damaged there, or cannot be decoded. */
  readonly failure: Failure | null;
}

const SEGMENTS_AT_ONCE = 64;

/** Drops the tables of one projection, or of all, and makes them again from the log. */
export function rebuildProjections(
  c: Connection,
  active: ActiveProjections,
  name: string | undefined,
  progress: (at: RebuildProgress) => void,
): Result<readonly Rebuilt[]> {
  const chosen =
    name === undefined ? active.list : active.list.filter((projection) => projection.name === name);
  if (name !== undefined && chosen.length === 0) {
    const names = active.list.map((projection) => projection.name);
    return fail(
      'no-such-projection',
      `there is no projection ${name}`,
      c.file,
      `there are: ${names.join(', ')}`,
    );
  }
  for (const projection of chosen) {
    const dropped = transact(c, () => ok(dropTables(c, projection.name)));
    if (!dropped.ok) return dropped;
  }
  const registered = registerProjections(c, chosen);
  return registered.ok ? catchUp(c, active, chosen, progress) : registered;
}

/** Lets projections see the events they have not seen, in transactions of some segments: an interruption loses little. */
export function catchUp(
  c: Connection,
  active: ActiveProjections,
  list: readonly Projection<never>[],
  progress: (at: RebuildProgress) => void,
): Result<readonly Rebuilt[]> {
  const done: Rebuilt[] = [];
  for (const projection of list) {
    for (const trace of rows(c, TRACES)) {
      if (projectedEvents(c, projection.name, trace.id) === readHead(c, trace.id)?.events) continue;
      const rebuilt = catchUpTrace(c, active, projection, trace, progress);
      if (!rebuilt.ok) return rebuilt;
      done.push(rebuilt.value);
    }
  }
  return ok(done);
}

const TRACES = select({ id: 'integer', name: 'text' }, 'SELECT id, name FROM traces ORDER BY id');

function catchUpTrace(
  c: Connection,
  active: ActiveProjections,
  projection: Projection<never>,
  trace: TraceKey,
  progress: (at: RebuildProgress) => void,
): Result<Rebuilt> {
  for (;;) {
    const step = transactDerived(c, () => someSegments(c, active, projection, trace));
    if (!step.ok) return step;
    const { events, total, failure } = step.value;
    progress({ projection: projection.name, trace: trace.name, done: events, total });
    if (failure !== null || events >= total) {
      return ok({ projection: projection.name, trace: trace.name, events, failure });
    }
  }
}

interface Step {
  readonly events: number;
  readonly total: number;
  readonly failure: Failure | null;
}

/** One transaction's worth. What was seen before a damaged segment is kept. */
function someSegments(
  c: Connection,
  active: ActiveProjections,
  projection: Projection<never>,
  trace: TraceKey,
): Result<Step> {
  const total = readHead(c, trace.id)?.events;
  if (total === undefined) return headless(c, trace);
  if (registeredVersion(c, projection.name) !== projection.version) {
    return fail(
      'conflict',
      `another program has changed the projection ${projection.name}`,
      c.file,
      'run the newer one only',
    );
  }
  if ((projectedEvents(c, projection.name, trace.id) ?? 0) > 0 && projection.follows?.(trace) === false)
    forgetTrace(c, projection.name, trace.id);
  const seen = projectedEvents(c, projection.name, trace.id) ?? begin(c, active, projection, trace);
  if (typeof seen !== 'number') return ok({ events: 0, total, failure: seen });
  let events = seen;
  let left = SEGMENTS_AT_ONCE;
  let failure: Failure | null = null;
  for (const segment of segmentsFrom(c, trace, seen + 1)) {
    const batch = segment.ok ? batchAt(active, trace, segment.value, events + 1) : segment;
    if (!batch.ok) failure = batch.error;
    if (!batch.ok || !segment.ok) break;
    projection.apply(batch.value as never, active.write, trace);
    events += segment.value.count;
    left -= 1;
    if (left === 0) break;
  }
  setProjected(c, projection.name, trace.id, events);
  return ok({ events, total, failure });
}

/** The batch of the segment that must begin at event `first`: what is applied twice, or not at all, makes a table wrong. */
const batchAt = (
  active: ActiveProjections,
  trace: TraceKey,
  segment: Segment,
  first: number,
): Result<unknown> =>
  segment.first === first
    ? active.batchOf(segment, trace)
    : fail('damaged', `trace ${trace.name} has event ${segment.first} where ${first} should be`);

/** Shows a projection the genesis of a trace; 0, or why that cannot be read. */
function begin(
  c: Connection,
  active: ActiveProjections,
  projection: Projection<never>,
  trace: TraceKey,
): number | Failure {
  const genesis = readGenesis(c, trace);
  if (!genesis.ok) return genesis.error;
  startOne(c, projection, active.write, trace, genesis.value);
  return 0;
}
