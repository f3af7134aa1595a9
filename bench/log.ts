import { bootEvents } from '../core/driver/emulate/emulate.js';
import { ok, type Result } from '../core/value/failure.js';
import { nothing, type Memory } from '../core/memory/memory.js';
import type { Event } from '../core/event/event.js';
import { openStore, type Store } from '../store/index.js';
import { evolveAll } from '../core/memory/evolve.js';
import { derivedTables } from '../replay/tables.js';
import { genesisBytes } from '../traces/import/pipeline.js';
import { writer } from '../traces/writer.js';
import { emulated, emulationOf, type ChurnOf } from './emulated.js';

export interface LogOptions {
  /** Of both traces together. */
  readonly events: number;
  readonly live: number;
  readonly onProgress?: (events: number) => void;
}

/** Names of the traces of a synthetic log. The first holds nine tenths of the events. */
export const TRACES = ['churn-6.1', 'churn-5.18-rc3'] as const;

/** What a failure that is not expected here says. */
export const must = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error([result.error.what, result.error.where].filter(Boolean).join(', '));
  return result.value;
};

const PROGRESS_EVERY = 1 << 15;

/** A log as a simulation writes it, snapshots included: the churn on 6.1 and, a tenth as long, on 5.18-rc3. */
export const writeLog = (file: string, { events, live, onProgress }: LogOptions): void => {
  const store = must(openStore(file, derivedTables()));
  const rest = Math.floor(events / 10);
  let done = 0;
  const progress = (): void => {
    if (++done % PROGRESS_EVERY === 0) onProgress?.(done);
  };
  write(store, { kernel: '6.1', events: events - rest, live, seed: 61 }, TRACES[0], progress);
  write(store, { kernel: '5.18-rc3', events: rest, live, seed: 518 }, TRACES[1], progress);
  store.close();
};

/** Names of the traces of a pair. */
export const PAIR = ['base', 'patched'] as const;

/** A log of two emulations of the same operations on two kernels, with other choices; at least `events` in the first. */
export const writePair = (file: string, { events, live, onProgress }: LogOptions): void => {
  const store = must(openStore(file));
  let done = 0;
  const progress = (): void => {
    if (++done % PROGRESS_EVERY === 0) onProgress?.(done);
  };
  const work = { live, seed: 7 };
  let operations = 0;
  write(
    store,
    { kernel: '5.18-rc3', events: 2 * events, ...work, choices: 1 },
    PAIR[0],
    progress,
    ({ kind, seq }) => {
      if (kind === 'operation') operations++;
      return kind === 'operation' && seq > events;
    },
  );
  write(
    store,
    { kernel: '5.18-rc3-packv2', events: 4 * events, ...work, choices: 2 },
    PAIR[1],
    progress,
    ({ kind }) => kind === 'operation' && operations-- === 1,
  );
  store.close();
};

const write = (
  store: Store,
  churn: ChurnOf,
  name: string,
  progress: () => void,
  ends: (event: Event) => boolean = () => false,
): void => {
  const { given } = bootEvents(emulationOf(churn));
  const meta = { source: 'emulation', kernel: churn.kernel, arch: 'x86_64', profile: churn.kernel };
  const log = must(store.createTrace({ name, meta, genesis: genesisBytes(given) }));
  const start = evolveAll(nothing, given);
  let memory: () => Memory = () => start;
  const out = writer({ store, log, memory: () => memory() });
  out.begin();
  emulated(churn, (event, now) => {
    if (ends(event)) return false;
    memory = now;
    out.add(event);
    progress();
    return true;
  });
  out.end();
  const wrong = out.failure();
  must(wrong === null ? ok(null) : { ok: false, error: wrong });
  must(log.finish({}));
};
