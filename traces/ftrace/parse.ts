import { COLON, LESS, OPEN, SPACE, find, findText, hasText, skipSpaces } from './bytes.js';
import { readFields, readPlace } from './body.js';
import { type CallPlace, KnownCalls, callLine } from './calls.js';
import { Clock, TimeStamp } from './clock.js';
import type { SkipReason } from './counts.js';
import { HeadReader, type TaskHead } from './heads.js';
import { StringTable } from './intern.js';
import type { CallLine, EventLine, FunctionLine, MarkerLine, TraceEvent } from './line.js';
import { isReportMarker, markerText, reportStack } from './report.js';
import { SignatureTable } from './signature.js';
import { nameEnd } from './values.js';

const RETURN_SUFFIX = '_ret';
const LONGEST_LABEL = 32;

/** Reads the lines that are events. */
export class LineParser {
  readonly clock = new Clock();
  readonly time = new TimeStamp();
  readonly #strings = new StringTable();
  readonly #signatures = new SignatureTable();
  readonly #heads = new HeadReader(this.#strings, this.time);
  readonly #calls = new KnownCalls();
  #isReport = false;

  /** From here on lines are of a trace-cmd report: returns are `(function <- caller)`. */
  expectReport(): void {
    this.#isReport = true;
    this.#calls.forget();
  }

  /** The event in bytes [s, e), at whose end a line end stands; or why there is none. */
  read(bytes: Buffer, s: number, e: number, line: number): TraceEvent | SkipReason {
    const head = this.#heads.read(bytes, s, e);
    if (head === null) return 'not a trace line';
    const time = this.clock.since(this.time);
    if (!Number.isSafeInteger(time)) return 'time out of range';
    const start = skipSpaces(bytes, this.#heads.end, e);
    const event =
      this.#calls.read(bytes, start, e, line, head, time) ??
      this.#readBody(bytes, start, e, line, head, time);
    if (event === null) return 'no event name';
    this.clock.start(this.time);
    return event;
  }

  /** What stands after the time: `event: body`, `callee <-caller`, `<stack trace>`, or a system call. */
  #readBody(
    bytes: Buffer,
    s: number,
    e: number,
    line: number,
    head: TaskHead,
    time: number,
  ): TraceEvent | null {
    const end = find(bytes, SPACE, s, e);
    if (bytes[s] === LESS) {
      const stack = stackLabel(bytes.toString('utf8', s, Math.min(e, s + LONGEST_LABEL)));
      if (stack !== null) return eventLine(line, head, time, stack, '');
    } else if (end > s + 1 && bytes[end - 1] === COLON && find(bytes, OPEN, s, end) === end) {
      return this.#readEvent(bytes, s, end - 1, e, line, head, time);
    }
    const arrow = findText(bytes, ' <-', s, e);
    if (arrow > s) {
      const callee = this.#strings.of(bytes, s, arrow);
      return functionLine(line, head, time, callee, this.#strings.of(bytes, arrow + 3, e));
    }
    const name = nameEnd(bytes, s, e);
    if (name === s || !(hasText(bytes, '(', name, e) || hasText(bytes, ' -> ', name, e))) return null;
    return eventLine(line, head, time, this.#strings.of(bytes, s, name), bytes.toString('utf8', s, e));
  }

  /** `event: body`, the event in [s, colon). */
  #readEvent(
    bytes: Buffer,
    s: number,
    colon: number,
    e: number,
    line: number,
    head: TaskHead,
    time: number,
  ): TraceEvent {
    const event = this.#strings.of(bytes, s, colon);
    const body = skipSpaces(bytes, colon + 1, e);
    if (event === 'tracing_mark_write') {
      return markerLine(line, head, time, bytes.toString('utf8', Math.min(colon + 2, e), e));
    }
    if (bytes[body] === OPEN && !isReportMarker(event)) {
      const call = this.#readCall(bytes, s, colon, body, e, line, head, time);
      if (call !== null) return call;
    }
    const text = bytes.toString('utf8', body, e);
    if (isReportMarker(event)) return markerLine(line, head, time, markerText(text));
    if (this.#isReport && event === 'function') return reportedFunction(line, head, time, text);
    const stack = reportStack(event) ? stackLabel(text) : null;
    return eventLine(line, head, time, stack ?? event, stack === null ? text : '');
  }

  #readCall(
    bytes: Buffer,
    s: number,
    colon: number,
    body: number,
    e: number,
    line: number,
    head: TaskHead,
    time: number,
  ): CallLine | null {
    const found = readPlace(bytes, body, e, this.#strings, this.#isReport);
    if (found === null) return null;
    const fields = readFields(bytes, found.end, e, this.#strings, this.#signatures);
    if (fields === null) return null;
    const { isReturn, place, callee, end } = found;
    const stripped = isReturn && hasText(bytes, RETURN_SUFFIX, colon - RETURN_SUFFIX.length, colon);
    const event = this.#strings.of(bytes, s, colon);
    const fn = stripped ? this.#strings.of(bytes, s, colon - RETURN_SUFFIX.length) : event;
    const known: CallPlace = { event, fn, isReturn, place, callee };
    this.#calls.learn(bytes, s, end, known, fields.signature);
    return callLine(line, head, time, known, fields);
  }
}

function eventLine(line: number, head: TaskHead, time: number, event: string, body: string): EventLine {
  const { task, pid, cpu, flags } = head;
  return { kind: 'event', line, task, pid, cpu, flags, time, event, body };
}

function markerLine(line: number, head: TaskHead, time: number, text: string): MarkerLine {
  const { task, pid, cpu, flags } = head;
  return { kind: 'marker', line, task, pid, cpu, flags, time, text };
}

function functionLine(
  line: number,
  head: TaskHead,
  time: number,
  callee: string,
  caller: string,
): FunctionLine {
  const { task, pid, cpu, flags } = head;
  return { kind: 'function', line, task, pid, cpu, flags, time, callee, caller };
}

/** trace-cmd's `function:   callee <-- caller`, the caller only with an option. */
function reportedFunction(line: number, head: TaskHead, time: number, text: string): FunctionLine {
  const [callee = '', caller = ''] = text.split(' <-- ', 2);
  return functionLine(line, head, time, callee, caller);
}

/** `<stack trace>` of the kernel, `<stack trace >` of trace-cmd, `<user stack trace>`; null for anything else. */
function stackLabel(text: string): string | null {
  const found = /^<(user )?stack trace ?>\s*$/.exec(text);
  return found ? `<${found[1] ?? ''}stack trace>` : null;
}
