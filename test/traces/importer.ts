import { writeSync } from 'node:fs';
import { openStore, type Crashpoint, type Store } from '../../store/index.js';
import { importTrace } from '../../traces/import/import.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { parseWorkload } from '../../traces/workload/schema.js';
import { must } from '../store/given.js';

/** What a child process is told to do: to import a trace, or to run a workload. */
export interface ImportErrand {
  readonly file: string;
  readonly name: string;
  readonly path?: string;
  readonly profile?: string;
  /** Text of a workload, its kernel and seed. */
  readonly workload?: string;
  readonly kernel?: string;
  readonly seed?: number;
  /** Kills itself with SIGKILL when batch `batch` is due, or at the `nth` time that an append comes to this point. */
  readonly kill?: { readonly batch: number } | { readonly at: Crashpoint; readonly nth: number };
}

/** The same store, telling after each append how many segments are acknowledged. */
const telling = (store: Store): Store => ({
  ...store,
  createTrace: (wanted) => {
    const made = store.createTrace(wanted);
    if (!made.ok) return made;
    const log = made.value;
    let segments = 0;
    const appendAll: typeof log.appendAll = (list) => {
      const appended = log.appendAll(list);
      if (appended.ok) writeSync(1, `${(segments += list.length)}\n`);
      return appended;
    };
    return { ok: true, value: Object.assign(Object.create(log), { appendAll }) as typeof log };
  },
});

const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

async function run(errand: ImportErrand): Promise<void> {
  const { kill } = errand;
  let batches = 0;
  let points = 0;
  const onBatch = (): void => {
    if (kill !== undefined && 'batch' in kill && ++batches === kill.batch) die();
  };
  const crashpoint = (at: Crashpoint): void => {
    if (kill !== undefined && 'at' in kill && at === kill.at && ++points === kill.nth) die();
  };
  const store = must(openStore(errand.file, { crashpoint, busyTimeout: 20_000 }));
  writeSync(1, 'ready\n');
  const options = { name: errand.name, onBatch };
  if (errand.workload !== undefined) {
    const workload = must(parseWorkload(errand.workload, 'errand'));
    const { report } = must(
      simulate(store, workload, { ...options, kernel: errand.kernel ?? '', seed: errand.seed ?? 1 }),
    );
    writeSync(1, `root ${report.root}\n`);
  } else {
    const profile = errand.profile === undefined ? {} : { profile: errand.profile };
    const { report } = must(await importTrace(telling(store), errand.path ?? '', { ...options, ...profile }));
    writeSync(1, `root ${report.root}\n`);
  }
  store.close();
}

const [, , errand] = process.argv;
if (errand?.startsWith('{') === true) await run(JSON.parse(errand) as ImportErrand);
