/** What a comparison and the threads that read its traces say to each other. */
import type { Failure } from '../../core/value/failure.js';
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

/** What a thread says: first which calls its trace shows; when it knows those of the other, batches and at last null. */
export type Said =
  | { readonly said: 'shown'; readonly shown: Shown }
  | { readonly said: 'batch'; readonly batch: Batch | null }
  | { readonly said: 'failure'; readonly failure: Failure };

/** So many batches a thread may be ahead. */
export const AHEAD = 12;
