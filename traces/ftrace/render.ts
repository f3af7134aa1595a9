import type { CallLine, TraceEvent, TraceLine } from './line.js';

export interface RenderOptions {
  /** Absolute time of the trace's first event in nanoseconds (0). */
  readonly origin?: bigint;
  /** Digits after the point of a time (6, as the kernel prints); 0 for a counting clock. */
  readonly timeDigits?: number;
}

const NO_FLAGS = '.....';
const COMM = 16;
const PID = 7;

/**
 * The line as the kernel prints it (kernel/trace/trace_output.c, trace_kprobe.c of 5.10 to 7.2), without a line end. Reading it again
 * gives the same object but for its line number. A decimal of 2^63 and more is printed negative: a line does not say which it was.
 */
export function render(line: TraceLine, options: RenderOptions = {}): string {
  switch (line.kind) {
    case 'lost':
      return line.count === 0
        ? `CPU:${line.cpu} [LOST EVENTS]`
        : `CPU:${line.cpu} [LOST ${line.count} EVENTS]`;
    case 'buffer-started':
      return `##### CPU ${line.cpu} buffer started ####`;
    default:
      return `${head(line, options)}: ${body(line)}`;
  }
}

/** The header of `trace` for a number of entries, none of them overwritten, each line with its line end (the legend is left out). */
export const renderHeader = (entries: number, cpus: number, tracer = 'nop'): string =>
  `# tracer: ${tracer}\n#\n# entries-in-buffer/entries-written: ${entries}/${entries}   #P:${cpus}\n#\n`;

/** `TASK-PID [CPU] FLAGS TIME`. */
function head(line: TraceEvent, options: RenderOptions): string {
  const pad = ' '.repeat(Math.max(0, COMM - Buffer.byteLength(line.task)));
  const pid = String(line.pid).padEnd(PID);
  const cpu = String(line.cpu).padStart(3, '0');
  return `${pad}${line.task}-${pid} [${cpu}] ${line.flags ?? NO_FLAGS} ${timeText(line.time, options)}`;
}

function timeText(time: number, { origin = 0n, timeDigits = 6 }: RenderOptions): string {
  const ns = BigInt(time) + origin;
  if (timeDigits === 0) return String(ns).padStart(12);
  const unit = 10n ** BigInt(9 - timeDigits);
  const rounded = (ns + unit / 2n) / unit;
  const second = 10n ** BigInt(timeDigits);
  const fraction = String(rounded % second).padStart(timeDigits, '0');
  return `${String(rounded / second).padStart(5)}.${fraction}`;
}

function body(line: TraceEvent): string {
  switch (line.kind) {
    case 'call':
      return `${line.event}: (${placeText(line)})${fieldsText(line)}`;
    case 'marker':
      return `tracing_mark_write: ${line.text}`;
    case 'function':
      return `${line.callee} <-${line.caller}`;
    default:
      return line.event.startsWith('<') ? line.event : `${line.event}: ${line.body}`;
  }
}

const placeText = ({ isReturn, place, callee, fn }: CallLine): string =>
  isReturn ? `${place} <- ${callee ?? fn}` : place;

function fieldsText(line: CallLine): string {
  const { names } = line.signature;
  let text = '';
  for (let i = 0; i < names.length; i++) text += ` ${names[i]}=${valueText(line, i)}`;
  return text;
}

function valueText({ signature, hi, lo, texts }: CallLine, i: number): string {
  const upper = hi[i] ?? 0;
  const lower = lo[i] ?? 0;
  switch (signature.forms[i]) {
    case 'hex':
      return upper === 0
        ? `0x${lower.toString(16)}`
        : `0x${upper.toString(16)}${lower.toString(16).padStart(8, '0')}`;
    case 'decimal':
      if (upper === 0) return String(lower);
      return String(BigInt.asIntN(64, (BigInt(upper) << 32n) | BigInt(lower)));
    case 'quoted':
      return `"${texts?.[i] ?? ''}"`;
    default:
      return texts?.[i] ?? '';
  }
}
