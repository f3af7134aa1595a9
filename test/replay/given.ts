import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after } from 'mocha';
import { encodeEvents } from '../../core/codec/events.js';
import { encodeSegment } from '../../core/codec/encode.js';
import { eventOf, type Event, type Fact } from '../../core/event/event.js';
import { must } from '../../replay/failed.js';
import { logOn, openLog, type Log, type TraceView } from '../../replay/log.js';
import { openStore, type Store } from '../../store/index.js';
import { importTrace } from '../../traces/import/import.js';
import { captures } from '../shared.js';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The path of a file that is gone after the tests. */
export const scratchFile = (name = 'test.db'): string => {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-replay-'));
  folders.push(folder);
  return join(folder, name);
};

export interface Written {
  readonly name?: string;
  readonly meta?: object;
  /** Starting facts. */
  readonly given?: readonly Event[];
  /** Events a segment. */
  readonly size?: number;
}

/** Appends events (numbered from 1) to a new trace of a store. */
export const write = (store: Store, events: readonly Event[], options: Written = {}): void => {
  const { name = 't', meta = {}, given = [], size = 50 } = options;
  must(store.createTrace({ name, meta, genesis: encodeEvents(given) }));
  append(store, events, { name, size });
};

/** Appends more events to a trace. */
export const append = (
  store: Store,
  events: readonly Event[],
  { name = 't', size = 50 }: Written = {},
): void => {
  const log = must(store.trace(name));
  for (let from = 0; from < events.length; from += size) {
    const batch = events.slice(from, from + size);
    must(log.append({ first: (batch[0] as Event).seq, count: batch.length, bytes: encodeSegment(batch) }));
  }
};

/** A log file with one trace `t`. */
export const logFile = (events: readonly Event[], options: Written = {}): string => {
  const file = scratchFile();
  const store = must(openStore(file));
  write(store, events, options);
  store.close();
  return file;
};

/** The same in memory. */
export const logOf = (events: readonly Event[], options: Written = {}): Log => {
  const store = must(openStore(':memory:'));
  write(store, events, options);
  return logOn(store);
};

/** Facts as the events of a log, numbered from 1, a microsecond apart. */
export const numbered = (facts: readonly Fact[], first = 1): Event[] =>
  facts.map((fact, i) =>
    eventOf(
      { seq: first + i, time: (first + i - 1) * 1000, cpu: 0, task: 'workload-1', call: 0, origin: 0 },
      fact,
    ),
  );

/** The same as starting facts. */
export const asGiven = (events: readonly Event[]): Event[] =>
  events.map((event) => Object.assign({}, event, { seq: 0, time: 0 }));

let shared: string | null = null;
const importedNames = new Set<string>();

/** Captures of which a name fits, x86-64 only. */
export const capturesNamed = (pattern: RegExp): readonly string[] =>
  captures().filter((folder) => basename(folder).startsWith('x86_64') && pattern.test(basename(folder)));

/** Imports a capture; all of them share one log. */
export const importedCapture = async (
  folder: string,
): Promise<{ readonly file: string; readonly name: string; readonly view: TraceView }> => {
  shared ??= scratchFile('captures.db');
  const name = basename(folder);
  if (!importedNames.has(name)) {
    const store = must(openStore(shared));
    must(await importTrace(store, folder));
    store.close();
    importedNames.add(name);
  }
  return { file: shared, name, view: must(must(openLog(shared)).trace(name)) };
};
