import { archNamed } from '../../core/arch/arches.js';
import { portOf } from '../../core/arch/port.js';
import { decodeSegment } from '../../core/codec/decode.js';
import { decodeEvents } from '../../core/codec/events.js';
import type { Event, EventOf } from '../../core/event/event.js';
import type { Contradiction } from '../../core/driver/follow/recognise.js';
import type { FollowCounts } from '../../core/driver/follow/follow.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Store, TraceLog } from '../../store/index.js';
import { openCapture, type Capture } from '../capture/capture.js';
import { compareMoment, type MomentFigures } from './compare.js';
import { losses, type Losses } from './losses.js';

/** The fixed output of `pagetrail conform --json`. */
export interface ConformReport {
  readonly given: string | null;
  readonly moments: readonly MomentFigures[];
  readonly calls: FollowCounts;
  readonly choices: Readonly<Record<string, number>>;
  /** The first line that the kernel followed does not have so; null: it fits. */
  readonly contradiction: Contradiction | null;
  /** Events that the log says were lost. */
  readonly lost: number;
  /** There when calls were recorded without their arguments and results. */
  readonly order_only?: true;
  readonly divergences: readonly ConformDivergence[];
  /** How many there are, and how many of them nothing explains; the list has the first of them. */
  readonly divergences_total: number;
  readonly divergences_unexplained: number;
}

export interface ConformDivergence {
  readonly id: string;
  readonly line: number;
  readonly function: string;
  readonly model: string;
  readonly recorded: string;
  /** Id of the explanation in docs/divergences.md, or null. */
  readonly explained: string | null;
}

interface Summary {
  readonly calls?: FollowCounts;
  readonly choices?: Readonly<Record<string, number>>;
  readonly contradiction?: Contradiction;
}

const NO_CALLS: FollowCounts = { predicted: 0, adopted: 0, foreign: 0, unmodelled: 0, hidden: 0 };

const startOf = (log: TraceLog): Result<Memory> => {
  const genesis = log.genesis();
  if (!genesis.ok) return genesis;
  if (genesis.value.length === 0) return ok({ ...nothing, charged: null });
  const events = decodeEvents(genesis.value);
  return events.ok ? ok(evolveAll(nothing, events.value)) : events;
};

/** Calls `take` with the events of each segment. */
const eachSegment = (log: TraceLog, take: (events: readonly Event[]) => Result<null>): Result<null> => {
  for (const segment of log.segments()) {
    if (!segment.ok) return segment;
    const decoded = decodeSegment(segment.value.bytes);
    if (!decoded.ok) return decoded;
    const taken = take(decoded.value);
    if (!taken.ok) return taken;
  }
  return ok(null);
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
  return eachSegment(log, (events) => {
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
    return ok(null);
  });
};

const MOST_DIVERGENCES = 1000;

/** What a first look at the log tells: where events were lost, and the divergences. */
interface Findings {
  readonly lost: Losses;
  readonly divergences: ConformDivergence[];
  total: number;
  unexplained: number;
}

const findingsOf = (log: TraceLog): Result<Findings> => {
  const found: Findings = { lost: losses(), divergences: [], total: 0, unexplained: 0 };
  const diverged: EventOf<'divergence'>[] = [];
  const seqs: number[] = [];
  const read = eachSegment(log, (events) => {
    for (const event of events) {
      found.lost.note(event);
      if (event.kind !== 'divergence') continue;
      if (diverged.length < MOST_DIVERGENCES) diverged.push(event);
      seqs.push(event.seq);
    }
    return ok(null);
  });
  if (!read.ok) return read;
  const explain = (seq: number): string | null => (found.lost.before(seq) ? 'lost-events' : null);
  for (const { seq, id, line, fn, model, recorded } of diverged)
    found.divergences.push({ id, line, function: fn, model, recorded, explained: explain(seq) });
  found.total = seqs.length;
  found.unexplained = seqs.filter((seq) => explain(seq) === null).length;
  return ok(found);
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
    readonly arch?: string;
    readonly given?: string | null;
    readonly source?: string;
    readonly kernel?: string;
  };
  // A trace file alone may not say its release: it then has the name of its profile, which is no release of the capture.
  const other =
    meta.source === 'recording' && meta.kernel !== capture.value.meta.release && meta.kernel !== meta.profile;
  if (other)
    return fail(
      'other-kernel',
      `trace ${trace} was recorded on ${meta.kernel ?? 'a kernel without name'}, this capture on ${capture.value.meta.release}`,
      folder,
      'give the capture folder that this trace was recorded in',
    );
  const profile = profileNamed(meta.profile ?? '');
  if (profile === null)
    return fail(
      'unknown-profile',
      `trace ${trace} names a profile that this version does not have`,
      String(meta.profile),
      'import it again',
    );
  const arch = archNamed(meta.arch ?? '');
  if (arch === null)
    return fail(
      'arch-not-modelled',
      `trace ${trace} is of an architecture that this version does not have`,
      String(meta.arch),
      'import it again',
    );
  const found = findingsOf(log.value);
  if (!found.ok) return found;
  const { lost, divergences, total, unexplained } = found.value;
  const moments: MomentFigures[] = [];
  const given = capture.value.phases.find((phase) => phase.name === meta.given) ?? null;
  const first = given === null ? null : capture.value.dump(given);
  if (first?.ok === false) return first;
  const absent = first?.value.absent ?? [];
  const vmallocShown = capture.value.meta.probes.some(({ event }) =>
    event.startsWith('__vmalloc_node_range'),
  );
  const walked = walk(log.value, capture.value, (phase, memory) => {
    if (given !== null && phase.index === given.index) return ok(null);
    const dump = capture.value.dump(phase);
    if (!dump.ok) return dump;
    const lossy = lost.hidden(memory.seq);
    const sides = {
      memory,
      dump: dump.value,
      arch,
      profile: portOf(profile, arch),
      given: given !== null,
      absent,
      vmallocShown,
      lossy,
    };
    moments.push(compareMoment(phase.name, sides));
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
    contradiction: summary.contradiction ?? null,
    lost: lost.total(),
    ...(lost.orderOnly() ? { order_only: true } : {}),
    divergences,
    divergences_total: total,
    divergences_unexplained: unexplained,
  });
};
