import type { Event } from '../../core/event/event.js';
import type { Context } from '../console/context.js';
import type { Clock } from '../../replay/clock.js';
import { eventText } from '../../replay/eventText.js';

const DEEPEST = 12;

/** Prints events one by one, what a call did indented below it. */
export interface EventPrinter {
  readonly line: (event: Event) => string;
}

/** A printer for events in order; `nested`: all events are there, so that the calls can be followed. */
export function eventPrinter(
  context: Context,
  clock: Clock,
  { nested, last }: { readonly nested: boolean; readonly last: number },
): EventPrinter {
  const { style } = context;
  const width = String(last).length;
  const depths = new Map<number, number>();
  const depthOf = (event: Event): number => {
    if (!nested) return 0;
    const own = event.kind === 'entered' || event.kind === 'returned';
    if (event.kind === 'entered') {
      const depth = Math.min(DEEPEST, (depths.get(event.call) ?? -1) + 1);
      depths.set(event.seq, depth);
      return depth;
    }
    const depth = depths.get(event.call) ?? -1;
    if (event.kind === 'returned') depths.delete(event.call);
    return Math.max(0, own ? depth : depth + 1);
  };
  const dressed = (event: Event, text: string): string => {
    switch (event.kind) {
      case 'marker':
      case 'operation':
        return style.bold(text);
      case 'gap':
      case 'divergence':
        return style.bad(text);
      case 'entered':
      case 'returned':
        return text;
      default:
        return style.name(text);
    }
  };
  return {
    line: (event) => {
      const head = `${String(event.seq).padStart(width)}  ${clock(event.time)}  ${event.cpu}  ${event.task.padEnd(16)}`;
      return `${style.dim(head)}  ${'  '.repeat(depthOf(event))}${dressed(event, eventText(event))}`;
    },
  };
}
