/** A thread that reads one trace for a comparison. */
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import type { Result } from '../../core/value/failure.js';
import { openLog } from '../log.js';
import { AHEAD, type Said, type Task } from './messages.js';
import { rootReader } from './reader.js';
import { projectionOf, shownIn, type Shown } from './shown.js';

const say = (said: Said, ...moved: readonly ArrayBuffer[]): void => parentPort?.postMessage(said, moved);

const buffersOf = (...arrays: readonly Float64Array[]): readonly ArrayBuffer[] =>
  arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));

const waitFor = (taken: Int32Array<SharedArrayBuffer>, given: number): void => {
  for (let now = Atomics.load(taken, 0); given - now >= AHEAD; now = Atomics.load(taken, 0))
    Atomics.wait(taken, 0, now);
};

const read = async ({ file, trace: name, taken }: Task): Promise<Result<null>> => {
  const log = openLog(file);
  if (!log.ok) return log;
  const trace = log.value.trace(name);
  if (!trace.ok) return trace;
  const shown = shownIn(trace.value);
  if (!shown.ok) return shown;
  if (parentPort === null) throw new Error('a thread that reads a trace was started as a program');
  const others = once(parentPort, 'message');
  say({ said: 'shown', shown: shown.value });
  const [other] = (await others) as [Shown];
  const reader = rootReader(trace.value, projectionOf(shown.value, other));
  if (!reader.ok) return reader;
  for (let given = 0; ; given++) {
    const batch = reader.value.read();
    if (!batch.ok) return batch;
    waitFor(taken, given);
    if (batch.value === null) break;
    say({ said: 'batch', batch: batch.value }, ...buffersOf(batch.value.table, batch.value.slots));
  }
  say({ said: 'batch', batch: null });
  log.value.close();
  return { ok: true, value: null };
};

const done = await read(workerData as Task);
if (!done.ok) say({ said: 'failure', failure: done.error });
parentPort?.close();
