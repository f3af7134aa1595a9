import type { Event } from '../event/event.js';
import { ORIGINS } from '../event/kind.js';
import { Address } from '../value/address.js';
import { extentOf } from './extent.js';
import { payloadJson } from './json.js';

/** What SQLite keeps as it is. Integers are bigints: better-sqlite3 makes REAL of every number. */
export type SqlValue = bigint | string | null;

/** Columns of the table function `event(trace, from, to)`, in order, with what they hold. */
export const EVENT_COLUMNS = [
  { name: 'seq', doc: 'number in the trace' },
  { name: 'time_ns', doc: 'nanoseconds since the first event of the trace' },
  { name: 'cpu', doc: 'processor' },
  { name: 'task', doc: 'comm-pid, or empty' },
  { name: 'call', doc: 'seq of the enclosing call, 0 outside any' },
  { name: 'origin', doc: 'observed, derived or assumed' },
  { name: 'kind', doc: 'kind of event' },
  { name: 'fn', doc: 'kernel function, where the event names one' },
  { name: 'address', doc: 'first virtual address the event is about, as a signed 64-bit integer' },
  { name: 'bytes', doc: 'how many bytes from there, where the event says' },
  { name: 'detail', doc: 'the fields of the kind as JSON' },
] as const;

/** A 64-bit address as SQLite has it: signed, so that the kernel half is negative. */
export const sqlAddress = (address: Address): bigint => BigInt.asIntN(64, Address.toBigInt(address));

/** The event as a row of EVENT_COLUMNS. */
export function eventRow(event: Event): SqlValue[] {
  const extent = extentOf(event);
  const bytes = extent?.bytes ?? null;
  return [
    BigInt(event.seq),
    BigInt(event.time),
    BigInt(event.cpu),
    event.task,
    BigInt(event.call),
    ORIGINS[event.origin],
    event.kind,
    'fn' in event ? event.fn : null,
    extent === null ? null : sqlAddress(extent.address),
    Number.isSafeInteger(bytes) ? BigInt(bytes as number) : null,
    JSON.stringify(payloadJson(event)),
  ];
}
