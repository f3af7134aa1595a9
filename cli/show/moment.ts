import { momentText, type Moment, type TraceView } from '../../replay/log.js';
import { ok, type Result } from '../../core/value/failure.js';
import { clockOf } from '../../replay/clock.js';

/** `S1@242: after event 242 of 509, 7.891630s, 6.1.0-50-cloud-amd64 x86_64`: where one is. */
export function placeText(trace: TraceView, moment: Moment): Result<string> {
  const { events } = trace.info;
  const kernel = [trace.kernel, trace.arch].filter((part) => part !== null).join(' ');
  if (moment.seq === 0) return ok(`${momentText(moment)}: before the first event of ${events}, ${kernel}`);
  const event = trace.event(moment.seq);
  if (!event.ok) return event;
  const time = clockOf(trace)(event.value.time);
  return ok(`${momentText(moment)}: after event ${moment.seq} of ${events}, ${time}, ${kernel}`);
}
