import { chainText, changeLines, eventHead, markerText } from '../../replay/historyLines.js';
import type { HistoryItem } from '../../replay/history.js';
import type { Context } from '../console/context.js';
import type { Clock } from '../../replay/clock.js';

/** One change: when and who, what, by which calls, after which marker. */
export function changeText(context: Context, clock: Clock, item: HistoryItem): readonly string[] {
  const { event } = item;
  const { style } = context;
  const head = eventHead(event, clock);
  const markers = markerText(item);
  return [
    style.bold(head),
    ...changeLines(item).map((line) => `    ${line}`),
    style.dim(`    in ${chainText(item.calls)}${markers === '' ? '' : `, after marker ${markers}`}`),
  ];
}
