import { momentText, type Moment, type TraceView } from '../../replay/log.js';
import { ok, type Result } from '../../core/value/failure.js';
import { clockOf } from './time.js';

/** `S1@509 (event 509 of 509, 7.906123s)`: where one is. */
export function placeText(trace: TraceView, moment: Moment): Result<string> {
  const { events } = trace.info;
  if (moment.seq === 0) return ok(`${momentText(moment)}: before the first event of ${events}`);
  const event = trace.event(moment.seq);
  if (!event.ok) return event;
  return ok(
    `${momentText(moment)}: after event ${moment.seq} of ${events}, ${clockOf(trace)(event.value.time)}`,
  );
}
