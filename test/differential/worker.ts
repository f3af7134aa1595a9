import { parentPort, workerData } from 'node:worker_threads';
import { differential } from './differential.js';

const { first, count } = workerData as { readonly first: number; readonly count: number };
parentPort?.postMessage(differential(first, count), []);
