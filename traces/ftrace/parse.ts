import { COLON, LESS, OPEN, SPACE, find, findText, hasText, skipSpaces } from './bytes.js';
import { readFields, readPlace } from './body.js';
import { Clock, TimeStamp } from './clock.js';
import type { SkipReason } from './counts.js';
import { HeadPlaces, readHead } from './head.js';
import { StringTable } from './intern.js';
import type { CallLine, EventLine, FunctionLine, MarkerLine, TraceEvent } from './line.js';
import { QuickCalls, callLine } from './quick.js';
import { SignatureTable } from './signature.js';
import { isReportMarker, markerText, reportStack } from './report.js';
import { nameEnd } from './values.js';

const RETURN_SUFFIX = '_ret';

/** Reads event lines: first as one like those before, else from scratch. */
export class LineParser {
  /** Set for text printed by the event's format: returns are `(function <- caller)`. */
  functionFirst = false;
  readonly clock = new Clock();
  readonly time = new TimeStamp();
  readonly #strings = new StringTable();
  readonly #signatures = new SignatureTable();
  readonly #quick = new QuickCalls(this.time, this.clock);
  readonly #places = HeadPlaces.create();

  /** The event in bytes [s, e), after which no byte of a line may follow but a line end; or why there is none. */
  read(bytes: Buffer, s: number, e: number, line: number): TraceEvent | SkipReason {
    return this.#quick.read(bytes, s, e, line) ?? this.#readAny(bytes, s, e, line);
  }

  /** From here on lines are to be read in another way. */
  forget(): void {
    this.#quick.forget();
  }

  #readAny(bytes: Buffer, s: number, e: number, line: number): TraceEvent | SkipReason {
    const at = this.#places;
    if (!readHead(bytes, s, e, at, this.time)) return 'not a trace line';
    const time = this.clock.since(this.time);
    if (!Number.isSafeInteger(time)) return 'time out of range';
    const head: Head = {
      line,
      task: this.#strings.of(bytes, at.taskStart, at.dash),
      pid: at.pid,
      cpu: at.cpu,
      flags: this.#strings.of(bytes, at.flagsStart, at.flagsEnd),
      time,
    };
    const event = this.#readBody(bytes, s, at.end, e, head);
    if (event === null) return 'no event name';
    this.clock.start(this.time);
    return event;
  }

  /** What stands after the time: `event: body`, `callee <-caller`, `<stack trace>`, or a system call. */
  #readBody(bytes: Buffer, s: number, p: number, e: number, head: Head): TraceEvent | null {
    const start = skipSpaces(bytes, p, e);
    const end = find(bytes, SPACE, start, e);
    const named = end > start + 1 && bytes[end - 1] === COLON && find(bytes, OPEN, start, end) === end;
    if (named && bytes[start] !== LESS) return this.#readEvent(bytes, s, start, end - 1, e, head);
    if (bytes[start] === LESS) {
      const stack = stackLabel(bytes.toString('utf8', start, Math.min(e, start + 32)));
      if (stack !== null) return eventLine(head, stack, '');
    }
    const arrow = findText(bytes, ' <-', start, e);
    if (arrow > start) return this.#functionLine(bytes, start, arrow, arrow + 3, e, head);
    const name = nameEnd(bytes, start, e);
    if (name === start || !(hasText(bytes, '(', name, e) || hasText(bytes, ' -> ', name, e))) return null;
    return eventLine(head, this.#strings.of(bytes, start, name), bytes.toString('utf8', start, e));
  }

  #readEvent(bytes: Buffer, s: number, start: number, colon: number, e: number, head: Head): TraceEvent {
    const event = this.#strings.of(bytes, start, colon);
    const body = skipSpaces(bytes, colon + 1, e);
    if (event === 'tracing_mark_write') {
      return markerLine(head, bytes.toString('utf8', Math.min(colon + 2, e), e));
    }
    if (isReportMarker(event)) return markerLine(head, markerText(bytes.toString('utf8', body, e)));
    if (this.functionFirst && event === 'function') return this.#reportedFunction(bytes, body, e, head);
    const call = this.#readCall(bytes, s, start, event, body, e, head);
    if (call !== null) return call;
    const text = bytes.toString('utf8', body, e);
    const stack = reportStack(event) ? stackLabel(text) : null;
    return stack === null ? eventLine(head, event, text) : eventLine(head, stack, '');
  }

  #readCall(
    bytes: Buffer,
    s: number,
    start: number,
    event: string,
    body: number,
    e: number,
    head: Head,
  ): CallLine | null {
    const place = readPlace(bytes, body, e, this.#strings, this.functionFirst);
    if (place === null) return null;
    const fields = readFields(bytes, place.end, e, this.#strings, this.#signatures);
    if (fields === null) return null;
    const stripped = place.isReturn && event.endsWith(RETURN_SUFFIX);
    const fn = stripped ? event.slice(0, -RETURN_SUFFIX.length) : event;
    const call = callLine(head.line, head, head.time, { ...place, event, fn }, fields);
    const layout = { headEnd: this.#places.flagsEnd, eventStart: start, fieldsStart: place.end };
    this.#quick.learn(bytes, s, layout, call);
    return call;
  }

  /** trace-cmd's `function:   callee <-- caller`, the caller only with an option. */
  #reportedFunction(bytes: Buffer, body: number, e: number, head: Head): FunctionLine {
    const arrow = findText(bytes, ' <-- ', body, e);
    return arrow < 0
      ? this.#functionLine(bytes, body, e, e, e, head)
      : this.#functionLine(bytes, body, arrow, arrow + 5, e, head);
  }

  #functionLine(bytes: Buffer, p: number, calleeEnd: number, q: number, e: number, head: Head): FunctionLine {
    const { line, task, pid, cpu, flags, time } = head;
    const callee = this.#strings.of(bytes, p, calleeEnd);
    const caller = this.#strings.of(bytes, q, e);
    return { kind: 'function', line, task, pid, cpu, flags, time, callee, caller };
  }
}

type Head = Pick<EventLine, 'line' | 'task' | 'pid' | 'cpu' | 'flags' | 'time'>;

function eventLine({ line, task, pid, cpu, flags, time }: Head, event: string, body: string): EventLine {
  return { kind: 'event', line, task, pid, cpu, flags, time, event, body };
}

function markerLine({ line, task, pid, cpu, flags, time }: Head, text: string): MarkerLine {
  return { kind: 'marker', line, task, pid, cpu, flags, time, text };
}

/** `<stack trace>` of the kernel, `<stack trace >` of trace-cmd, `<user stack trace>`; null for anything else. */
function stackLabel(text: string): string | null {
  const found = /^<(user )?stack trace ?>\s*$/.exec(text);
  return found ? `<${found[1] ?? ''}stack trace>` : null;
}
