/**
 * Lines of other programs, as the lines of ftrace that say the same:
 *
 *     load  1134 [000]    38.008855: pagetrail:bpf_prog_pack_alloc: (ffffffff811f2c90) size=64          perf script
 *     load  1134 [000]    38.008878: probe:bpf_prog_pack_alloc__return: (ffffffff811f2c90 <- ffffffff811f6fcd) ret=0xffffffffc023a640
 *     load  1134 [000]    38.009200: PERF_RECORD_KSYMBOL addr ffffffffc0204ae8 len 100 type 1 flags 0x0 name bpf_prog_a
 *     load-1134  [000]    38.008855: bpf_prog_pack_alloc:  __probe_ip=0xffffffff811f2c90 size=64         trace-cmd report -R
 *
 * Fields of a raw report: a probe's place is `__probe_ip`, a return's `__probe_func` and `__probe_ret_ip`.
 */

/** comm, tid (or pid/tid), cpu, time, optional period, then the event. The command name may hold spaces. */
const PERF =
  /^\s*(\S.{0,31}?)\s+(-?\d+)(?:\/(-?\d+))?\s+\[(\d{3,6})\](?:\s+\S{1,8})?\s+(\d+\.\d{6,9}):\s+(?:\d+\s+)?(?:([\w-]+):([\w.]+):|(PERF_RECORD_\w+))\s*(.*)$/;
const RETURN = /__return$/;

/** `PERF_RECORD_LOST lost 12`. */
const PERF_LOST = /^lost (\d{1,15})\b/;

export type Foreign =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'lost'; readonly cpu: number; readonly count: number };

/** A line of perf script; null: it is none. */
export const fromPerf = (text: string): Foreign | null => {
  const m = PERF.exec(text);
  if (m === null) return null;
  const [, comm = '', pid = '', tid, cpu = '', time = '', , named, record = '', body = ''] = m;
  const lost = record === 'PERF_RECORD_LOST' ? PERF_LOST.exec(body)?.[1] : undefined;
  if (lost !== undefined) return { kind: 'lost', cpu: Number(cpu), count: Number(lost) };
  const event = named === undefined ? record : named.replace(RETURN, '_ret');
  const id = (tid ?? pid).replace('-', '');
  return { kind: 'line', text: `${comm}-${id} [${cpu}] ${time}: ${event}: ${body}` };
};

/** A frame of a call chain as perf script prints it below its event. */
export const perfFrame = (text: string): string | null =>
  /^\s+[0-9a-f]{6,16} (.+ \(.*\))\s*$/.exec(text)?.[1] ?? null;

const RAW_ENTRY = /: +__probe_ip=(?:0x)?([0-9a-f]+)(?= |$)/;
const RAW_RETURN = /: +__probe_func=(?:0x)?([0-9a-f]+) __probe_ret_ip=(?:0x)?([0-9a-f]+)(?= |$)/;

/** A probe's line of a raw report; null: it is none. */
export const fromRaw = (text: string): string | null => {
  if (!text.includes(' __probe_')) return null;
  const entry = text.replace(RAW_ENTRY, ': ($1)');
  const line = entry === text ? text.replace(RAW_RETURN, ': ($1 <- $2)') : entry;
  return line === text ? null : line;
};

/** bpftrace begins with `Attaching 12 probes...`. */
export const isBpftraceHeader = (text: string): boolean => /^Attaching \d+ probes?\.\.\.$/.test(text);

/** bpftrace says `Lost 12 events` where its buffer was full: nobody knows on which CPU. */
export const bpftraceLost = (text: string): number | null => {
  const count = /^Lost (\d{1,15}) events$/.exec(text)?.[1];
  return count === undefined ? null : Number(count);
};
