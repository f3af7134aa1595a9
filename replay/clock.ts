const NS = 1_000_000_000n;

/** The clock of a trace as its recording printed it; an emulation begins at 0. */
export type Clock = (time: number) => string;

/** A time as it is written in a moment: `6.817776s`. More digits than six only where they say something. */
export const timeText = (ns: bigint): string => {
  const sign = ns < 0n ? '-' : '';
  const all = ns < 0n ? -ns : ns;
  const rest = String(all % NS).padStart(9, '0');
  return `${sign}${all / NS}.${rest.endsWith('000') ? rest.slice(0, 6) : rest}s`;
};

/** Times of a trace by the clock of its recording. */
export const clockOf = ({ origin }: { readonly origin: bigint | null }): Clock => {
  const start = origin ?? 0n;
  return (time) => timeText(start + BigInt(Math.trunc(time)));
};
