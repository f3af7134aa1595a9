/** Traces that are read by threads of their own. */
import { Worker } from 'node:worker_threads';
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Order, Said, Task } from './messages.js';
import type { Learned } from './reader.js';
import type { Batch } from './recorded.js';
import type { Shown } from './shown.js';

/** A trace that a thread reads. */
export interface ThreadReader {
  /** Which calls the beginning of the trace shows. */
  readonly shown: () => Promise<Result<Shown>>;
  /** Has the trace read from its beginning on, going by what both show. */
  readonly begin: (order: Order) => void;
  /** The next batch; at the end what was learned. */
  readonly read: () => Promise<Result<Batch | Learned>>;
  readonly end: () => Promise<void>;
}

/** Heap of a thread in MB. Young objects do not live long: room for few of them is enough. */
const LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 1024 };

/** What a thread said and nobody has taken yet, and who waits for it. */
interface Mailbox {
  readonly put: (said: Result<Said>) => void;
  readonly take: () => Promise<Result<Said>>;
}

const mailbox = (): Mailbox => {
  const waiting: Result<Said>[] = [];
  let wanted: ((said: Result<Said>) => void) | null = null;
  return {
    put: (said) => {
      if (wanted === null) waiting.push(said);
      else {
        wanted(said);
        wanted = null;
      }
    },
    take: () => {
      const said = waiting.shift();
      if (said !== undefined) return Promise.resolve(said);
      return new Promise((resolve) => {
        wanted = resolve;
      });
    },
  };
};

const broken = (trace: string, why: string): Result<never> =>
  fail('thread-ended', `the thread that reads trace ${trace} ended: ${why}`);

/** Starts a thread that reads a trace of a log file. */
export const threadReader = (file: string, trace: string): ThreadReader => {
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const task: Task = { file, trace, taken };
  const thread = new Worker(new URL('thread.js', import.meta.url), {
    workerData: task,
    resourceLimits: LIMITS,
  });
  const box = mailbox();
  thread.on('message', (said: Said) =>
    box.put(said.said === 'failure' ? { ok: false, error: said.failure } : ok(said)),
  );
  thread.on('error', (error) => box.put(broken(trace, error.message)));
  // Whatever it had to say came before.
  thread.on('exit', (code) => box.put(broken(trace, `exit code ${code}`)));
  return {
    shown: async () => {
      const said = await box.take();
      if (!said.ok) return said;
      return said.value.said === 'shown' ? ok(said.value.shown) : broken(trace, 'it gave a batch too early');
    },
    begin: (order) => thread.postMessage(order, []),
    read: async () => {
      const said = await box.take();
      if (!said.ok) return said;
      if (said.value.said === 'learned') return ok(said.value.learned);
      if (said.value.said !== 'batch') return broken(trace, 'it gave no batch');
      Atomics.add(taken, 0, 1);
      Atomics.notify(taken, 0);
      return ok(said.value.batch);
    },
    end: async () => {
      await thread.terminate();
    },
  };
};
