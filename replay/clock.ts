import type { TraceView } from './log.js';

const NS = 1_000_000_000n;

/** The clock of a trace as its recording printed it; an emulation begins at 0. */
export type Clock = (time: number) => string;

/** Times of a trace as they are written in a moment: `6.817776s`. More digits than six only where they say something. */
export function clockOf({ origin }: Pick<TraceView, 'origin'>): Clock {
  const start = origin ?? 0n;
  return (time) => {
    const ns = start + BigInt(Math.trunc(time));
    const sign = ns < 0n ? '-' : '';
    const all = ns < 0n ? -ns : ns;
    const rest = String(all % NS).padStart(9, '0');
    return `${sign}${all / NS}.${rest.endsWith('000') ? rest.slice(0, 6) : rest}s`;
  };
}
