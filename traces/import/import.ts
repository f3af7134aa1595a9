import { basename, resolve } from 'node:path';
import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { archNamed, archOf, familyOf } from '../../core/arch/arches.js';
import type { Event } from '../../core/event/event.js';
import type { Contradiction } from '../../core/driver/follow/recognise.js';
import type { FollowCounts, FollowDivergence } from '../../core/driver/follow/follow.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Store } from '../../store/index.js';
import { namedKernel } from '../kernelNames.js';
import { openCapture, type Capture } from '../capture/capture.js';
import type { Dump } from '../capture/dump.js';
import type { Progress } from '../ftrace/source.js';
import type { Counts } from '../ftrace/line.js';
import { readFtrace } from '../ftrace/read.js';
import type { FtraceReader } from '../ftrace/reader.js';
import { importedProbes, type ImportedProbes } from './probes.js';
import { archFailure, pipeline, type PipelineResult } from './pipeline.js';

export interface ImportOptions {
  /** Name of the trace; default: name of the folder or file. */
  readonly name?: string;
  /** Profile to follow with, by name; default: recognised. */
  readonly profile?: string;
  /** Architecture, where the input does not say it. */
  readonly arch?: string;
  /** Release of the kernel, where the input does not say it. */
  readonly release?: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly onBatch?: (batch: readonly Event[]) => void;
  readonly stdin?: Readable;
  /** What a trace without a folder begins with. */
  readonly dump?: Dump;
}

/** The fixed output of `pagetrail import --json`, and what is kept as the trace's summary. */
export interface ImportReport {
  readonly trace: string;
  readonly kernel: string;
  readonly arch: string;
  readonly profile: string;
  readonly profiles_possible: readonly string[];
  readonly lines: number;
  readonly events: number;
  readonly annotations: number;
  readonly headers: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly lost: number;
  readonly calls: FollowCounts;
  readonly divergences: number;
  readonly root: string;
  /** Where no kernel that is known fits: the first line that the one followed does not have so. */
  readonly contradiction?: Contradiction;
}

export interface Imported {
  readonly report: ImportReport;
  readonly result: PipelineResult;
  readonly divergences: readonly FollowDivergence[];
  readonly choices: Readonly<Record<string, number>>;
  /** The capture has dumps besides the one that the log begins with: they can be compared with it. */
  readonly comparable: boolean;
  /** Odd things that a person should know. */
  readonly notes: readonly string[];
}

/** The lab's recorder writes its operations as markers: `op 2: set_bpf_jit_limit 8192`. */
const LIMIT_MARKER = /^op \d+: set_bpf_jit_limit (\d+)\b/;

/** Bytes that bpf_jit_limit was set to; null: the marker says something else. */
export const limitOf = (marker: string): number | null => {
  const m = LIMIT_MARKER.exec(marker);
  return m === null ? null : Number(m[1]);
};

/** Events that the ring buffer overwrote before the trace was read. */
const overwrittenEvents = (counts: Counts | undefined): number =>
  counts === undefined || counts.entriesInBuffer === null || counts.entriesWritten === null
    ? 0
    : Math.max(0, counts.entriesWritten - counts.entriesInBuffer);

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

interface Input {
  readonly tracePath: string;
  readonly name: string;
  readonly release: string;
  readonly arch: string | null;
  readonly pageSize: number | null;
  readonly dump: Dump | null;
  readonly dumps: number;
  /** Null: a bare trace does not say. */
  readonly probes: ImportedProbes | null;
  readonly problems: readonly string[];
}

const captureInput = (capture: Capture): Result<Input> => {
  const first = capture.phases[0];
  let dump: Dump | null = null;
  if (first !== undefined) {
    const read = capture.dump(first);
    if (!read.ok) return read;
    dump = read.value;
  }
  const { meta } = capture;
  return ok({
    tracePath: capture.tracePath,
    name: basename(resolve(capture.folder)),
    release: meta.release,
    arch: meta.arch,
    pageSize: meta.machine.page_size,
    dump,
    dumps: capture.phases.length,
    probes: importedProbes(capture),
    problems: [...capture.problems, ...(dump?.problems ?? [])],
  });
};

const inputOf = (path: string): Result<Input> => {
  if (path !== '-' && isFolder(path)) {
    const capture = openCapture(path);
    return capture.ok ? captureInput(capture.value) : capture;
  }
  const name =
    path === '-'
      ? 'stdin'
      : basename(path)
          .replace(/\.gz$/, '')
          .replace(/\.txt$/, '');
  return ok({
    tracePath: path,
    name: name === 'trace' ? basename(resolve(path, '..')) : name,
    release: '',
    arch: null,
    pageSize: null,
    dump: null,
    dumps: 0,
    probes: null,
    problems: [],
  });
};

/** The report of what was read and followed. `lost`: events that are missing besides those that lines say. */
export const reportOf = (
  trace: string,
  release: string,
  counts: Counts,
  result: PipelineResult,
  lost: number,
): ImportReport => ({
  trace,
  kernel: release === '' ? result.profile.name : release,
  // As the machine calls itself; the page size is told by the leaves.
  arch: familyOf(result.arch),
  profile: result.profile.name,
  profiles_possible: result.possible.map((p) => p.name),
  lines: counts.lines,
  events: counts.events,
  annotations: counts.annotations,
  headers: counts.headers,
  skipped:
    result.notHeld === 0
      ? counts.skipped
      : { ...counts.skipped, 'other event before the first call': result.notHeld },
  lost: counts.lost + overwrittenEvents(counts) + lost + result.missed,
  calls: result.calls,
  divergences: result.diverged,
  root: result.log.info.root,
  ...(result.contradiction === null ? {} : { contradiction: result.contradiction }),
});

/**
 * Imports a trace file (ftrace text or `trace-cmd report`, plain or .gz, `-` for stdin) or a capture folder (its trace and its first dump only). Running it
 * again over the same input appends nothing; over another input under the same name it is a conflict.
 */
export const importTrace = async (
  store: Store,
  path: string,
  options: ImportOptions = {},
): Promise<Result<Imported>> => {
  const opened = inputOf(path);
  if (!opened.ok) return opened;
  const input = { ...opened.value, release: opened.value.release || (options.release ?? '') };
  const archName = options.arch ?? input.arch;
  const arch =
    archName === null
      ? null
      : options.arch === undefined
        ? archOf(archName, input.pageSize)
        : archNamed(archName);
  if (archName !== null && arch === null)
    return { ok: false, error: { ...archFailure(archName), where: path } };
  const wanted = options.profile === undefined ? null : namedKernel(options.profile);
  if (wanted?.ok === false) return wanted;
  const name = options.name ?? input.name;
  let reader: FtraceReader | null = null;
  const into = pipeline(store, {
    name,
    release: input.release,
    origin: () => reader?.origin ?? 0n,
    overwritten: () => overwrittenEvents(reader?.counts),
    dump: options.dump ?? input.dump,
    profile: wanted?.value.profile ?? null,
    arch,
    limitOf,
    ...(options.onBatch === undefined ? {} : { onBatch: options.onBatch }),
  });
  const read = await readFtrace(input.tracePath, into.take, {
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    onReader: (made) => {
      reader = made;
    },
  });
  if (!read.ok) return read;
  const { counts } = read.value;
  if (counts.events === 0)
    return fail(
      'no-events',
      'the trace holds no event',
      path,
      'was tracing on, and were the probes set? `pagetrail probes` prints a script that sets them',
    );
  const missing = counts.entriesInBuffer === null ? 0 : counts.entriesInBuffer - counts.events;
  // More events than the header counts: it is not the header of these lines, and nobody knows how many are missing.
  const gap =
    missing === 0
      ? null
      : {
          lost: Math.max(0, missing),
          why: `the header counts ${counts.entriesInBuffer} events, the file has ${counts.events}`,
        };
  const followed = into.end(gap);
  if (!followed.ok) return followed;
  const result = followed.value;
  const report = reportOf(name, input.release, counts, result, gap === null ? 0 : Math.max(1, gap.lost));
  const finished = result.log.finish({
    ...report,
    missing: gap?.why ?? null,
    probes: input.probes ?? result.probes,
    events_logged: result.events,
    choices: result.choices,
  });
  if (!finished.ok) return finished;
  return ok({
    report,
    result,
    divergences: result.divergences,
    choices: result.choices,
    comparable: input.dumps > 1,
    notes: [
      ...(result.orderOnly
        ? [
            'the recording has the order of calls only, no arguments and no results: what they changed is unknown',
          ]
        : []),
      ...input.problems,
      ...(options.dump?.problems ?? []),
    ],
  });
};
