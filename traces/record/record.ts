/** Records this host into the log: probes set by the recording script, trace_pipe followed as it fills. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { archOf } from '../../core/arch/arches.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Store } from '../../store/index.js';
import { readDump, type Dump } from '../capture/dump.js';
import { FtraceReader } from '../ftrace/reader.js';
import { limitOf, reportOf, type Imported } from '../import/import.js';
import { archFailure, pipeline, type Pipeline } from '../import/pipeline.js';
import { tracePipe } from './pipe.js';
import { openSession, type Losses, type Session } from './session.js';

export interface RecordOptions {
  readonly name: string;
  /** What sets the probes: `recordingScript()`. */
  readonly script: string;
  readonly bufferKib?: number;
  /** Ends the recording. */
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly onSaid?: (line: string) => void;
  /** The probes are set. `trace_pipe` is in this folder. */
  readonly onReady?: (instance: string) => void;
  /** The script is gone, and nobody has ended the recording: it ends here, and the trace says so. */
  readonly onDied?: (why: string) => void;
  /** After each commit. */
  readonly onCommit?: (events: number) => void;
}

/** Longest time in which what was read is not durable. */
const COMMIT_MS = 500;

const firstDump = ({ dump }: Session): Result<Dump | null> =>
  dump === null ? ok(null) : readDump({ index: 0, name: 'start', folder: dump }, 'the first dump');

/** What was lost that no line tells. */
const untold = (losses: Losses, told: number): { readonly lost: number; readonly why: string } | null => {
  const lost = Math.max(0, losses.overrun - told) + losses.dropped;
  if (lost === 0) return null;
  return {
    lost,
    why: `the ring buffer counts ${losses.overrun} overwritten and ${losses.dropped} dropped events, the lines tell of ${told}`,
  };
};

/** How a recording ended. */
interface Ended extends Losses {
  /** The script died: how; null: it was ended. */
  readonly died: string | null;
}

/** Follows the pipe until the signal comes, or the script dies, and the buffer is empty. */
const follow = async (
  session: Session,
  reader: FtraceReader,
  into: Pipeline,
  options: RecordOptions,
): Promise<Result<Ended>> => {
  let losses: Losses | null = null;
  let died: string | null = null;
  const stop = (): void => {
    void session.stop().then((found) => {
      losses = found;
    });
  };
  void session.died.then((how) => {
    died = `the recording script died (${how}): what happened since is not recorded`;
    losses ??= { overrun: 0, dropped: 0 };
  });
  if (options.signal.aborted) stop();
  else options.signal.addEventListener('abort', stop, { once: true });
  let due = performance.now() + COMMIT_MS;
  try {
    for await (const chunk of tracePipe(join(session.instance, 'trace_pipe'), () => losses !== null)) {
      reader.push(chunk);
      if (performance.now() < due) continue;
      const wrong = into.commit();
      if (wrong !== null) return { ok: false, error: wrong };
      options.onCommit?.(reader.counts.events);
      due = performance.now() + COMMIT_MS;
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    // With the probes the pipe is gone.
    if (died === null)
      return fail('read-failed', `trace_pipe cannot be read (${error.message})`, session.instance);
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
  return ok({ ...(losses ?? { overrun: 0, dropped: 0 }), died });
};

/** Page size of this host in bytes; null: it cannot be asked. */
const pageSizeHere = (): number | null => {
  try {
    return Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })) || null;
  } catch {
    return null;
  }
};

/** With the probes set. */
const recordWith = async (
  store: Store,
  session: Session,
  options: RecordOptions,
): Promise<Result<Imported>> => {
  const arch = archOf(session.machine, pageSizeHere());
  if (arch === null) return { ok: false, error: archFailure(session.machine) };
  const dump = firstDump(session);
  if (!dump.ok) return dump;
  const reader: FtraceReader = new FtraceReader((line) => {
    into.take(line);
  });
  const into: Pipeline = pipeline(store, {
    name: options.name,
    release: session.release,
    origin: () => reader.origin,
    overwritten: () => 0,
    dump: dump.value,
    profile: null,
    arch,
    limitOf,
  });
  options.onReady?.(session.instance);
  const followed = await follow(session, reader, into, options);
  if (!followed.ok) return followed;
  reader.end();
  const { died } = followed.value;
  const gap = died === null ? untold(followed.value, reader.counts.lost) : { lost: 0, why: died };
  if (died !== null) options.onDied?.(died);
  const ended = into.end(gap);
  if (!ended.ok)
    return ended.error.code === 'nothing-to-follow'
      ? fail(
          'nothing-recorded',
          `nothing happened to executable memory while ${reader.counts.events} lines were recorded`,
          undefined,
          'load a BPF program while it records',
        )
      : ended;
  const result = ended.value;
  const report = reportOf(
    options.name,
    session.release,
    reader.counts,
    result,
    gap === null ? 0 : Math.max(1, gap.lost),
  );
  const finished = result.log.finish({
    ...report,
    missing: gap?.why ?? null,
    events_logged: result.events,
    choices: result.choices,
    probes: result.probes,
  });
  if (!finished.ok) return finished;
  return ok({
    report,
    result,
    divergences: result.divergences,
    choices: result.choices,
    comparable: false,
    notes: dump.value?.problems ?? [],
  });
};

export const record = async (store: Store, options: RecordOptions): Promise<Result<Imported>> => {
  const known = store.trace(options.name);
  if (known.ok)
    return fail(
      'conflict',
      `there is a trace ${options.name} already`,
      undefined,
      'give another name with --name NAME',
    );
  const session = await openSession(options);
  if (!session.ok) return session;
  try {
    return await recordWith(store, session.value, options);
  } finally {
    await session.value.close();
  }
};
