/** A thread that reads one trace for a comparison. */
import { on } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { ok, type Result } from '../../core/value/failure.js';
import { openLog, type TraceView } from '../log.js';
import { AHEAD, type Order, type Said, type Task } from './messages.js';
import { rootReader } from './reader.js';
import { projectionOf, shownAtFirst } from './shown.js';

const say = (said: Said, ...moved: readonly ArrayBuffer[]): void => parentPort?.postMessage(said, moved);

const buffersOf = (...arrays: readonly Float64Array[]): readonly ArrayBuffer[] =>
  arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));

type Taken = Task['taken'];

/** Batches given, in all. */
let given = 0;

const waitFor = (taken: Taken): void => {
  for (let now = Atomics.load(taken, 0); given - now >= AHEAD; now = Atomics.load(taken, 0))
    Atomics.wait(taken, 0, now);
  given++;
};

const obey = (trace: TraceView, { own, other }: Order, taken: Taken): Result<null> => {
  const reader = rootReader(trace, projectionOf(own, other));
  if (!reader.ok) return reader;
  for (;;) {
    const batch = reader.value.read();
    if (!batch.ok) return batch;
    if (batch.value === null) break;
    waitFor(taken);
    say({ said: 'batch', batch: batch.value }, ...buffersOf(batch.value.table, batch.value.slots));
  }
  say({ said: 'learned', learned: reader.value.learned() });
  return ok(null);
};

/** Reads as often as it is told to; whoever started it ends it. */
const run = async ({ file, trace: name, taken }: Task): Promise<Result<null>> => {
  const log = openLog(file);
  if (!log.ok) return log;
  const trace = log.value.trace(name);
  if (!trace.ok) return trace;
  const shown = shownAtFirst(trace.value);
  if (!shown.ok) return shown;
  if (parentPort === null) throw new Error('a thread that reads a trace was started as a program');
  const orders = on(parentPort, 'message');
  say({ said: 'shown', shown: shown.value });
  for await (const [order] of orders) {
    const done = obey(trace.value, order as Order, taken);
    if (!done.ok) return done;
  }
  return ok(null);
};

const done = await run(workerData as Task);
if (!done.ok) say({ said: 'failure', failure: done.error });
parentPort?.close();
