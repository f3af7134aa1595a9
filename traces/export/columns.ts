import { extentOf } from '../../core/codec/extent.js';
import { payloadJson } from '../../core/codec/json.js';
import type { Event } from '../../core/event/event.js';
import { ORIGINS } from '../../core/event/kind.js';
import type { Address } from '../../core/value/address.js';

/** Columns of the table that CSV and Parquet hold: those of `event()` in SQL, with unsigned addresses. */
export const COLUMNS = [
  'seq',
  'time_ns',
  'cpu',
  'task',
  'call',
  'origin',
  'kind',
  'fn',
  'address',
  'bytes',
  'detail',
] as const;
export type Column = (typeof COLUMNS)[number];

/** An event as a row. Null: the event does not say. */
export interface EventRow {
  readonly seq: number;
  readonly time_ns: number;
  readonly cpu: number;
  readonly task: string;
  readonly call: number;
  readonly origin: string;
  readonly kind: string;
  readonly fn: string | null;
  readonly address: Address | null;
  readonly bytes: number | null;
  /** The fields of the kind as JSON. */
  readonly detail: string;
}

export function rowOf(event: Event): EventRow {
  const extent = extentOf(event);
  const bytes = extent?.bytes ?? null;
  return {
    seq: event.seq,
    time_ns: event.time,
    cpu: event.cpu,
    task: event.task,
    call: event.call,
    origin: ORIGINS[event.origin],
    kind: event.kind,
    fn: 'fn' in event ? event.fn : null,
    address: extent?.address ?? null,
    bytes: bytes !== null && Number.isSafeInteger(bytes) ? bytes : null,
    detail: JSON.stringify(payloadJson(event)),
  };
}
