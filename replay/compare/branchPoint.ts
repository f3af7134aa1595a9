import type { TraceView } from '../log.js';

/**
 * The moment of the one trace at which the other one, which went on from its memory and not from its log, begins (`branch` from a recording); 0: from the
 * first event. What was before is in one of them only, and nothing to compare.
 */
export const branchPoint = (of: TraceView, other: TraceView): number => {
  const { began_as: begun, branched_from: from } = other.info.meta;
  if (begun !== 'recording' || typeof from !== 'object' || from === null) return 0;
  const { trace, seq, root } = from as { trace?: unknown; seq?: unknown; root?: unknown };
  return trace === of.name && root === of.info.root && typeof seq === 'number' ? seq : 0;
};
