import { type Result, fail, ok } from '../core/value/failure.js';
import { NEWLINE } from './ftrace/bytes.js';
import { TimeStamp } from './ftrace/clock.js';
import { HeadPlaces, readHead } from './ftrace/head.js';
import { isVerbose, latencyLine } from './ftrace/latency.js';
import type { TextFormat } from './ftrace/reader.js';
import { isReportHeader } from './ftrace/report.js';

/** Bytes that are looked at. */
export const SNIFFED = 64 * 1024;

export type TraceFormat =
  | 'ftrace'
  | 'trace-cmd report'
  | 'gzip'
  | 'latency format'
  | 'verbose latency format'
  | 'perf script'
  | 'json'
  | 'empty'
  | 'trace.dat'
  | 'perf.data'
  | 'sqlite'
  | 'compressed'
  | 'utf-16'
  | 'binary'
  | 'unknown';

const LONGEST_LINE = 2048;

/** First bytes of files that people have at hand when they import a trace. */
const MAGIC: readonly (readonly [TraceFormat, string])[] = [
  ['gzip', '\x1f\x8b'],
  ['trace.dat', '\x17\x08\x44tracing'],
  ['perf.data', 'PERFILE2'],
  ['sqlite', 'SQLite format 3\0'],
  ['compressed', '\x28\xb5\x2f\xfd'], // zstd
  ['compressed', '\xfd7zXZ\0'],
  ['compressed', 'BZh'],
  ['compressed', 'PK\x03\x04'],
  ['utf-16', '\xff\xfe'],
  ['utf-16', '\xfe\xff'],
];

/** A console log, which may hold a trace in that format. */
const DUMPED = /Dumping ftrace /;

/** The default fields of perf script: comm, tid, cpu, time, event. */
const PERF_LINE = /^\s*\S.*?\s+-?\d+(?:\/-?\d+)?\s+(?:\[\d{3,}\]\s+)?\d+\.\d{6,9}:\s/;

/** `{"`, `{}`, `[{`, `["`, …: a kernel log begins with `[   12.345678]`. */
const JSON_START = /^\s*(?:\{\s*["}]|\[\s*[[{"\]])/;

/** What a file is, from its first 64 KiB (the last line of which may be cut). */
export function sniff(head: Uint8Array): TraceFormat {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SNIFFED));
  const latin = bytes.toString('latin1', 0, LONGEST_LINE);
  const magic = MAGIC.find(([, first]) => latin.startsWith(first));
  if (magic !== undefined) return magic[0];
  const lines = bytes.toString('latin1').split('\n');
  const first = lines.find((line) => line.trim() !== '');
  if (first === undefined) return 'empty';
  if (isReportHeader(first)) return 'trace-cmd report';
  const latency = lines.find((line) => latencyLine(line.slice(0, LONGEST_LINE)) !== null);
  if (latency !== undefined && !lines.some((line) => DUMPED.test(line)))
    return isVerbose(latency) ? 'verbose latency format' : 'latency format';
  if (isFtrace(bytes, lines)) return 'ftrace';
  if (lines.some((line) => PERF_LINE.test(line.slice(0, LONGEST_LINE)))) return 'perf script';
  if (bytes.includes(0)) return 'binary';
  if (JSON_START.test(latin)) return 'json';
  return mostlyText(bytes) ? 'unknown' : 'binary';
}

/** A header of ftrace, or a line with the head of an event. */
function isFtrace(bytes: Buffer, lines: readonly string[]): boolean {
  if (lines.some((line) => line.startsWith('# tracer: ') || /^CPU:\d+ \[LOST /.test(line))) return true;
  const places = HeadPlaces.create();
  const time = new TimeStamp();
  const padded = Buffer.concat([bytes, Buffer.of(NEWLINE)]);
  for (let s = 0; s < bytes.length;) {
    const e = padded.indexOf(NEWLINE, s);
    if (readHead(padded, s, Math.min(e, s + LONGEST_LINE), places, time)) return true;
    s = e + 1;
  }
  return false;
}

/** Few control characters. */
function mostlyText(bytes: Uint8Array): boolean {
  let control = 0;
  for (const byte of bytes)
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 27) control++;
  return control * 20 <= bytes.length;
}

/** What to do with a file that is no trace text. */
const ADVICE: Readonly<Record<Exclude<TraceFormat, TextFormat>, readonly [string, string]>> = {
  empty: ['the file is empty', 'was tracing on, and was the buffer read before it was cleared?'],
  gzip: ['gzip data inside gzip data', 'unpack it once with gunzip'],
  'latency format': [
    'this is ftrace in its latency format (trace option latency-format)',
    'write 0 to /sys/kernel/tracing/options/latency-format, and read the trace again: the buffer still has it',
  ],
  'verbose latency format': [
    'this is ftrace in its latency format, verbose (trace options latency-format and verbose)',
    'write 0 to /sys/kernel/tracing/options/latency-format, and read the trace again: the buffer still has it',
  ],
  json: ['this looks like JSON', 'import reads the text of /sys/kernel/tracing/trace'],
  'trace.dat': ["this is trace-cmd's binary trace.dat", 'run: trace-cmd report trace.dat > trace.txt'],
  'perf.data': [
    "this is perf's binary perf.data",
    'run: perf script -i perf.data --show-lost-events > trace.txt',
  ],
  sqlite: ['this is an SQLite database', 'a pagetrail database is opened with --db'],
  compressed: ['this is compressed, and not by gzip', 'unpack it first'],
  'utf-16': ['this is UTF-16 text', 'convert it: iconv -f UTF-16 -t UTF-8'],
  binary: ['this is binary data', 'import reads the text of /sys/kernel/tracing/trace'],
  unknown: [
    'no line of this looks like one of a trace',
    'a line looks like: workload-103 [001] ..... 48.178826: vfree: (vfree+0x0/0x40) addr=0xffffffffc0000000',
  ],
};

/** The format when the reader of `traces/ftrace/` can read it, else what was found instead. */
export function expectTrace(head: Uint8Array, where: string): Result<TextFormat> {
  const format = sniff(head);
  if (format === 'ftrace' || format === 'trace-cmd report' || format === 'perf script') return ok(format);
  const [what, hint] = ADVICE[format];
  return fail(`not-a-trace-${format.replaceAll(/[ .]/g, '-')}`, what, where, hint);
}
