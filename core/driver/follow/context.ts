import type { Args, CallRequest, ChooseRequest, KernelFunction, Request } from '../../kernel/request.js';
import { argsText, type RecordedLine } from '../recorded.js';
import type { Doubt } from './doubt.js';

/** A call of the model that is open in a task. */
export interface OpenCall {
  readonly fn: KernelFunction;
  readonly args: Args;
  readonly generator: Generator<Request, unknown, never>;
  readonly visible: boolean;
  /** seq of its `entered` event (visible calls). */
  readonly seq: number;
  /** Its entry line (visible calls). */
  readonly entry: RecordedLine | null;
  result: unknown;
}

/** What the model waits for: the task's next line decides it. */
export type Pending =
  | { readonly kind: 'call'; readonly request: CallRequest }
  | { readonly kind: 'choose'; readonly request: ChooseRequest }
  | { readonly kind: 'late' }
  | { readonly kind: 'return'; readonly call: OpenCall };

/** A recorded call that is followed by its lines alone. */
export interface OpenLine {
  readonly fn: string;
  readonly seq: number;
  readonly entry: RecordedLine | null;
}

/** One root call (or a foreign call inside another one) and what it waits for. */
export interface Context {
  readonly root: RecordedLine;
  readonly foreign: boolean;
  readonly calls: OpenCall[];
  pending: Pending | null;
  /** After a divergence, or without a model: lines only. */
  abandoned: boolean;
  /** The root call has no model at all: calls inside it may have one. */
  readonly unmodelled: boolean;
  /** Abandoned: recorded calls that are open, innermost last. */
  readonly open: OpenLine[];
  /** Abandoned: the last call of each function of which no return line has been seen yet: there may be none. */
  readonly perhaps: Map<string, OpenLine>;
  /** Abandoned: what the model would have had happen that no line has shown yet. */
  doubt: Doubt | null;
}

/** What a task has open, outermost first. */
export interface Task {
  readonly contexts: Context[];
}

export const newContext = (root: RecordedLine, foreign: boolean, abandoned: boolean): Context => ({
  root,
  foreign,
  calls: [],
  pending: null,
  abandoned,
  unmodelled: abandoned,
  open: [],
  perhaps: new Map(),
  doubt: null,
});

/** seq of the innermost recorded call of a context; 0: none. */
export const innermost = (context: Context | undefined): number => {
  if (context === undefined) return 0;
  const { open, calls } = context;
  if (open.length > 0) return (open.at(-1) as OpenLine).seq;
  for (let i = calls.length - 1; i >= 0; i--) {
    const call = calls[i] as OpenCall;
    if (call.visible) return call.seq;
  }
  return 0;
};

/** seq of the innermost recorded call of a task; 0: none. */
export const enclosing = (task: Task): number => {
  for (let i = task.contexts.length - 1; i >= 0; i--) {
    const seq = innermost(task.contexts[i]);
    if (seq !== 0) return seq;
  }
  return 0;
};

/** What a return line of this call would say. */
export const returnText = ({ fn, result, args }: OpenCall): string =>
  argsText(fn.name, fn.returned(result, args), true);

/** What the model waits for, as text. */
export const expectation = (pending: Pending | null): string => {
  switch (pending?.kind) {
    case 'call':
      return argsText(pending.request.fn.name, pending.request.args);
    case 'choose':
      return `a choice of ${pending.request.what}`;
    case 'late':
      return 'a lock';
    case 'return':
      return returnText(pending.call);
    case undefined:
      return 'nothing';
  }
};

/** From here on the lines of this root call speak for themselves. */
export const abandon = (context: Context): void => {
  context.abandoned = true;
  context.pending = null;
  for (const call of context.calls)
    if (call.visible) context.open.push({ fn: call.fn.name, seq: call.seq, entry: call.entry });
  context.calls.length = 0;
};
