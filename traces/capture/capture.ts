/**
 * A capture folder: one run of a workload on a real kernel, as made by the lab's recorder.
 *
 *     meta.json            what ran where, probes, operations
 *     trace.txt[.gz]       ftrace's `trace`, verbatim
 *     phases/NN-NAME/      dumps taken from outside while the guest stood still (may be missing)
 *     dmesg.txt
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { fail, ok, type Result } from '../../core/value/failure.js';
import { readDump, type Dump, type PhaseRef } from './dump.js';
import { isPhaseMark, parseMeta, type CaptureMeta } from './meta.js';

export interface Capture {
  readonly folder: string;
  readonly meta: CaptureMeta;
  /** `trace.txt` or `trace.txt.gz`. */
  readonly tracePath: string;
  /** The kernel's log; null when the capture has none. */
  readonly dmesgPath: string | null;
  /** Dumps in the order of their numbers; empty for a capture without dumps. */
  readonly phases: readonly PhaseRef[];
  dump(phase: PhaseRef): Result<Dump>;
  /** What is odd about the folder as a whole: unknown names, phases without dump, dumps without phase. */
  readonly problems: readonly string[];
}

const TRACES = ['trace.txt', 'trace.txt.gz'];
const PHASE = /^(\d+)-(.+)$/;

/** Opens a capture folder: reads meta.json and lists the rest. */
export const openCapture = (folder: string): Result<Capture> => {
  if (!existsSync(folder)) {
    return fail('no-capture', 'no such folder', folder, 'give the folder that holds meta.json and trace.txt');
  }
  if (!statSync(folder).isDirectory()) {
    return fail('no-capture', 'a file, not a capture folder', folder, 'give the folder that holds meta.json');
  }
  const metaPath = join(folder, 'meta.json');
  const text = readOrNull(metaPath);
  if (text === null) {
    return fail(
      'no-meta',
      'meta.json is missing or cannot be read',
      metaPath,
      'a trace alone can be imported by giving its file instead of the folder',
    );
  }
  const meta = parseMeta(text, metaPath);
  if (!meta.ok) return meta;
  const tracePath = TRACES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (tracePath === undefined) {
    return fail('no-trace', 'the capture holds no trace', folder, 'trace.txt or trace.txt.gz is expected');
  }
  const problems: string[] = meta.value.unknownOperations.map(
    (o) => `meta.json: ${o}: unknown kind, left out`,
  );
  const phases = listPhases(folder, problems);
  comparePhases(meta.value, phases, problems);
  const dmesgPath = join(folder, 'dmesg.txt');
  return ok({
    folder,
    meta: meta.value,
    tracePath,
    dmesgPath: existsSync(dmesgPath) ? dmesgPath : null,
    phases,
    dump: (phase) => readDump(phase, `phases/${String(phase.index).padStart(2, '0')}-${phase.name}`),
    problems,
  });
};

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

const listPhases = (folder: string, problems: string[]): readonly PhaseRef[] => {
  const root = join(folder, 'phases');
  if (!existsSync(root)) return [];
  const phases: PhaseRef[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const m = PHASE.exec(entry.name);
    if (m === null || !entry.isDirectory())
      problems.push(`phases/${entry.name}: not a folder NN-NAME; left out`);
    else phases.push({ index: Number(m[1]), name: m[2] as string, folder: join(root, entry.name) });
  }
  return phases.sort((a, b) => a.index - b.index);
};

const comparePhases = (meta: CaptureMeta, phases: readonly PhaseRef[], problems: string[]): void => {
  if (phases.length === 0) return;
  const told = meta.operations.filter(isPhaseMark).map((p) => `${p.phase}-${p.name}`);
  const found = phases.map((p) => `${p.index}-${p.name}`);
  for (const p of told) if (!found.includes(p)) problems.push(`meta.json: phase ${p} has no dump`);
  for (const p of found)
    if (!told.includes(p)) problems.push(`phases/: dump ${p} is of no phase in meta.json`);
};
