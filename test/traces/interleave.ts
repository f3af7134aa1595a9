import { randomOf } from '../models/random.js';
import type { SyntheticLine } from './synthetic.js';

/** Lines of one task without a break. */
const runsOf = (lines: readonly SyntheticLine[]): SyntheticLine[][] => {
  const runs: SyntheticLine[][] = [];
  for (const line of lines) {
    const last = runs.at(-1);
    if (last !== undefined && last[0]?.pid === line.pid) last.push(line);
    else runs.push([line]);
  }
  return runs;
};

/** Up to the line at which a load begins to wait for pack_mutex; null where it is no load that gets so far. */
const headOf = (lines: readonly SyntheticLine[]): number | null => {
  const [first] = lines;
  if (first?.kind !== 'call' || first.fn !== 'bpf_int_jit_compile' || first.isReturn) return null;
  const at = lines.findIndex(
    (line) => line.kind === 'call' && line.fn === 'bpf_prog_pack_alloc' && !line.isReturn,
  );
  const end = lines.findIndex(
    (line) => line.kind === 'call' && line.fn === 'bpf_int_jit_compile' && line.isReturn,
  );
  return at >= 0 && at < end ? at + 1 : null;
};

/** Behind the line at which the last free of a run has let go of pack_mutex. */
const tailOf = (lines: readonly SyntheticLine[]): number => {
  const at = lines.findLastIndex((line) => line.kind === 'call' && line.fn === 'bpf_prog_pack_free');
  return at < 0 ? lines.length : at + 1;
};

/**
 * The same work on two processors: a load that waits for the lock stands among the lines of the frees before it, and what a free does after it has let go of
 * the lock among those of the load. Effects keep their order, and so do the times.
 */
export const interleaved = (lines: readonly SyntheticLine[], seed: number): SyntheticLine[] => {
  const random = randomOf(seed);
  const out: SyntheticLine[] = [];
  const mix = (a: readonly SyntheticLine[], b: readonly SyntheticLine[]): void => {
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
      const first = j >= b.length || (i < a.length && random(2) === 0);
      out.push((first ? a[i++] : b[j++]) as SyntheticLine);
    }
  };
  const runs = runsOf(lines);
  for (let i = 0; i < runs.length; i++) {
    const run = runs[i] as SyntheticLine[];
    const next = runs[i + 1];
    const head = next === undefined || run[0]?.task.startsWith('kworker') !== true ? null : headOf(next);
    if (head === null || next === undefined) {
      out.push(...run);
      continue;
    }
    const tail = tailOf(run);
    mix(run.slice(0, tail), next.slice(0, head));
    mix(run.slice(tail), next.slice(head));
    i++;
  }
  const times = lines.map(({ time }) => time);
  return out.map((line, i) =>
    Object.assign({}, line, { time: times[i], cpu: line.task.startsWith('kworker') ? 1 : 0 }),
  );
};
