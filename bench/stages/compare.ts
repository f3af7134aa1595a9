import { compareLongTraces } from '../../replay/compareLongTraces.js';
import { openLog } from '../../replay/log.js';
import { must, PAIR } from '../log.js';
import { peakMegabytes, secondsOf } from '../timing.js';

export interface CompareOutput {
  /** Of both traces together. */
  readonly events: number;
  /** Seconds for the whole comparison. */
  readonly seconds: number;
  /** The same for reading and decoding both logs. */
  readonly reading: number;
  readonly peakMegabytes: number;
}

/** Compares the two traces of a pair, once: what it must find are the two things by which their kernels differ. */
export const compare = async ({ log: file }: { readonly log: string }): Promise<CompareOutput> => {
  const log = must(openLog(file));
  const [a, b] = [must(log.trace(PAIR[0])), must(log.trace(PAIR[1]))];
  const reading = secondsOf(() => {
    for (const trace of [a, b]) for (const batch of trace.batches()) must(batch);
  });
  const start = process.hrtime.bigint();
  const { kinds } = must(await compareLongTraces(file, a, b));
  const comparing = Number(process.hrtime.bigint() - start) / 1e9;
  const found = kinds.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  if (found !== 'fill jit_fill_hole, fill bpf_arch_text_invalidate')
    throw new Error(`the comparison found ${found}`);
  const events = a.info.events + b.info.events;
  log.close();
  return { events, seconds: comparing, reading, peakMegabytes: peakMegabytes() };
};
