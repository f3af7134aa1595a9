import type { Event, EventOf } from '../event/event.js';

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
}

/** Calls inside which permissions are on their way: judged when the outermost of them ends. */
const CHANGES_PERMISSIONS =
  /^(?:set_memory_|set_direct_map_|vfree|__vunmap|module_memfree|execmem_free|bpf_jit_free_exec|change_page_attr|alloc_new_pack|bpf_prog_pack_free$)/;

/** Which calls are open, by what the events of each task say. */
export interface CallStack {
  /** The innermost open call in which an event happened; null: outside any. */
  readonly of: (event: Event) => OpenCall | null;
}

interface Stack {
  readonly calls: OpenCall[];
}

const IDLE = /-0$/;

/** Tasks named like the idle task run on every processor at once. */
const keyOf = (event: Event): string => (IDLE.test(event.task) ? `${event.task} ${event.cpu}` : event.task);

export interface CallTracker extends CallStack {
  /** To be told of every event, in order, before it is applied. */
  readonly before: (event: Event) => void;
  /** And after it. */
  readonly after: (event: Event) => void;
  /** The trace is at its end: all calls are over. */
  readonly end: (seq: number) => void;
}

/** `ended` is told how a call ended: by its own line, because its task went on elsewhere, or with the trace. */
export type CallEnd = 'returned' | 'left' | 'trace';

export const callTracker = (ended: (call: OpenCall, seq: number, by: CallEnd) => void): CallTracker => {
  const open = new Map<number, { readonly call: OpenCall; readonly stack: Stack }>();
  const roots = new Map<string, Stack>();

  /** Calls above `keep` are over. */
  const unwind = (stack: Stack, keep: number, seq: number, by: CallEnd = 'left'): void => {
    for (let top = stack.calls.at(-1); top !== undefined && top.seq !== keep; top = stack.calls.at(-1)) {
      stack.calls.pop();
      open.delete(top.seq);
      ended(top, seq, by);
    }
  };

  const outside = (event: Event): void => {
    const key = keyOf(event);
    const stack = roots.get(key);
    if (stack === undefined) return;
    unwind(stack, 0, event.seq);
    roots.delete(key);
  };

  return {
    of: (event) => (event.call === 0 ? null : (open.get(event.call)?.call ?? null)),
    before: (event) => {
      if (event.kind === 'returned') {
        const own = open.get(event.call);
        if (own !== undefined) unwind(own.stack, event.call, event.seq);
        return;
      }
      if (event.call === 0) {
        // A fact outside any call (a base that became known) may stand between the lines of one.
        if (event.kind === 'entered' || event.kind === 'marker' || event.kind === 'operation') outside(event);
      } else {
        const around = open.get(event.call);
        if (around !== undefined && around.stack.calls.at(-1)?.seq !== event.call)
          unwind(around.stack, event.call, event.seq);
      }
      if (event.kind !== 'entered') return;
      const around = event.call === 0 ? undefined : open.get(event.call);
      const stack: Stack = around?.stack ?? { calls: [] };
      const parent = around?.call ?? null;
      const call = {
        seq: event.seq,
        fn: event.fn,
        entered: event,
        parent,
        root: null as unknown as OpenCall,
        permission: parent?.permission ?? null,
      };
      call.root = parent?.root ?? call;
      if (call.permission === null && CHANGES_PERMISSIONS.test(event.fn)) call.permission = call;
      stack.calls.push(call);
      open.set(event.seq, { call, stack });
      if (parent === null) roots.set(keyOf(event), stack);
    },
    after: (event) => {
      if (event.kind !== 'returned') return;
      const own = open.get(event.call);
      if (own === undefined) return;
      own.stack.calls.pop();
      open.delete(event.call);
      ended(own.call, event.seq, 'returned');
      if (own.stack.calls.length === 0) roots.delete(keyOf(event));
    },
    end: (seq) => {
      for (const stack of roots.values()) unwind(stack, 0, seq, 'trace');
      roots.clear();
    },
  };
};
