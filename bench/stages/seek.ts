import { evolveAll } from '../../core/memory/evolve.js';
import type { Event } from '../../core/event/event.js';
import { random } from '../../core/value/random.js';
import { cursorOn } from '../../replay/cursor.js';
import { openLog } from '../../replay/log.js';
import { must, TRACES } from '../log.js';
import { peakMegabytes, percentile, secondsOf } from '../timing.js';

export interface SeekInput {
  readonly log: string;
  readonly seeks: number;
}

/** Milliseconds. */
export interface SeekOutput {
  readonly p50: number;
  readonly p99: number;
  /** To the middle of the log by folding from its start, what changes memory only. */
  readonly fromStart: number;
  readonly step: number;
  readonly stepP99: number;
  readonly back: number;
  readonly backP99: number;
  readonly peakMegabytes: number;
}

/** For each seek. */
const STEPS = 8;
/** Taken before any is counted, likewise. */
const WARM = 4;

const mean = (values: readonly number[]): number => values.reduce((sum, ms) => sum + ms, 0) / values.length;

const milliseconds = (work: () => unknown): number => secondsOf(work) * 1e3;

/** Random moments of a log, and single steps forward and back from one. */
export const seek = ({ log: file, seeks }: SeekInput): SeekOutput => {
  const log = must(openLog(file));
  const trace = must(log.trace(TRACES[0]));
  const { events } = trace.info;
  const moments = random(1);
  const anywhere = (): number => moments.below(events + 1);
  for (let i = 0; i < seeks / 10; i++) must(trace.at(anywhere()));
  const times = Array.from({ length: seeks }, () => {
    const seq = anywhere();
    return milliseconds(() => must(trace.at(seq)));
  });
  const middle = Math.floor(events / 2);
  const fromStart = milliseconds(() => {
    let memory = must(trace.start());
    for (const batch of trace.batches({ from: 0, to: middle, kinds: 'changesMemory' }))
      memory = evolveAll(memory, must(batch) as readonly Event[]);
  });
  const cursor = must(cursorOn(trace, middle));
  const walk = (move: () => unknown): readonly number[] =>
    Array.from({ length: (WARM + STEPS) * seeks }, () => milliseconds(move)).slice(WARM * seeks);
  const forward = walk(() => must(cursor.step()));
  const backward = walk(() => must(cursor.back()));
  cursor.close();
  log.close();
  return {
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    fromStart,
    step: mean(forward),
    stepP99: percentile(forward, 0.99),
    back: mean(backward),
    backP99: percentile(backward, 0.99),
    peakMegabytes: peakMegabytes(),
  };
};
