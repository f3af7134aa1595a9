/**
 * What one line of a text trace says. Producers: the kernel's `/sys/kernel/tracing/trace` (kernel/trace/trace_output.c,
 * trace_probe.c) and `trace-cmd report` (libtraceevent), which are read into the same objects.
 *
 * Texts are kept as printed: the kernel escapes nothing inside its quotes, so nothing is unescaped here.
 */

export type { Counts } from './counts.js';

/** How a value was printed: `0x1f`, `-31`, `"text"`, or anything else (`(fault)`, `{0x1,0x2}`, `vfree+0x0/0x40`). */
export type ValueForm = 'hex' | 'decimal' | 'quoted' | 'bare';

/** Names and value forms of an event's body, interned per reader: the same object for the same names and forms in the same order. */
export interface Signature {
  /** Dense from 0 within one reader. */
  readonly id: number;
  readonly names: readonly string[];
  readonly forms: readonly ValueForm[];
  /** True where the value is text (form quoted or bare). */
  readonly text: readonly boolean[];
}

/** Whose line it is and when: common to all events. */
interface Head {
  /** 1-based line of the input. */
  readonly line: number;
  /** Command name, `<...>` where the kernel had forgotten it. */
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  /** Nanoseconds (ticks of a counting clock) since the first event of the trace: a safe integer, negative where the CPUs' buffers are merged out of order. */
  readonly time: number;
}

/** A kprobe or kretprobe event: `event: (place) name=value …` or `event: (caller <- callee) name=value …`. */
export interface CallLine extends Head {
  readonly kind: 'call';
  /** Irqs off, need-resched, hard or soft interrupt, preemption depth, migration disabled; '' where there is no such column. */
  readonly flags: string;
  /** As printed, e.g. bpf_prog_pack_alloc or bpf_prog_pack_alloc_ret. */
  readonly event: string;
  /** `event`, of a return without its `_ret`. */
  readonly fn: string;
  /** The body has the form (X <- Y). */
  readonly isReturn: boolean;
  /** An entry's own place, `sym+off/size`; a return's caller, `sym+off/size` or `[unknown/kretprobe'd]`; a raw address where symbols are not printed. */
  readonly place: string;
  /** The function a return comes from, as printed (`vfree.part.0`); '' for an entry. */
  readonly callee?: string;
  readonly signature: Signature;
  /** Upper halves of the values (unsigned 32 bit), by position; 0 for text. Negative decimals are 64-bit two's complement. */
  readonly hi: readonly number[];
  /** Lower halves, likewise. */
  readonly lo: readonly number[];
  /** Text values by position, without their quotes; null when there is none. */
  readonly texts: readonly (string | null)[] | null;
}

/** Text written to trace_marker (`tracing_mark_write: text`), or `print` and `bprint` of trace-cmd. */
export interface MarkerLine extends Head {
  readonly kind: 'marker';
  readonly flags?: string;
  readonly text: string;
}

/** The function tracer's `callee <-caller`. */
export interface FunctionLine extends Head {
  readonly kind: 'function';
  readonly flags: string;
  readonly callee: string;
  /** '' where the producer left it out. */
  readonly caller: string;
}

/** Any other event, its body kept as text. A stack trace is the event `<stack trace>` or `<user stack trace>` with an empty body. */
export interface EventLine extends Head {
  readonly kind: 'event';
  readonly flags: string;
  readonly event: string;
  readonly body: string;
}

/** `CPU:n [LOST m EVENTS]`: the ring buffer of a CPU overran. */
export interface LostLine {
  readonly kind: 'lost';
  readonly line: number;
  readonly cpu: number;
  /** 0 where the kernel does not know how many (`[LOST EVENTS]`): at least one. */
  readonly count: number;
}

/** `##### CPU n buffer started ####`: what this CPU did before is not in the trace. */
export interface BufferStarted {
  readonly kind: 'buffer-started';
  readonly line: number;
  readonly cpu: number;
}

export type TraceLine = CallLine | MarkerLine | FunctionLine | EventLine | LostLine | BufferStarted;
export type TraceEvent = CallLine | MarkerLine | FunctionLine | EventLine;
