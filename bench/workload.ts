import { random, textHash, type Random } from '../core/value/random.js';
import type { Workload, WorkloadFunction, WorkloadOperation } from '../core/workload/workload.js';

export interface ChurnOptions {
  readonly name: string;
  readonly seed: number;
  /** Operations, at least. */
  readonly operations: number;
  /** Programs that are live once the first wave has come in. */
  readonly live: number;
}

/** In hundredths of all loads. */
const SEVERAL_FUNCTIONS = 8;
const CLASSIC = 5;
const LARGE = 2;
const BLINDED = 3;
/** Classic filters sit on so many sockets. */
const SOCKETS = 64;
/** From time to time most programs go, so that packs are given back and made again. */
const WAVE = 24_000;
const EBB = 0.4;

/** Lengths as the recordings of 6.1 have them: 16 to 1,000 instructions, few of them long, at four bytes and a bit each; one in fifty up to 16 KiB. */
const imageOf = (to: Random): WorkloadFunction => {
  const large = to.below(100) < LARGE;
  const insns = large ? 1000 + to.below(3000) : Math.round(16 * 62.5 ** (to.below(10_000) / 10_000));
  const code = 13 + insns * 4 + to.below(24);
  return { image: code + to.below(4), code, insns, tail_calls: [] };
};

/** Programs come and go: loads and closes at random once `live` of them are there, frees a little later and in their own order. */
function* operationsOf({ seed, live }: ChurnOptions): Generator<WorkloadOperation> {
  const to = random(seed);
  const open: number[] = [];
  const free: number[] = [];
  let slots = 0;
  let wanted = live;
  for (let i = 1; ; i++) {
    if (i % WAVE === 0) wanted = Math.floor(live * EBB);
    else if (open.length <= wanted) wanted = live;
    const load = wanted === live && (open.length < live ? to.below(10) > 0 : to.below(2) === 0);
    if (load && to.below(100) < CLASSIC) {
      const socket = to.below(SOCKETS);
      const filter = imageOf(to);
      yield {
        op: 'attach_classic',
        program: `f${i}`,
        socket,
        insns: filter.insns ?? 0,
        capable: true,
        functions: [filter],
      };
    } else if (load) {
      const slot = free.pop() ?? slots++;
      const several = to.below(100) < SEVERAL_FUNCTIONS;
      const functions = Array.from({ length: several ? 2 + to.below(3) : 1 }, () => imageOf(to));
      open.push(slot);
      yield {
        op: 'load',
        program: `p${i}`,
        slot,
        type: to.below(3) === 0 ? 'xdp' : 'socket_filter',
        insns: functions.reduce((sum, fn) => sum + (fn.insns ?? 0), 0),
        tag: textHash(`p${i}`),
        capable: true,
        blinded: to.below(100) < BLINDED,
        functions,
        during: [],
      };
    } else if (open.length > 0) {
      const at = to.below(open.length);
      const slot = open[at] as number;
      open[at] = open.at(-1) as number;
      open.pop();
      free.push(slot);
      yield { op: 'close', slot };
    }
    if (to.below(3) === 0) yield { op: 'settle' };
    if (i % 1000 === 0) yield { op: 'marker', text: `phase: after${i}` };
  }
}

/** Loads and closes of programs, the same for the same options. */
export const churnWorkload = (options: ChurnOptions): Workload => {
  const operations: WorkloadOperation[] = [];
  for (const operation of operationsOf(options)) {
    operations.push(operation);
    if (operations.length >= options.operations) break;
  }
  return { pagetrail_workload: 1, name: options.name, operations };
};
