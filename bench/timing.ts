/** Seconds that some work took, of the wall clock. */
export const secondsOf = (work: () => unknown): number => {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
};

const ROUNDS = 3;

/** Seconds of the fastest of three rounds. */
export const fastest = (work: () => unknown): number =>
  Math.min(...Array.from({ length: ROUNDS }, () => secondsOf(work)));

/** Adds up the time of many pieces of work, with what is done between them left out. */
export class Stopwatch {
  seconds = 0;

  time<T>(work: () => T): T {
    const start = process.hrtime.bigint();
    const result = work();
    this.seconds += Number(process.hrtime.bigint() - start) / 1e9;
    return result;
  }
}

/** The value below which a share of them lies. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
};

/** The most memory that this process has had, in MB (of a million bytes). */
export const peakMegabytes = (): number => (process.resourceUsage().maxRSS * 1024) / 1e6;
