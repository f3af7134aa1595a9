import { HASH, RETURN, SPACE, hasText, skipSpaces } from './bytes.js';
import { Tally } from './counts.js';
import type { Counts, SkipReason } from './counts.js';
import type { TraceEvent, TraceLine } from './line.js';
import { LineSplitter } from './lines.js';
import { LineParser } from './parse.js';
import { bpftraceLost, fromPerf, fromRaw, isBpftraceHeader, perfFrame } from './foreign.js';
import { isReportHeader, startsReport } from './report.js';

export interface FtraceOptions {
  /** Frames of the stack trace whose event came just before, innermost first, as printed after `=>`. */
  readonly onStackFrame?: (frame: string, line: number) => void;
  readonly onSkipped?: (reason: SkipReason, line: number) => void;
  /** Longest line in bytes (1 MiB); longer ones are skipped, and never held in memory. */
  readonly longestLine?: number;
}

/** Whose text it is: known once a line told. */
export type TextFormat = 'ftrace' | 'trace-cmd report' | 'perf script';

const LONGEST_LINE = 1024 * 1024;
/** Longest header or annotation that is looked at. */
const LONGEST_NOTE = 512;
/** kernel/trace/trace.c, print_trace_line; the number is missing where the ring buffer had no room for it. */
const LOST = /^CPU:(\d{1,6}) \[LOST (?:(\d{1,15}) )?EVENTS\]$/;
/** The same of trace-cmd report. */
const DROPPED = /^CPU:(\d{1,6}) \[(?:(\d{1,15}) )?EVENTS DROPPED\]$/;

/**
 * Reads the text of `/sys/kernel/tracing/trace` or of `trace-cmd report` in one pass: chunks in, lines out, in the order of the file.
 * Any cut into chunks gives the same lines. Nothing throws on foreign input; what is no trace line is counted by reason.
 */
export class FtraceReader {
  readonly #counts = Tally.create();
  readonly #parser = new LineParser();
  readonly #splitter: LineSplitter;
  #format: TextFormat = 'ftrace';
  #timeDigits = -1;
  #cutShort = false;

  /** `sink` gets each line once. Objects may be kept. */
  constructor(
    private readonly sink: (line: TraceLine) => void,
    private readonly options: FtraceOptions = {},
  ) {
    this.#splitter = new LineSplitter(
      {
        line: (bytes, s, e, hasNul) => this.#line(bytes, s, e, hasNul),
        tooLong: () => {
          this.#counts.lines++;
          this.#skip('line too long');
        },
      },
      options.longestLine ?? LONGEST_LINE,
    );
  }

  push(chunk: Uint8Array): void {
    this.#splitter.push(chunk);
  }

  /** To be called once, after the last chunk. */
  end(): void {
    this.#cutShort = this.#splitter.end();
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** Absolute time of the first event in nanoseconds (ticks of a counting clock); 0 while there is none. */
  get origin(): bigint {
    return this.#parser.clock.origin;
  }

  /** Digits after the point of the first event's time; 0 for a counting clock, -1 while there is no event. */
  get timeDigits(): number {
    return this.#timeDigits;
  }

  get format(): TextFormat {
    return this.#format;
  }

  /** The last line had no line end: it may have been cut, its last value with it. Producers always write one. */
  get cutShort(): boolean {
    return this.#cutShort;
  }

  #line(bytes: Buffer, s: number, e: number, hasNul: boolean): void {
    const line = ++this.#counts.lines;
    if (hasNul) return this.#skip('NUL bytes');
    if (e > s && bytes[e - 1] === RETURN) e--;
    if (bytes[s] === HASH && e > s) return this.#header(note(bytes, s, e), line);
    const event = this.#parser.read(bytes, s, e, line);
    if (typeof event === 'string') return this.#other(bytes, s, e, line, event);
    if (event.kind === 'event' && event.body.startsWith('__probe_')) {
      const raw = fromRaw(bytes.toString('utf8', s, e));
      if (raw !== null) return this.#rewritten(raw, line);
    }
    this.#event(event);
  }

  /** A line as ftrace would have printed it. */
  #rewritten(text: string, line: number): void {
    const bytes = Buffer.from(`${text}\n`);
    const event = this.#parser.read(bytes, 0, bytes.length - 1, line);
    if (typeof event === 'string') return this.#skip(event);
    this.#event(event);
  }

  #event(event: TraceEvent): void {
    if (this.#timeDigits < 0) this.#timeDigits = this.#parser.time.digits;
    this.#counts.events++;
    this.sink(event);
  }

  /** A line that begins with `#`. */
  #header(text: string, line: number): void {
    const started = /^##### CPU (\d{1,6}) buffer started ####$/.exec(text);
    if (started) {
      this.#counts.annotations++;
      return this.sink({ kind: 'buffer-started', line, cpu: Number(started[1]) });
    }
    this.#counts.headers++;
    Tally.header(this.#counts, text);
  }

  /** A line that is no event for the reason given: perhaps something else. */
  #other(bytes: Buffer, s: number, e: number, line: number, reason: SkipReason): void {
    if (reason !== 'not a trace line') return this.#skip(reason);
    const start = skipSpaces(bytes, s, e);
    if (start === e) return this.#skip('blank line');
    if (hasText(bytes, '=>', start, e) && (start + 2 === e || bytes[start + 2] === SPACE)) {
      this.#counts.annotations++;
      return this.options.onStackFrame?.(bytes.toString('utf8', start + 2, e).trim(), line);
    }
    const text = note(bytes, s, e);
    const lost = LOST.exec(text) ?? DROPPED.exec(text);
    if (lost) return this.#lost(line, Number(lost[1]), Number(lost[2] ?? 0));
    if (this.#foreign(bytes.toString('utf8', s, e), text, line)) return;
    if (!isReportHeader(text)) return this.#skip(reason);
    this.#counts.headers++;
    if (startsReport(text)) this.#isReport();
  }

  /** Whether this is a line of perf script or bpftrace. */
  #foreign(whole: string, text: string, line: number): boolean {
    const lost = bpftraceLost(text);
    if (lost !== null) {
      this.#lost(line, 0, lost);
      return true;
    }
    if (isBpftraceHeader(text)) {
      this.#counts.headers++;
      return true;
    }
    const perf = fromPerf(whole);
    if (perf === null) {
      const frame = this.#format === 'perf script' ? perfFrame(text) : null;
      if (frame === null) return false;
      this.#counts.annotations++;
      this.options.onStackFrame?.(frame, line);
      return true;
    }
    if (this.#format !== 'perf script') {
      this.#format = 'perf script';
      this.#parser.expectReport();
    }
    if (perf.kind === 'lost') this.#lost(line, perf.cpu, perf.count);
    else this.#rewritten(perf.text, line);
    return true;
  }

  #lost(line: number, cpu: number, count: number): void {
    this.#counts.annotations++;
    this.#counts.lost += Math.max(count, 1);
    this.sink({ kind: 'lost', line, cpu, count });
  }

  #isReport(): void {
    this.#format = 'trace-cmd report';
    this.#parser.expectReport();
  }

  #skip(reason: SkipReason): void {
    Tally.skip(this.#counts, reason);
    this.options.onSkipped?.(reason, this.#counts.lines);
  }
}

/** The beginning of a line as text. */
const note = (bytes: Buffer, s: number, e: number): string =>
  bytes.toString('utf8', s, Math.min(e, s + LONGEST_NOTE)).trimEnd();
