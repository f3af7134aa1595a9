/**
 * The small counters of a phase: `vmstat.txt` (lines `name value` of /proc/vmstat, those that start with `direct_map`;
 * empty where the kernel has none) and `bpf_jit_limit.txt` (/proc/sys/net/core/bpf_jit_limit, bytes; empty without JIT).
 */
import { eachLine } from './lines.js';
import { quoted, type Problems } from './problems.js';

/** Text of a vmstat.txt to its counters. */
export const parseVmstat = (
  text: string,
  file: string,
  problems: Problems,
): Readonly<Record<string, number>> => {
  const counters: Record<string, number> = {};
  eachLine(text, (line, number) => {
    if (line === '') return;
    const m = /^([a-z0-9_]+) (\d+)$/.exec(line);
    if (m === null) problems.add(file, number, `not a vmstat line: ${quoted(line)}`);
    else counters[m[1] as string] = Number(m[2]);
  });
  return counters;
};

/** Text of a bpf_jit_limit.txt to bytes; null when it is empty. Exact below 2^53 (arm64's default is 2^46). */
export const parseJitLimit = (text: string, file: string, problems: Problems): number | null => {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (/^\d+$/.test(trimmed)) return Number(trimmed);
  problems.add(file, 1, `not a number: ${quoted(trimmed)}`);
  return null;
};
