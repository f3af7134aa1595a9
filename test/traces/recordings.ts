import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archOf as archOfMachine } from '../../core/arch/arches.js';
import { decodeSegment } from '../../core/codec/decode.js';
import type { Event } from '../../core/event/event.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { openStore, type Store, type TraceLog } from '../../store/index.js';
import { openCapture, type Capture } from '../../traces/capture/capture.js';
import { importTrace, type Imported, type ImportOptions } from '../../traces/import/import.js';
import { captures } from '../shared.js';
import { must } from '../store/given.js';

/** The checkout, seen from where the tests were compiled to. */
export const projectRoot = (): string => {
  for (let at = fileURLToPath(new URL('.', import.meta.url)); ; at = join(at, '..'))
    if (existsSync(join(at, 'package.json'))) return at;
};

/** Folder of the recordings that come with the code. */
const bundledRoot = (): string => join(projectRoot(), 'traces', 'bundled');

const RECORDING = /^x86_64-(.+)-(S\d+)-/;
const ANY_RECORDING = /^([a-z0-9_]+)-(\d.*)-(S\d+)-/;

/** Capture folders that come with the code, sorted. */
export const bundled = (): readonly string[] =>
  readdirSync(bundledRoot())
    .filter((name) => RECORDING.test(name))
    .map((name) => join(bundledRoot(), name))
    .sort();

/** Capture folders of x86-64 kernels, sorted: the shared ones, where there are none those that come with the code. */
export const recordings = (): readonly string[] => {
  const shared = captures().filter((folder) => RECORDING.test(basename(folder)));
  return shared.length > 0 ? shared : bundled();
};

/** The recordings of some kernels and scenarios, by a pattern of `KERNEL-SCENARIO`. */
export const recordingsOf = (pattern: RegExp): readonly string[] =>
  recordings().filter((folder) => {
    const m = RECORDING.exec(basename(folder));
    return m !== null && pattern.test(`${m[1]}-${m[2]}`);
  });

/** Name of the profile of a recorded kernel: `5.18-rc3-packv2`. */
export const kernelOf = (folder: string): string => ANY_RECORDING.exec(basename(folder))?.[2] ?? '';

/** Architecture of a recording without its page size: `arm64`. */
export const familyOf = (folder: string): string => ANY_RECORDING.exec(basename(folder))?.[1] ?? '';

/** Architecture of a recording: `ppc64le-64k`. */
export const archOf = (folder: string): string =>
  archOfMachine(familyOf(folder), captureOf(folder).meta.machine.page_size)?.name ?? '';

/** Architectures besides x86-64 whose recordings have the values of calls. */
const OTHERS: readonly string[] = ['arm64', 'ppc64le', 's390x'];

/** Recordings of other architectures; none where they are not shared. */
export const recordingsOfOthers = (): readonly string[] =>
  captures().filter((folder) => OTHERS.includes(familyOf(folder)));

/** Recordings that have the order of calls only, without a value. */
export const recordingsOfOrder = (): readonly string[] =>
  captures().filter((folder) => archOf(folder) === 'riscv64');

/** A folder and stores that are gone when `end` is called. */
export interface Desk {
  readonly folder: string;
  readonly store: (name?: string) => Store;
  readonly end: () => void;
}

export const newDesk = (): Desk => {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-traces-'));
  const stores: Store[] = [];
  return {
    folder,
    store: (name = 'log') => {
      const store = must(openStore(join(folder, `${name}.db`)));
      stores.push(store);
      return store;
    },
    end: () => {
      for (const store of stores) store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

export const captureOf = (folder: string): Capture => must(openCapture(folder));

export const imported = async (store: Store, path: string, options: ImportOptions = {}): Promise<Imported> =>
  must(await importTrace(store, path, options));

/** A copy of a capture folder that holds the first dump only. */
export const withoutLaterDumps = (folder: string, to: string): string => {
  const copy = join(to, basename(folder));
  cpSync(folder, copy, {
    recursive: true,
    filter: (path) => !/\/phases\/(?!00-)[^/]+/.test(path) && !path.endsWith('/trace.dat'),
  });
  return copy;
};

/** Memory before the first event. */
export const startOf = (log: TraceLog): Memory => {
  const genesis = must(log.genesis());
  return genesis.length === 0
    ? { ...nothing, charged: null }
    : evolveAll(nothing, must(decodeSegment(genesis)));
};

/** All events of a trace. */
export const eventsOf = (log: TraceLog): Event[] =>
  [...log.segments()].flatMap((segment) => must(decodeSegment(must(segment).bytes)));

/** Memory after each marker `phase: NAME`, in order. */
export function* phasesOf(
  start: Memory,
  events: readonly Event[],
): Generator<readonly [name: string, Memory]> {
  let memory = start;
  let from = 0;
  for (const [i, event] of events.entries()) {
    if (event.kind !== 'marker' || !event.text.startsWith('phase: ')) continue;
    memory = evolveAll(memory, events.slice(from, i + 1));
    from = i + 1;
    yield [event.text.slice('phase: '.length), memory];
  }
}
