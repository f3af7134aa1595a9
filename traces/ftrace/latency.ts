/**
 * Lines of ftrace in the latency format, in which the kernel prints the buffer to the console, and `trace` when `options/latency-format` is set:
 *
 *     workload-85        0.....  7341731us : bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000
 *
 * and with `options/verbose`: task, pid, CPU, flags, preemption depth, number, the clock in hex, time, time to the next event.
 *
 *             workload      85   0 0 00000000 00000017 [0070067d] 7341.731ms (+0.012ms): bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000
 */

/** Marks of the delay to the next event stand between the time and its colon; a clock that counts has no unit. */
const PLAIN =
  /^\s*(\S.{0,15}?)-(\d{1,10})\s+(\d{1,6})([dDbX.][A-Za-z.][A-Za-z.][0-9a-f.]{0,4})\s+(-?\d+)(us[ $@*#!+]?)?:\s(.*)$/;
const VERBOSE =
  /^\s*(\S.{0,15}?)\s+(\d{1,10})\s+(\d{1,6}) \d+ [0-9a-f]{8} [0-9a-f]{8} \[[0-9a-f]{8,16}\] (-?\d+)(?:\.(\d{3})ms)? \(\+?-?\d+(?:\.-?\d+ms)?\): (.*)$/;

export interface LatencyLine {
  readonly task: string;
  readonly pid: string;
  readonly cpu: string;
  /** Dots where the line has them in another form. */
  readonly flags: string;
  /** Microseconds, or a count of the clock. */
  readonly time: string;
  readonly counts: boolean;
  readonly body: string;
}

/** Null: it is no such line. */
export const latencyLine = (text: string): LatencyLine | null => {
  const plain = PLAIN.exec(text);
  if (plain !== null) {
    const [, task = '', pid = '', cpu = '', flags = '', time = '', unit, body = ''] = plain;
    return { task, pid, cpu, flags, time, counts: unit === undefined, body };
  }
  const verbose = VERBOSE.exec(text);
  if (verbose === null) return null;
  const [, task = '', pid = '', cpu = '', whole = '', part, body = ''] = verbose;
  const time = part === undefined ? whole : `${whole}${part}`.replace(/^(-?)0+(?=\d)/, '$1');
  return { task, pid, cpu, flags: '.....', time, counts: part === undefined, body };
};

export const isVerbose = (text: string): boolean => VERBOSE.test(text);
