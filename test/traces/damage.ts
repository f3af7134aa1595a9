/** Recordings with something wrong with them, and how wrong the state becomes. */
import { readFileSync, writeFileSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { x86_64 } from '../../core/arch/x86_64.js';
import type { Memory } from '../../core/memory/memory.js';
import { PROFILES } from '../../core/profile/profiles.js';
import type { TraceLog } from '../../store/index.js';
import type { Dump } from '../../traces/capture/dump.js';
import { compareMoment, type MomentFigures } from '../../traces/conform/compare.js';
import { must } from '../store/given.js';
import { readTrace } from './captures.js';
import { captureOf, eventsOf, phasesOf, startOf, withoutLaterDumps } from './recordings.js';

export const linesOf = (folder: string): string[] => readTrace(folder).toString('latin1').split('\n');

export const isCall = (line: string): boolean =>
  !line.startsWith('#') && /\]\s\S+\s+\d+\.\d+: \w+: \(/.test(line);

/** A copy of a capture, with another trace and the first dump only. */
export const captureWith = (folder: string, lines: readonly string[], to: string): string => {
  const copy = withoutLaterDumps(folder, to);
  const packed = join(copy, 'trace.txt.gz');
  if (existsSync(packed)) rmSync(packed);
  writeFileSync(join(copy, 'trace.txt'), lines.join('\n'), 'latin1');
  return copy;
};

const FUNCTION = /: (\w+?)(?:_ret)?: \(/;
const COUNTS = /(entries-in-buffer\/entries-written: )(\d+)\/(\d+)/;

/** A copy of a capture as it had been if some functions had not been probed: no line of them, and the header counts none. */
export const captureUnprobed = (folder: string, functions: readonly string[], to: string): string => {
  const lines = linesOf(folder);
  const kept = lines.filter((line) => !functions.includes(FUNCTION.exec(line)?.[1] ?? ''));
  const less = lines.length - kept.length;
  const counted = kept.map((line) =>
    line.replace(COUNTS, (_, text: string, a: string, b: string) => `${text}${+a - less}/${+b - less}`),
  );
  const copy = captureWith(folder, counted, to);
  const path = join(copy, 'meta.json');
  const meta = JSON.parse(readFileSync(path, 'utf8')) as { probes: { event: string }[] };
  meta.probes = meta.probes.filter(({ event }) => !functions.includes(event.replace(/_ret$/, '')));
  writeFileSync(path, JSON.stringify(meta));
  return copy;
};

const dumps = new Map<string, ReadonlyMap<string, Dump>>();

const dumpsOf = (folder: string): ReadonlyMap<string, Dump> => {
  let known = dumps.get(folder);
  if (known === undefined) {
    const capture = captureOf(folder);
    known = new Map(capture.phases.map((phase) => [phase.name, must(capture.dump(phase))]));
    dumps.set(folder, known);
  }
  return known;
};

export const forgetDumps = (): void => dumps.clear();

/** A log's states against the dumps of the capture it was made of; the given one is left out. */
export const judge = (log: TraceLog, folder: string): MomentFigures[] => {
  const profile = PROFILES.find(({ name }) => name === log.info.meta['profile']);
  if (profile === undefined) throw new Error(`no profile for ${basename(folder)}`);
  const given = log.info.meta['given'];
  const moments: MomentFigures[] = [];
  for (const [phase, memory] of phasesOf(startOf(log), eventsOf(log))) {
    const dump = dumpsOf(folder).get(phase);
    if (dump === undefined || phase === given) continue;
    moments.push(compareMoment(phase, { memory, dump, arch: x86_64, profile, given: given !== null }));
  }
  return moments;
};

/** What is wrong in the states: differences of some kinds. */
export const wrongOf = (moments: readonly MomentFigures[], kinds: readonly string[]): string[] =>
  moments.flatMap(({ moment, differences }) =>
    differences
      .filter(({ what }) => kinds.includes(what))
      .map(({ what, at, state, dump }) => `${moment}: ${what} ${at}: ${state}, really ${dump}`),
  );

export const STATE = ['page', 'alias', 'area', 'bytes'] as const;

export const lastMemory = (log: TraceLog): Memory | undefined =>
  [...phasesOf(startOf(log), eventsOf(log))].at(-1)?.[1];
