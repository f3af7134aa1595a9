/** The moment of a trace at which an oops happened. */
import type { Oops } from '../../core/oops/oops.js';
import { ok, type Result } from '../../core/value/failure.js';
import { timeText } from '../clock.js';
import type { At, TraceView } from '../log.js';

export interface OopsMoment {
  /** The event it is after. */
  readonly seq: number;
  /** How it was found, for people. */
  readonly how: string;
  /** The oops lies outside what the trace covers, or there is no common clock: what happened in between is not known. */
  readonly outside: boolean;
}

/** Console and trace clocks may differ by this much before the oops counts as later than the trace: printing takes time. */
const SLACK = 1_000_000_000n;

const clockOf = (trace: TraceView): bigint | null => {
  const { origin, source } = trace.info.meta;
  return source === 'emulation' || typeof origin !== 'string' || !/^\d+$/.test(origin)
    ? null
    : BigInt(origin);
};

/** `given`: the moment asked for; else the time of the oops on the clock of the trace, else the end. */
export const oopsMoment = (
  trace: TraceView,
  oops: Oops,
  given: At | null,
  sameText: boolean,
): Result<OopsMoment> => {
  if (given !== null) {
    const found = trace.find(given);
    return found.ok ? ok({ seq: found.value.seq, how: 'as given', outside: false }) : found;
  }
  const end = trace.info.events;
  if (sameText)
    return ok({ seq: end, how: 'the end of the trace: the kernel dumped it at the oops', outside: false });
  const origin = clockOf(trace);
  if (oops.time === null || origin === null || end === 0) {
    const why = oops.time === null ? 'the oops has no time' : 'the trace has no clock';
    return ok({ seq: end, how: `the end of the trace: ${why}`, outside: true });
  }
  const last = trace.event(end);
  if (!last.ok) return last;
  const since = oops.time - origin;
  if (since < 0n)
    return ok({ seq: 0, how: 'before the first event: the oops is older than the trace', outside: true });
  const late = since - BigInt(last.value.time);
  if (late > 0n)
    return ok({
      seq: end,
      how: `the end of the trace, ${timeText(late)} before the oops`,
      outside: late > SLACK,
    });
  const found = trace.find({ kind: 'time', ns: oops.time });
  return found.ok
    ? ok({ seq: found.value.seq, how: 'the time of the oops, on the clock of the trace', outside: false })
    : found;
};
