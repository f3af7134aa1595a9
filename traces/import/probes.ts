import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Capture } from '../capture/capture.js';

/** What a capture says of its probes: kept in the summary of its trace. */
export interface ImportedProbes {
  /** Kernel functions that were probed. */
  readonly set: readonly string[];
  readonly absent: readonly string[];
  readonly failed: readonly string[];
  /** Calls that a probe missed, by event. */
  readonly missed: Readonly<Record<string, number>>;
}

/** A line of kprobe_profile: event, hits, misses. */
const PROFILE_LINE = /^\s*(\S+)\s+(\d+)\s+(\d+)\s*$/;

const profileText = (folder: string): string => {
  const path = join(folder, 'kprobe_profile.txt');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

export const importedProbes = ({ folder, meta }: Capture): ImportedProbes => {
  const missed = new Map<string, number>();
  const events = new Set(meta.probes.flatMap(({ event }) => [event, `${event}_ret`]));
  for (const line of [...profileText(folder).split('\n'), ...meta.kprobe_profile_missed]) {
    const [, event = '', , misses = '0'] = PROFILE_LINE.exec(line) ?? [];
    // Probes that others have set on the host stand there too.
    if (Number(misses) > 0 && events.has(event))
      missed.set(event, Math.max(missed.get(event) ?? 0, Number(misses)));
  }
  return {
    set: [...new Set(meta.probes.map(({ symbol }) => symbol))].sort(),
    absent: meta.absent,
    failed: meta.probes_failed,
    missed: Object.fromEntries(missed),
  };
};
