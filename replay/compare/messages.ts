/** What a comparison and the threads that read its traces say to each other. */
import type { Failure } from '../../core/value/failure.js';
import type { Learned } from './reader.js';
import type { Batch } from './recorded.js';
import type { Shown } from './shown.js';

/** What a thread is started with. */
export interface Task {
  /** Path of the log. */
  readonly file: string;
  readonly trace: string;
  /** How many batches were taken from the thread: it waits when it is too far ahead. */
  readonly taken: Int32Array<SharedArrayBuffer>;
}

/** What a thread is told to do: to read its trace, going by what both show. */
export interface Order {
  readonly own: Shown;
  readonly other: Shown;
}

/** What a thread says: first which calls the beginning of its trace shows; then, for each order, batches, and at last what it has learned. */
export type Said =
  | { readonly said: 'shown'; readonly shown: Shown }
  | { readonly said: 'batch'; readonly batch: Batch }
  | { readonly said: 'learned'; readonly learned: Learned }
  | { readonly said: 'failure'; readonly failure: Failure };

/** So many batches a thread may be ahead. */
export const AHEAD = 12;
