/** What was going on when something happened: for findings and for the table of executable pages. */
import type { Event } from '../../core/event/event.js';
import { ok, type Result } from '../../core/value/failure.js';
import { circumstancesOf } from '../calls.js';
import { once } from '../found.js';
import type { TraceView } from '../log.js';
import { operationText } from '../operationText.js';

export interface Around {
  readonly seq: number;
  /** Kernel functions, innermost first; empty: outside any call. */
  readonly calls: readonly string[];
  readonly task: string;
  /** What the workload or a marker said last; null: nothing. */
  readonly operation: string | null;
}

/** Asks once for each event. */
export const arounds = (trace: TraceView): ((seq: number) => Result<Around | null>) => {
  const known = new Map<number, Around | null>();
  const index = once(() => trace.index());
  return (seq) => {
    if (seq === 0) return ok(null);
    const before = known.get(seq);
    if (before !== undefined) return ok(before);
    const event: Result<Event> = trace.event(seq);
    if (!event.ok) return event;
    const tables = index();
    if (!tables.ok) return tables;
    const found = circumstancesOf(trace, event.value, tables.value);
    if (!found.ok) return found;
    const { calls, marker } = found.value;
    const own = event.value.kind === 'entered' ? [event.value.fn] : [];
    const around = {
      seq,
      calls: [...own, ...calls.map(({ fn }) => fn)],
      task: event.value.task,
      operation: marker === null ? null : operationText(marker.text),
    };
    known.set(seq, around);
    return ok(around);
  };
};
