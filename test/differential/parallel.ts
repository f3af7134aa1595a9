import { Worker } from 'node:worker_threads';
import type { Differential } from './differential.js';

const one = (first: number, count: number): Promise<Differential> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { first, count } });
    worker.once('message', resolve);
    worker.once('error', reject);
  });

/** The same as `differential`, on several threads. */
export const parallel = async (first: number, count: number, threads: number): Promise<Differential> => {
  const share = Math.ceil(count / threads);
  const parts: Promise<Differential>[] = [];
  for (let from = 0; from < count; from += share)
    parts.push(one(first + from, Math.min(share, count - from)));
  const done = await Promise.all(parts);
  const by: Record<string, number> = {};
  for (const part of done)
    for (const [arch, runs] of Object.entries(part.by)) by[arch] = (by[arch] ?? 0) + runs;
  return {
    runs: done.reduce((sum, { runs }) => sum + runs, 0),
    operations: done.reduce((sum, { operations }) => sum + operations, 0),
    differences: done.flatMap(({ differences }) => differences),
    by,
  };
};
