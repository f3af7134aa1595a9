import { writeSync } from 'node:fs';
import { openStore, type Crashpoint, type OpenOptions } from '../../store/index.js';
import { decodeText, must, newTrace, seen, segment } from './given.js';

/** What a child process is told to do. */
export interface Errand {
  readonly file: string;
  /** Segments to append, the first being 0. */
  readonly segments: number;
  readonly perCommit?: number;
  /** Name of the trace, and what its events say. */
  readonly trace?: string;
  readonly what?: string;
  readonly projections?: boolean;
  /** Kills itself with SIGKILL at the `nth` time that an append comes to this point. */
  readonly crash?: { readonly at: Crashpoint; readonly nth: number };
  /** Milliseconds. */
  readonly busyTimeout?: number;
}

/** Segments of the child: of many sizes, so that commits take from one page to many. */
export const errandSegment = (index: number, what = 'events'): ReturnType<typeof segment> => ({
  ...segment(index, 4),
  bytes: Buffer.from(
    Array.from({ length: (index * 37) % 90 }, (_, i) => `${what} ${index} ${i * i * i}`).join(),
  ),
});

/** Appends, telling after each commit how many segments are acknowledged, or the code of the failure. */
function run(errand: Errand): void {
  const { file, crash, perCommit = 1, what } = errand;
  let left = crash?.nth ?? Infinity;
  const options: OpenOptions = {
    busyTimeout: errand.busyTimeout ?? 20_000,
    ...(errand.projections === true ? { projections: [seen], decode: decodeText } : {}),
    crashpoint: (at) => {
      if (at === crash?.at && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  };
  const store = must(openStore(file, options));
  const log = newTrace(store, errand.trace);
  writeSync(1, 'ready\n');
  for (let from = 0; from < errand.segments; from += perCommit) {
    const list = Array.from({ length: perCommit }, (_, i) => errandSegment(from + i, what));
    const appended = log.appendAll(list);
    writeSync(1, appended.ok ? `${from + perCommit}\n` : `${appended.error.code}\n`);
    if (!appended.ok) break;
  }
  store.close();
}

const [, , errand] = process.argv;
if (errand?.startsWith('{') === true) run(JSON.parse(errand) as Errand);
