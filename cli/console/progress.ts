import type { Context } from './context.js';
import { width } from './style.js';

/** A line on the terminal that says how far the work is. */
export interface Progress {
  /** Says where the work is; what is shown is made only when it is due. */
  readonly at: (text: () => string) => void;
  /** Wipes the line. Call it before anything else is printed. */
  readonly end: () => void;
}

const AFTER = 1000;
const EVERY = 250;

/** Progress of work that began now: shown on a terminal only, once it has taken a second, four times a second. */
export function progress(context: Context, now: () => number = performance.now.bind(performance)): Progress {
  if (!context.showsProgress) return { at: () => {}, end: () => {} };
  const began = now();
  let due = began + AFTER;
  let shown = 0;
  const draw = (text: string): void => {
    context.toTerminal(`\r${text}${' '.repeat(Math.max(0, shown - width(text)))}`);
    shown = width(text);
  };
  return {
    at: (text) => {
      if (now() < due) return;
      due = now() + EVERY;
      draw(text());
    },
    end: () => {
      if (shown > 0) context.toTerminal(`\r${' '.repeat(shown)}\r`);
      shown = 0;
    },
  };
}
