/**
 * The trace that `ftrace_dump_on_oops` (or sysrq-z) prints to the console, as the text of `/sys/kernel/tracing/trace`.
 *
 * The kernel prints it in the latency format (ftrace/latency.ts), with microseconds since the buffer was cleared:
 *
 *     Dumping ftrace buffer:
 *     ---------------------------------
 *     workload-85        0.....  7341731us : bpf_int_jit_compile: (bpf_int_jit_compile+0x0/0x500) prog=0xffffc90000045000
 *     ---------------------------------
 */
import { latencyLine } from '../ftrace/latency.js';
import type { ConsoleLine } from './console.js';

export interface FtraceDump {
  /** The lines in the form of `trace`. */
  readonly text: string;
  /** Events in it. */
  readonly events: number;
  /** Lines of the console it stands between. */
  readonly first: number;
  readonly last: number;
  /** The closing line is there: nothing was cut off the end. */
  readonly complete: boolean;
  /** The kernel says that there was nothing in the buffer. */
  readonly empty: boolean;
  /** Lines inside that are no lines of a trace, by number. */
  readonly foreign: readonly number[];
}

const START = /^Dumping ftrace (?:buffer|instance (\S+) buffer):$/;
const RULE = /^-{33,}$/;
const EMPTY = /^\s+\(ftrace buffer empty\)$/;
/** Lines that belong to events, or stand for lost ones: the same in both formats. */
const ANNOTATION = /^(?:\s+=> |CPU:\d+ \[LOST |# )/;

/** The console itself dropped lines: whatever they said is lost. */
const DROPPED = /^\*\* (\d+) printk messages dropped/;
const LOST_AT_END = 'CPU:0 [LOST EVENTS]';

const MICROS = 6;

const timeText = (micros: string): string => {
  const digits = micros.padStart(MICROS + 1, '0');
  return `${digits.slice(0, -MICROS)}.${digits.slice(-MICROS)}`;
};

/** A line of the dump as the `trace` file has it; null where it is none. */
export const traceLine = (text: string): string | null => {
  const found = latencyLine(text);
  if (found === null) return ANNOTATION.test(text) ? text : null;
  const { task, pid, cpu, flags, time, counts, body } = found;
  if (time.startsWith('-')) return null;
  const stamp = counts ? time : timeText(time);
  return `${task.padStart(16)}-${pid.padEnd(7)} [${cpu.padStart(3, '0')}] ${flags} ${stamp.padStart(12)}: ${body}`;
};

const isFirst = ({ text }: ConsoleLine): boolean => START.exec(text)?.[1] === undefined && START.test(text);

/** The first dump of the main buffer; null: none. What other tasks printed in between is left out of it. */
export const ftraceDump = (lines: readonly ConsoleLine[]): FtraceDump | null => {
  const at = lines.findIndex(isFirst);
  if (at < 0) return null;
  const head = lines[at] as ConsoleLine;
  const out: string[] = [];
  const foreign: number[] = [];
  let events = 0;
  let open = false;
  let complete = false;
  let empty = false;
  let last = head.line;
  let strangers = 0;
  for (const line of lines.slice(at + 1)) {
    const own = head.caller === null || line.caller === null || line.caller === head.caller;
    if (own && !open && EMPTY.test(line.text)) {
      empty = complete = true;
      last = line.line;
      break;
    }
    if (own && RULE.test(line.text)) {
      last = line.line;
      if (open) {
        complete = true;
        break;
      }
      open = true;
      continue;
    }
    const dropped = open ? DROPPED.exec(line.text) : null;
    if (dropped !== null) {
      out.push(`CPU:0 [LOST ${dropped[1]} EVENTS]`);
      continue;
    }
    const text = own && open ? traceLine(line.text) : null;
    if (text === null) {
      foreign.push(line.line);
      continue;
    }
    if (latencyLine(line.text) !== null) events++;
    out.push(text);
    last = line.line;
    strangers = foreign.length;
  }
  // Without a closing line what follows the last event is not of the dump, and the end of the dump is lost.
  if (!complete && out.length > 0) out.push(LOST_AT_END);
  const inside = complete ? foreign : foreign.slice(0, strangers);
  return {
    text: out.map((text) => `${text}\n`).join(''),
    events,
    first: head.line,
    last,
    complete,
    empty,
    foreign: inside,
  };
};
