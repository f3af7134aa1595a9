/** Choices that the surroundings of a kernel make, and that a search makes in turn. */
import type { Workload, WorkloadOperation } from '../../workload/workload.js';
import type { Backing } from '../emulate/policies.js';

/** The domains are finite, and have names. */
export const DOMAINS = Object.freeze({
  /** How the frames behind an area lie. */
  frames: ['scattered', 'contiguous'],
  /** When deferred frees run: where the workload says, at once after the operation that put them off, or all at the end. */
  frees: ['declared', 'now', 'end'],
  /** What was there before the first operation: as the workload says, or nothing. */
  boot: ['declared', 'fresh'],
} as const);

export interface Variant {
  readonly frames: Backing;
  readonly frees: (typeof DOMAINS.frees)[number];
  readonly boot: (typeof DOMAINS.boot)[number];
}

/** All of them, the one that the workload declares first; `fixed`: only those with these choices. */
export const variantsOf = (workload: Workload, fixed: Partial<Variant> = {}): readonly Variant[] => {
  const boots = workload.boot === undefined ? (['declared'] as const) : DOMAINS.boot;
  return boots
    .flatMap((boot) =>
      DOMAINS.frees.flatMap((frees) => DOMAINS.frames.map((frames): Variant => ({ frames, frees, boot }))),
    )
    .filter(
      (one) =>
        one.frames === (fixed.frames ?? one.frames) &&
        one.frees === (fixed.frees ?? one.frees) &&
        one.boot === (fixed.boot ?? one.boot),
    );
};

/** What puts work off. */
const PUTS_OFF = new Set<WorkloadOperation['op']>(['close', 'detach_classic', 'attach_classic', 'load']);

const withFrees = (operations: readonly WorkloadOperation[], when: Variant['frees']): WorkloadOperation[] => {
  if (when === 'declared') return [...operations];
  const kept = operations
    .filter(({ op }) => op !== 'free' && op !== 'settle')
    .map((one): WorkloadOperation => (one.op === 'load' ? Object.assign({}, one, { during: [] }) : one));
  if (when === 'end') return [...kept, { op: 'settle' }];
  return kept.flatMap((one): WorkloadOperation[] => (PUTS_OFF.has(one.op) ? [one, { op: 'settle' }] : [one]));
};

/** The workload as a variant has it: all that it declares is in the operations, but not how frames lie. */
export const workloadOf = (workload: Workload, { frees, boot }: Variant): Workload => {
  const { boot: before, ...rest } = workload;
  const operations = withFrees(workload.operations, frees);
  return before === undefined || boot === 'fresh'
    ? { ...rest, operations }
    : { ...rest, boot: before, operations };
};
