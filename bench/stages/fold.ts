import { last, scan } from 'rxjs';
import type { Event } from '../../core/event/event.js';
import { evolve, evolveAll } from '../../core/memory/evolve.js';
import { encodeMemory } from '../../core/memory/snapshot.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { openLog, type BatchOptions, type TraceView } from '../../replay/log.js';
import { eventsOf } from '../../replay/stream.js';
import { must, TRACES } from '../log.js';
import { fastest, peakMegabytes } from '../timing.js';

export interface FoldInput {
  readonly log: string;
  readonly way: 'every event' | 'changes memory' | 'one by one';
}

export interface FoldOutput {
  /** Events of the log (not only those that are decoded) a second. */
  readonly eventsPerSecond: number;
  /** The same without the fold: reading and decoding only. */
  readonly decodedPerSecond: number;
  readonly peakMegabytes: number;
}

const foldBatches = (trace: TraceView, options: BatchOptions): Memory => {
  let memory = nothing;
  for (const batch of trace.batches(options)) memory = evolveAll(memory, must(batch));
  return memory;
};

const readBatches = (trace: TraceView, options: BatchOptions): number => {
  let events = 0;
  for (const batch of trace.batches(options)) events += must(batch).length;
  return events;
};

const foldStream = (trace: TraceView): Memory => {
  let end: Memory = nothing;
  eventsOf(trace)
    .pipe(scan(evolve, nothing), last())
    .subscribe((memory) => {
      end = memory;
    });
  return end;
};

const readStream = (trace: TraceView): Event | null => {
  let end: Event | null = null;
  eventsOf(trace)
    .pipe(last())
    .subscribe((event) => {
      end = event;
    });
  return end;
};

/** All traces of a log, from the file to memory at their ends; each must be what the log's own seek says. */
export const fold = ({ log: file, way }: FoldInput): FoldOutput => {
  const log = must(openLog(file));
  const options: BatchOptions = way === 'changes memory' ? { kinds: 'changesMemory' } : {};
  let events = 0;
  let folding = 0;
  let reading = 0;
  for (const name of TRACES) {
    const trace = must(log.trace(name));
    events += trace.info.events;
    let end: Memory = nothing;
    folding += fastest(() => {
      end = way === 'one by one' ? foldStream(trace) : foldBatches(trace, options);
    });
    reading += fastest(() => (way === 'one by one' ? readStream(trace) : readBatches(trace, options)));
    const { seq, time } = must(trace.at('end'));
    const wanted = encodeMemory(must(trace.at('end')));
    if (Buffer.compare(encodeMemory({ ...end, seq, time }), wanted) !== 0)
      throw new Error(`folding ${name} gives another memory than seeking its end`);
  }
  log.close();
  return {
    eventsPerSecond: events / folding,
    decodedPerSecond: events / reading,
    peakMegabytes: peakMegabytes(),
  };
};
