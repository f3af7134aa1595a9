import { eventJson } from '../../core/codec/json.js';
import type { Event } from '../../core/event/event.js';
import { gathered, type ExportWriter } from './exportWriter.js';

function* lines(events: readonly Event[]): Generator<string> {
  for (const event of events) yield `${JSON.stringify(eventJson(event))}\n`;
}

/** JSON Lines (https://jsonlines.org): one event a line. */
export const jsonl = (): ExportWriter => ({
  begin: () => [],
  add: (events) => gathered(lines(events)),
  end: () => [],
});
