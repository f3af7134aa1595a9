import type { Event } from '../../core/event/event.js';
import { Address } from '../../core/value/address.js';
import { COLUMNS, rowOf } from './columns.js';
import { gathered, type ExportWriter } from './exportWriter.js';

/** RFC 4180 §2: quotes around what holds a separator, a quote or a line end; quotes doubled. */
const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function line(event: Event): string {
  const { fn, address, bytes, detail, ...row } = rowOf(event);
  const rest = [
    fn === null ? '' : field(fn),
    address === null ? '' : Address.toText(address),
    bytes === null ? '' : String(bytes),
    field(detail),
  ];
  const first = [row.seq, row.time_ns, row.cpu, field(row.task), row.call, row.origin, field(row.kind)];
  return `${first.join(',')},${rest.join(',')}\r\n`;
}

function* lines(events: readonly Event[]): Generator<string> {
  for (const event of events) yield line(event);
}

/** Comma-separated values (RFC 4180): a line of names, a line an event, ended by CR LF; what an event does not say is empty. */
export const csv = (): ExportWriter => ({
  begin: () => [`${COLUMNS.join(',')}\r\n`],
  add: (events) => gathered(lines(events)),
  end: () => [],
});
