/** Makes a workload that breaks a rule smaller, as long as it still does. */
import type { Workload, WorkloadOperation } from '../../workload/workload.js';
import type { Fault } from '../emulate/faults.js';

export interface Shrinkable {
  readonly workload: Workload;
  readonly faults: readonly Fault[];
}

/** The program that an operation is about, where it names one. */
const programOf = (operations: readonly WorkloadOperation[], index: number): string | null => {
  const operation = operations[index] as WorkloadOperation;
  if ('program' in operation) return operation.program;
  const slot = operation.op === 'close' ? operation.slot : null;
  const socket = operation.op === 'detach_classic' ? operation.socket : null;
  if (slot === null && socket === null) return null;
  for (let i = index - 1; i >= 0; i--) {
    const before = operations[i] as WorkloadOperation;
    if (slot !== null && before.op === 'load' && before.slot === slot) return before.program;
    if (socket !== null && before.op === 'attach_classic' && before.socket === socket) return before.program;
  }
  return null;
};

/** Without some operations (by index); null where a fault lies in one of them. */
const without = ({ workload, faults }: Shrinkable, dropped: ReadonlySet<number>): Shrinkable | null => {
  if (faults.some(({ from }) => dropped.has(from - 1))) return null;
  const before = (operation: number): number => [...dropped].filter((index) => index < operation - 1).length;
  return {
    workload: { ...workload, operations: workload.operations.filter((_, i) => !dropped.has(i)) },
    faults: faults.map((fault) => ({ ...fault, from: fault.from - before(fault.from) })),
  };
};

/**
 * Drops operations at the end, then programs, then single operations, then faults. `breaks` is asked of each smaller one; what is not a workload at all
 * it is to deny.
 */
export const minimise = (start: Shrinkable, breaks: (smaller: Shrinkable) => boolean): Shrinkable => {
  let best = start;
  const attempt = (smaller: Shrinkable | null): boolean => {
    if (smaller === null || !breaks(smaller)) return false;
    best = smaller;
    return true;
  };
  // Cut at the end: halves, then one by one.
  for (let step = Math.max(1, best.workload.operations.length >> 1); step >= 1;) {
    const { length } = best.workload.operations;
    const tail = new Set(Array.from({ length: Math.min(step, length) }, (_, i) => length - 1 - i));
    if (tail.size === 0 || !attempt(without(best, tail))) step = step === 1 ? 0 : step >> 1;
  }
  for (let again = true; again;) {
    again = false;
    const { operations } = best.workload;
    const programs = [...new Set(operations.map((_, i) => programOf(operations, i)))].filter(
      (one) => one !== null,
    );
    for (const program of programs.reverse()) {
      const now = best.workload.operations;
      const own = new Set(now.flatMap((_, i) => (programOf(now, i) === program ? [i] : [])));
      if (own.size > 0 && attempt(without(best, own))) again = true;
    }
    for (let i = best.workload.operations.length - 1; i >= 0; i--)
      if (i < best.workload.operations.length && attempt(without(best, new Set([i])))) again = true;
    for (let i = best.faults.length - 1; i >= 0; i--)
      if (attempt({ ...best, faults: best.faults.filter((_, j) => j !== i) })) again = true;
  }
  return best;
};
