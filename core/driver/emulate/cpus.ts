import type { Runner } from './machine.js';

/** Who runs the operations of one CPU, and what is put off there. */
export interface Cpu {
  readonly number: number;
  /** The task whose system calls these are. */
  readonly loader: Runner;
  /** Where deferred work runs. */
  readonly worker: Runner;
}

export const cpuOf = (number: number): Cpu => ({
  number,
  loader: { task: `workload-${100 + number}`, cpu: number },
  worker: { task: `kworker/${number}:1-${20 + number}`, cpu: number },
});
