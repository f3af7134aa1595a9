import type { Arch } from '../arch/arch.js';
import type { Event, EventKind, EventOf } from '../event/event.js';
import type { Memory } from '../memory/memory.js';
import type { Profile } from '../profile/profile.js';
import type { Allocations } from './allocations.js';
import type { CallStack, OpenCall } from './calls.js';
import type { Finding, Severity } from './finding.js';
import type { Need } from './needs.js';

/** What is audited, as far as it is known. */
export interface Subject {
  /** Null: the trace names none that is known. */
  readonly profile: Profile | null;
  readonly arch: Arch | null;
  readonly kernel: string | null;
  /** `emulation`: everything is derived by the model. */
  readonly source: 'recording' | 'emulation';
  /** How it is known that lines are missing, nobody knows where: then no rule holds at any moment. */
  readonly missing?: string | null;
  /** Functions that were probed; null: the recording does not say. */
  readonly probed?: ReadonlySet<string> | null;
}

/** What a rule may use while it watches a trace. */
export interface Audit {
  readonly subject: Subject;
  /** Memory as it is: before the event in `before`, after it elsewhere. Changed in place: copy what is to be kept. */
  readonly memory: () => Memory;
  readonly calls: CallStack;
  /** Memory that images hold: before the event in `before`, after it elsewhere. */
  readonly allocations: Allocations;
  /**
   * The rule was looked at once. It counts as seen when a recorded call was open around the event: `by` says of which functions one must be the
   * innermost; left out: any.
   */
  readonly checked: (event: Event | null, by?: RegExp) => void;
  readonly report: (finding: Omit<Finding, 'rule'>) => void;
  /** The rule cannot be judged: everywhere, or for virtual pages. */
  readonly unknown: (why: string, page?: number, pages?: number) => void;
}

/** By kind of event; call lines go by the name of the function. */
export type Handlers = {
  readonly [K in Exclude<EventKind, 'entered' | 'returned'>]?: (event: EventOf<K>) => void;
};

/** A rule at work on one trace. */
export interface Watch {
  /** Before the event changes memory. */
  readonly before?: Handlers;
  /** After it. */
  readonly after?: Handlers;
  /** Kernel functions that are entered, by name; memory is as before. */
  readonly entered?: Readonly<Record<string, (event: EventOf<'entered'>) => void>>;
  /** Kernel functions that return, by name; `call` is the one that ends, null where its beginning was not seen. */
  readonly returned?: Readonly<Record<string, (event: EventOf<'returned'>, call: OpenCall | null) => void>>;
  /** After any event that is not a call line. */
  readonly each?: (event: Event) => void;
  /** A call that changes permissions ended, the outermost of them: by its line, or because its task went on elsewhere. `seq`: the event that shows it. */
  readonly ended?: (call: OpenCall, seq: number) => void;
  /** A call without a caller ended. */
  readonly rootEnded?: (call: OpenCall, seq: number) => void;
  /** Memory before the first event is there. */
  readonly begin?: () => void;
  /** The trace is at its end. */
  readonly end?: () => void;
}

/** One rule of the audit. */
export interface Rule {
  /** I1–I23: invariants of the kernel's executable memory; F…: a known failure that breaks none of them. */
  readonly id: string;
  /** What must hold, in one line. */
  readonly title: string;
  readonly severity: Severity;
  /** Why it matters. */
  readonly rationale: string;
  /** Where kernels break it by design, and how that is treated. */
  readonly exceptions: readonly string[];
  /** Null: it applies; else why it cannot be looked at here. */
  readonly applies: (subject: Subject) => string | null;
  /** What a recording must show: without it the verdict is unknown. */
  readonly needs?: (subject: Subject) => readonly Need[];
  /** The reason for an unknown verdict that no recording of such a kernel can do away with. */
  readonly beyond?: string;
  readonly watch: (audit: Audit) => Watch;
}

export const always = (): null => null;
