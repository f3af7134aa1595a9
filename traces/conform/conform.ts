import { x86_64 } from '../../core/arch/x86_64.js';
import { decodeSegment } from '../../core/codec/decode.js';
import { decodeEvents } from '../../core/codec/events.js';
import type { FollowCounts } from '../../core/driver/follow/follow.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Store, TraceLog } from '../../store/index.js';
import { openCapture, type Capture } from '../capture/capture.js';
import { compareMoment, type MomentFigures } from './compare.js';

/** The fixed output of `pagetrail conform --json`. */
export interface ConformReport {
  readonly given: string | null;
  readonly moments: readonly MomentFigures[];
  readonly calls: FollowCounts;
  readonly choices: Readonly<Record<string, number>>;
  readonly divergences: readonly {
    readonly id: string;
    readonly line: number;
    readonly function: string;
    readonly model: string;
    readonly recorded: string;
    /** Id of the explanation in docs/divergences.md, or null. */
    readonly explained: string | null;
  }[];
}

interface Summary {
  readonly calls?: FollowCounts;
  readonly choices?: Readonly<Record<string, number>>;
  readonly divergence_list?: readonly {
    readonly id: string;
    readonly line: number;
    readonly fn: string;
    readonly model: string;
    readonly recorded: string;
  }[];
  readonly lost?: number;
}

const NO_CALLS: FollowCounts = { predicted: 0, adopted: 0, foreign: 0, unmodelled: 0, hidden: 0 };

const startOf = (log: TraceLog): Result<Memory> => {
  const genesis = log.genesis();
  if (!genesis.ok) return genesis;
  if (genesis.value.length === 0) return ok({ ...nothing, charged: null });
  const events = decodeEvents(genesis.value);
  return events.ok ? ok(evolveAll(nothing, events.value)) : events;
};

/** Calls `at` with the memory after each marker of a dump. */
const walk = (
  log: TraceLog,
  capture: Capture,
  at: (phase: Capture['phases'][number], memory: Memory) => Result<null>,
): Result<null> => {
  const start = startOf(log);
  if (!start.ok) return start;
  let memory = start.value;
  for (const segment of log.segments()) {
    if (!segment.ok) return segment;
    const decoded = decodeSegment(segment.value.bytes);
    if (!decoded.ok) return decoded;
    const events = decoded.value;
    let from = 0;
    for (let i = 0; i < events.length; i++) {
      const event = events[i];
      if (event?.kind !== 'marker' || !event.text.startsWith('phase: ')) continue;
      const name = event.text.slice('phase: '.length);
      const phase = capture.phases.find((p) => p.name === name);
      if (phase === undefined) continue;
      memory = evolveAll(memory, events.slice(from, i + 1));
      from = i + 1;
      const done = at(phase, memory);
      if (!done.ok) return done;
    }
    memory = evolveAll(memory, events.slice(from));
  }
  return ok(null);
};

/** Number and name of a dump's folder: `00-start`. */
const folderName = (phase: Capture['phases'][number]): string =>
  `${String(phase.index).padStart(2, '0')}-${phase.name}`;

/**
 * Compares the states rebuilt from a trace with the page tables, areas, symbols, bytes and counters that were dumped from the real kernel at each later
 * phase of the capture. Reads the log and the dumps; the import has read the first dump only.
 */
export const conform = (store: Store, trace: string, folder: string): Result<ConformReport> => {
  const log = store.trace(trace);
  if (!log.ok) return log;
  const capture = openCapture(folder);
  if (!capture.ok) return capture;
  const meta = log.value.info.meta as {
    readonly profile?: string;
    readonly given?: string | null;
    readonly source?: string;
  };
  const profile = profileNamed(meta.profile ?? '');
  if (profile === null)
    return fail(
      'unknown-profile',
      `trace ${trace} names a profile that this version does not have`,
      String(meta.profile),
      'import it again',
    );
  const moments: MomentFigures[] = [];
  const given = capture.value.phases.find((phase) => phase.name === meta.given) ?? null;
  const walked = walk(log.value, capture.value, (phase, memory) => {
    if (given !== null && phase.index === given.index) return ok(null);
    const dump = capture.value.dump(phase);
    if (!dump.ok) return dump;
    moments.push(
      compareMoment(phase.name, { memory, dump: dump.value, arch: x86_64, profile, given: given !== null }),
    );
    return ok(null);
  });
  if (!walked.ok) return walked;
  if (moments.length === 0)
    return fail(
      'nothing-to-compare',
      `no dump of the capture belongs to a marker of trace ${trace}`,
      folder,
      'give the capture folder that this trace was recorded in',
    );
  const summary = (log.value.info.summary ?? {}) as Summary;
  return ok({
    given: given === null ? null : folderName(given),
    moments,
    calls: summary.calls ?? NO_CALLS,
    choices: summary.choices ?? {},
    divergences: (summary.divergence_list ?? []).map((d) => ({
      id: d.id,
      line: d.line,
      function: d.fn,
      model: d.model,
      recorded: d.recorded,
      explained: (summary.lost ?? 0) > 0 ? 'lost-events' : null,
    })),
  });
};
