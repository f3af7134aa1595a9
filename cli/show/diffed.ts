import type { Memory } from '../../core/memory/memory.js';
import type { Moment, TraceView } from '../../replay/log.js';
import { missingLines } from '../../replay/missing.js';
import { shownDiff, type ShownDiff } from '../../replay/shownDiff.js';
import { unknownRanges } from '../../replay/unknown.js';
import { ok, type Result } from '../../core/value/failure.js';
import { Exit } from '../program/exit.js';

/** Two moments and what differs from the one to the other. */
export interface DiffOfStates {
  readonly from: Moment;
  readonly to: Moment;
  readonly diff: ShownDiff;
  /** Events were lost between them or nobody knows where, or something that matters is unknown at one of them: no difference is no proof then. */
  readonly open: boolean;
}

const isOpen = (a: Memory, b: Memory): boolean =>
  a.lost !== b.lost || unknownRanges(a).length > 0 || unknownRanges(b).length > 0;

/** What differs between two moments. Physical addresses count within one trace only: another boot has other frames. */
export function diffOfStates(
  a: { readonly trace: TraceView; readonly moment: Moment },
  b: { readonly trace: TraceView; readonly moment: Moment },
): Result<DiffOfStates> {
  const from = a.trace.at(a.moment.seq);
  if (!from.ok) return from;
  const to = b.trace.at(b.moment.seq);
  if (!to.ok) return to;
  const physical = a.trace.name === b.trace.name;
  return ok({
    from: a.moment,
    to: b.moment,
    diff: shownDiff(from.value, to.value, { physical }),
    open: isOpen(from.value, to.value) || missingLines(a.trace) !== null || missingLines(b.trace) !== null,
  });
}

export const exitOfDiff = ({ diff, open }: DiffOfStates): Exit =>
  diff.differences > 0 ? Exit.findings : open ? Exit.unknown : Exit.nothing;
