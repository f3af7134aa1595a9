/**
 * From the lines of a recording to an appended log: recognise the kernel, follow, encode, append.
 *
 * Segments are cut by count only, so the same input gives the same bytes whatever the machine: an interrupted import is simply run again.
 */
import type { Arch } from '../../core/arch/arch.js';
import { archOf, ARCHES } from '../../core/arch/arches.js';
import { portOf } from '../../core/arch/port.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { describeKinds } from '../../core/codec/describe.js';
import { encodeEvents } from '../../core/codec/events.js';
import { canonicalFunction, LINES } from '../../core/driver/lines.js';
import { Follow, type FollowCounts, type FollowDivergence } from '../../core/driver/follow/follow.js';
import { chooseProfile, recogniser, type Contradiction } from '../../core/driver/follow/recognise.js';
import type { RecordedLine } from '../../core/driver/recorded.js';
import type { Event, Fact } from '../../core/event/event.js';
import { Origin } from '../../core/event/kind.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import type { Profile } from '../../core/profile/profile.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { ok, type Failure, type Result } from '../../core/value/failure.js';
import type { Store, TraceLog } from '../../store/index.js';
import type { Dump } from '../capture/dump.js';
import type { CallLine, TraceLine } from '../ftrace/line.js';
import { writer, type Writer } from '../writer.js';
import { toldProbes } from '../probes/toldProbes.js';
import type { ImportedProbes } from './probes.js';
import { givenFacts } from './given.js';

/** Call lines looked at before the kernel is chosen. */
const RECOGNISED_FROM = 20_000;
/** Lines of any kind that are held until then: before the first call that the model knows, and again after it. */
const LONGEST_WAIT = 200_000;

export interface PipelineOptions {
  readonly name: string;
  /** `6.1.0-50-cloud-amd64`, or empty where nobody said. */
  readonly release: string;
  /** Clock origin is stored with the trace: ns of the first event, decimal. */
  readonly origin: () => bigint;
  /** Events that the header says were overwritten before the first line. */
  readonly overwritten: () => number;
  /** Starting state. */
  readonly dump: Dump | null;
  /** Profile by name, instead of the recognised one. */
  readonly profile: Profile | null;
  /** Architecture; null: what the lines tell, x86_64 where they do not. */
  readonly arch: Arch | null;
  /** Also called with what every appended batch holds. */
  readonly onBatch?: (batch: readonly Event[]) => void;
  /** A text that the recorder writes when it changes bpf_jit_limit: bytes, or null. */
  readonly limitOf?: (marker: string) => number | null;
}

/** What an import found, besides the counts of lines. */
export interface PipelineResult {
  readonly arch: Arch;
  readonly profile: Profile;
  /** With the one followed, whether or not it fits. */
  readonly possible: readonly Profile[];
  /** First line that the kernel followed does not have so; null: it fits. */
  readonly contradiction: Contradiction | null;
  readonly events: number;
  readonly calls: FollowCounts;
  /** Lines before the first known call that were too many to be held: of other events, counted only. */
  readonly notHeld: number;
  readonly choices: Readonly<Record<string, number>>;
  /** What the recorder wrote of its probes into the recording; null: nothing. */
  readonly probes: ImportedProbes | null;
  /** Calls that probes missed, as it wrote. */
  readonly missed: number;
  /** The first ones, and how many there are. */
  readonly divergences: readonly FollowDivergence[];
  readonly diverged: number;
  readonly log: TraceLog;
  readonly memory: Memory;
  /** Calls were recorded without their arguments and results. */
  readonly orderOnly: boolean;
}

/** Starting facts as events: number 0, before the first line. */
export const givenEvents = (facts: readonly Fact[]): Event[] =>
  facts.map(
    (fact) => ({ seq: 0, time: 0, cpu: 0, task: '', call: 0, origin: Origin.observed, ...fact }) as Event,
  );

/** Genesis bytes of a trace: the starting facts, encoded as one or more segments would be. Empty: nothing is known. */
export const genesisBytes = (events: readonly Event[]): Uint8Array => encodeEvents(events);

/** Takes lines one by one and appends what they mean. Call `end` once. */
export interface Pipeline {
  /** False once the pipeline has failed: nothing more is taken. */
  readonly take: (line: TraceLine) => boolean;
  /** Makes durable what was taken so far, for a recording that goes on: the kernel is chosen from what there is. Null: nothing is wrong. */
  readonly commit: () => Failure | null;
  /** Lines that are missing nobody knows where (by the header's count): a gap after the last one. `lost` 0: not known how many. */
  readonly end: (missing: { readonly lost: number; readonly why: string } | null) => Result<PipelineResult>;
}

const NOTHING_TO_FOLLOW: Failure = {
  code: 'nothing-to-follow',
  what: 'no line of this trace is a call that changes executable memory',
  hint: 'record with the script that `pagetrail probes` prints, or name the kernel with --profile',
};

/** Recordings of this architecture cannot be followed. */
export const archFailure = (arch: string): Failure => ({
  code: 'arch-not-modelled',
  what: `recordings of ${arch} are not modelled yet`,
  hint: `modelled: ${ARCHES.map(({ name }) => name).join(', ')}; --arch says which one it is`,
});

/** The line under the name by which the model knows its function. */
const canonical = (line: CallLine): CallLine => {
  const fn = canonicalFunction(line.fn);
  return fn === line.fn ? line : { ...line, fn };
};

/** A function of the model. */
const isKnown = (fn: string): boolean => Object.hasOwn(LINES, canonicalFunction(fn));

export const pipeline = (store: Store, options: PipelineOptions): Pipeline => {
  let recognise = recogniser(options.arch ?? x86_64);
  let arch: Arch = options.arch ?? x86_64;
  const waiting: TraceLine[] = [];
  let calls = 0;
  /** Calls of functions that the model knows. */
  let known = 0;
  /** The same of the function tracer, which shows nothing but their order. */
  let ordered = 0;
  /** There are no others. */
  let orderOnly = false;
  /** Lines that were held when the first of them came. */
  let heldBefore = 0;
  let notHeld = 0;
  let follow: Follow | null = null;
  let profile: Profile | null = options.profile;
  let log: TraceLog | null = null;
  let failure: Failure | null = null;
  let out: Writer | null = null;

  const told = toldProbes();

  const give = (line: TraceLine): void => {
    const to = follow as Follow;
    switch (line.kind) {
      case 'call':
        to.line(line as RecordedLine);
        return;
      case 'marker': {
        to.marker(line);
        for (const { event, calls: unseen } of told.hear(line.text))
          to.lost(unseen, `the probe ${event} missed ${unseen} calls`, null);
        const limit = options.limitOf?.(line.text) ?? null;
        if (limit !== null) to.limit(limit);
        return;
      }
      case 'lost':
        to.lost(
          line.count,
          `CPU ${line.cpu} lost ${line.count === 0 ? 'events' : `${line.count} events`}`,
          line.cpu,
        );
        return;
      case 'event':
        // A stack trace belongs to the event before it; its frames are annotations.
        if (!line.event.startsWith('<')) to.noted(line);
        return;
      case 'function':
        if (orderOnly && isKnown(line.callee)) {
          to.order({ ...line, callee: canonicalFunction(line.callee) });
          return;
        }
        to.noted({ ...line, event: 'function', body: `${line.callee} <-${line.caller}` });
        return;
      case 'buffer-started':
        to.lost(0, `what CPU ${line.cpu} did before is not in the trace`, line.cpu);
        return;
    }
  };

  const begin = (): void => {
    const shown = recognise.arch();
    if (options.arch === null && shown !== null && shown !== arch.name) {
      const other = archOf(shown, recognise.pageSize());
      if (other === null) {
        failure = archFailure(shown);
        return;
      }
      // What the lines say of the kernel depends on whose lines they are.
      arch = other;
      recognise = recogniser(other);
      for (const line of waiting) if (line.kind === 'call') recognise.note(line);
    }
    if (known === 0 && ordered === 0 && options.profile === null) {
      failure = NOTHING_TO_FOLLOW;
      return;
    }
    orderOnly = known === 0 && ordered > 0;
    profile ??= chooseProfile(recognise.possible(), options.release);
    profile = portOf(profile, arch);
    const given = givenEvents(options.dump === null ? [] : givenFacts(options.dump, arch, profile));
    const meta = {
      source: 'recording',
      kernel: options.release === '' ? profile.name : options.release,
      arch: arch.name,
      profile: profile.name,
      origin: options.origin().toString(),
      given: options.dump?.name ?? null,
    };
    const created = store.createTrace({ name: options.name, meta, genesis: genesisBytes(given) });
    if (!created.ok) {
      failure = created.error;
      return;
    }
    const described = store.describe(describeKinds());
    if (!described.ok) {
      failure = described.error;
      return;
    }
    log = created.value;
    out = writer({ store, log, memory: () => (follow as Follow).memory(), onBatch: options.onBatch });
    const start = options.dump === null ? { ...nothing, charged: null } : evolveAll(nothing, given);
    follow = new Follow({ profile, arch, nodes: 1, start, emit: out.add });
    out.begin();
    const overwritten = options.overwritten();
    if (overwritten > 0)
      follow.lost(overwritten, `${overwritten} events were overwritten before the trace was read`, 0);
    for (const line of waiting) give(line);
    waiting.length = 0;
  };

  /** Holds a line until the kernel is chosen. Other events are no ground to refuse: calls may follow, however late. */
  const hold = (line: TraceLine): void => {
    const undecided = known === 0 && ordered === 0 && options.profile === null;
    const other = line.kind === 'event' || line.kind === 'function' || line.kind === 'call';
    // What was lost and marked is rare, and is kept longer.
    if (undecided && waiting.length >= (other ? LONGEST_WAIT : 2 * LONGEST_WAIT)) {
      notHeld++;
      return;
    }
    waiting.push(line);
    if (undecided) heldBefore = waiting.length;
    else if (
      calls >= RECOGNISED_FROM ||
      ordered >= RECOGNISED_FROM ||
      waiting.length >= heldBefore + LONGEST_WAIT
    )
      begin();
  };

  const failed = (): Failure | null => failure ?? out?.failure() ?? null;

  return {
    take: (given) => {
      if (failed() !== null) return false;
      const line = given.kind === 'call' ? canonical(given) : given;
      if (line.kind === 'call') {
        // Once a kernel is chosen and no other fits, no line can tell more.
        if (follow === null || recognise.possible().length > 1) recognise.note(line);
        if (known === 0 && isKnown(line.fn)) known++;
        if (known > 0 || options.profile !== null) calls++;
      }
      if (line.kind === 'function' && isKnown(line.callee)) ordered++;
      if (follow !== null) give(line);
      else hold(line);
      return failed() === null;
    },
    commit: () => {
      if (follow === null && failure === null && known + ordered > 0) begin();
      out?.end();
      return failed();
    },
    end: (missing) => {
      if (follow === null && failure === null) begin();
      if (failure !== null) return { ok: false, error: failure };
      const followed = follow as Follow | null;
      const [own, appended] = [profile, log];
      if (followed === null || own === null || appended === null) throw new Error('nothing was begun');
      if (missing !== null) followed.lost(missing.lost, missing.why, null);
      followed.end();
      out?.end();
      const wrong = failed();
      if (wrong !== null) return { ok: false, error: wrong };
      return ok({
        arch,
        profile: own,
        possible: PROFILES.filter((other) => other.name === own.name || recognise.possible().includes(other)),
        contradiction: recognise.contradiction(own.name),
        events: followed.seq,
        calls: followed.counts,
        notHeld,
        choices: Object.fromEntries([...followed.choices].toSorted(([a], [b]) => (a < b ? -1 : 1))),
        probes: told.probes(),
        missed: told.missed(),
        divergences: followed.divergences,
        diverged: followed.diverged,
        log: appended,
        memory: followed.share(),
        orderOnly,
      });
    },
  };
};
