import type { Event, EventOf } from '../event/event.js';

/** Functions that call each other, the innermost one first: one object for all calls that are made so. */
export interface CallPath {
  readonly fn: string;
  /** Names, innermost first. */
  readonly names: readonly string[];
}

/** A kernel call that is open. */
export interface OpenCall {
  /** Number of its `entered` event. */
  readonly seq: number;
  readonly fn: string;
  readonly entered: EventOf<'entered'>;
  readonly parent: OpenCall | null;
  readonly root: OpenCall;
  /** The outermost call around it that changes permissions, itself included. */
  readonly permission: OpenCall | null;
  readonly path: CallPath;
}

/** Calls inside which permissions are on their way: judged when the outermost of them ends. */
const CHANGES_PERMISSIONS =
  /^(?:set_memory_|set_direct_map_|vfree|__vunmap|module_memfree|execmem_free|bpf_jit_free_exec|change_page_attr|change_memory_|__set_memory$|alloc_new_pack|bpf_prog_pack_free$)/;

/** Which calls are open, by what the events of each task say. */
export interface CallStack {
  /** The innermost open call in which an event happened; null: outside any. */
  readonly of: (event: Event) => OpenCall | null;
}

/** What is known of each function once, for all its calls. */
type Uses<U> = (fn: string) => U;

interface Path<U> extends CallPath {
  readonly use: U;
  readonly changesPermissions: boolean;
  readonly below: Map<string, Path<U>>;
}

/** A call that a tracker keeps. */
interface Tracked<U> extends OpenCall {
  readonly parent: Tracked<U> | null;
  readonly path: Path<U>;
  readonly stack: Stack<U>;
}

/** The calls of one task, from the innermost. */
interface Stack<U> {
  readonly key: string;
  top: Tracked<U> | null;
}

const IDLE = /-0$/;

/** Tasks named like the idle task run on every processor at once. */
const keyOf = (event: Event): string => (IDLE.test(event.task) ? `${event.task} ${event.cpu}` : event.task);

/** `ended` is told how a call ended: by its own line, because its task went on elsewhere, or with the trace. */
export type CallEnd = 'returned' | 'left' | 'trace';

/** To be told of every event, in order. */
export interface CallTracker<U> extends CallStack {
  /** A call begins. What is known of its function. */
  readonly enter: (event: EventOf<'entered'>) => U;
  /** A call is about to return; null: its beginning was not seen. */
  readonly returning: (event: EventOf<'returned'>) => OpenCall | null;
  /** It has. */
  readonly leave: (event: EventOf<'returned'>) => void;
  /** Anything else happens. */
  readonly fact: (event: Event) => void;
  /** What is known of a function. */
  readonly use: Uses<U>;
  /** The trace is at its end: all calls are over. */
  readonly end: (seq: number) => void;
}

/** Follows the calls of all tasks. Few are open at once, and an event mostly belongs to the innermost of one of them. */
class Stacks<U> {
  readonly #stacks: Stack<U>[] = [];
  #last: Tracked<U> | null = null;

  get all(): readonly Stack<U>[] {
    return this.#stacks;
  }

  /** The open call with a number. */
  find(seq: number): Tracked<U> | null {
    const last = this.#last;
    if (last !== null && last.seq === seq) return last;
    for (let i = 0; i < this.#stacks.length; i++)
      if (this.#stacks[i]?.top?.seq === seq) return (this.#last = this.#toFront(i));
    for (const { top } of this.#stacks)
      for (let call = top; call !== null && call.seq >= seq; call = call.parent)
        if (call.seq === seq) return (this.#last = call);
    return null;
  }

  /** Tasks whose calls never end stay behind those that are at work. */
  #toFront(index: number): Tracked<U> | null {
    const stack = this.#stacks[index] as Stack<U>;
    this.#stacks[index] = this.#stacks[0] as Stack<U>;
    this.#stacks[0] = stack;
    return stack.top;
  }

  begin(key: string): Stack<U> {
    const stack = { key, top: null };
    this.#stacks.push(stack);
    return stack;
  }

  push(stack: Stack<U>, call: Tracked<U>): void {
    stack.top = call;
    this.#last = call;
  }

  pop(stack: Stack<U>): void {
    const top = stack.top?.parent ?? null;
    stack.top = top;
    this.#last = top;
    if (top === null) this.#stacks.splice(this.#stacks.indexOf(stack), 1);
  }

  ofTask(key: string): Stack<U> | undefined {
    return this.#stacks.find((stack) => stack.key === key);
  }
}

const pathsBelow = <U>(path: Path<U> | null, roots: Map<string, Path<U>>): Map<string, Path<U>> =>
  path === null ? roots : path.below;

const newPath = <U>(fn: string, parent: Path<U> | null, use: U): Path<U> => ({
  fn,
  names: parent === null ? [fn] : [fn, ...parent.names],
  use,
  changesPermissions: CHANGES_PERMISSIONS.test(fn),
  below: new Map(),
});

export const callTracker = <U>(
  make: Uses<U>,
  ended: (call: OpenCall, seq: number, by: CallEnd) => void,
): CallTracker<U> => {
  const stacks = new Stacks<U>();
  const roots = new Map<string, Path<U>>();
  const uses = new Map<string, U>();

  const use = (fn: string): U => {
    let known = uses.get(fn);
    if (known === undefined) uses.set(fn, (known = make(fn)));
    return known;
  };
  const pathOf = (fn: string, parent: Path<U> | null): Path<U> => {
    const below = pathsBelow(parent, roots);
    let path = below.get(fn);
    if (path === undefined) below.set(fn, (path = newPath(fn, parent, use(fn))));
    return path;
  };

  /** Calls above `keep` are over. */
  const unwind = (stack: Stack<U>, keep: number, seq: number, by: CallEnd = 'left'): void => {
    for (let { top } = stack; top !== null && top.seq !== keep; { top } = stack) {
      stacks.pop(stack);
      ended(top, seq, by);
    }
  };
  const outside = (event: Event): void => {
    const stack = stacks.ofTask(keyOf(event));
    if (stack !== undefined) unwind(stack, 0, event.seq);
  };
  /** The open call around an event; what was open inside it is over. */
  const around = (event: Event): Tracked<U> | null => {
    const call = stacks.find(event.call);
    if (call !== null && call.stack.top !== call) unwind(call.stack, call.seq, event.seq);
    return call;
  };

  return {
    of: (event) => (event.call === 0 ? null : stacks.find(event.call)),
    use,
    enter: (event) => {
      const parent = event.call === 0 ? null : around(event);
      if (event.call === 0) outside(event);
      const path = pathOf(event.fn, parent?.path ?? null);
      const stack = parent?.stack ?? stacks.begin(keyOf(event));
      const call = {
        seq: event.seq,
        fn: event.fn,
        entered: event,
        parent,
        root: parent?.root as OpenCall,
        permission: parent?.permission ?? null,
        path,
        stack,
      };
      if (parent === null) call.root = call;
      if (call.permission === null && path.changesPermissions) call.permission = call;
      stacks.push(stack, call);
      return path.use;
    },
    returning: (event) => around(event),
    leave: (event) => {
      const call = stacks.find(event.call);
      if (call === null) return;
      stacks.pop(call.stack);
      ended(call, event.seq, 'returned');
    },
    fact: (event) => {
      if (event.call !== 0) around(event);
      // A fact outside any call (a base that became known) may stand between the lines of one.
      else if (event.kind === 'marker' || event.kind === 'operation') outside(event);
    },
    end: (seq) => {
      // A stack that is unwound is no more.
      for (let [stack] = stacks.all; stack !== undefined; [stack] = stacks.all)
        unwind(stack, 0, seq, 'trace');
    },
  };
};
