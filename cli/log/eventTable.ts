import { decodeSegment } from '../../core/codec/decode.js';
import { EVENT_COLUMNS, eventRow, type SqlValue } from '../../core/codec/sql.js';
import type { EventTable, Segment } from '../../store/index.js';

/** Events as SQL sees them: joins the store, which reads segments, and the codec, which knows what they hold. */
export const eventTable: EventTable = {
  columns: EVENT_COLUMNS.map(({ name }) => name),
  *rows(segment: Segment, from: number, to: number): Generator<readonly SqlValue[]> {
    const events = decodeSegment(segment.bytes);
    if (!events.ok) throw new Error(`${events.error.what} (segment of event ${segment.first})`);
    for (const event of events.value) if (event.seq >= from && event.seq <= to) yield eventRow(event);
  },
};
