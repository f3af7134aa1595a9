/** I21: what a lock keeps apart does not overlap. */
import type { EventOf } from '../../event/event.js';
import type { OpenCall } from '../calls.js';
import { chunkCalls, pokes } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { valueOf } from '../values.js';
import { Word } from '../../value/words.js';

/** Calls that happen under a lock, of which the recording shows both ends. */
interface Held {
  readonly call: number;
  readonly task: string;
  /** Calls of other tasks under the same lock that began meanwhile. */
  readonly intruders: EventOf<'entered'>[];
}

const PACK_CALLS = new Set(['bpf_prog_pack_alloc', 'bpf_prog_pack_free']);
/** What these two do, they do under pack_mutex. */
const UNDER_PACK_MUTEX = [
  'alloc_new_pack',
  'module_alloc',
  'module_alloc_huge',
  'bpf_jit_alloc_exec',
  'bpf_arch_text_invalidate',
  'module_memfree',
  'bpf_jit_free_exec',
  'set_memory_ro',
  'set_memory_x',
  'set_memory_rox',
];

const watchLock = (
  audit: Audit,
  lock: string,
  isUnder: (caller: OpenCall | null) => boolean,
  failures: readonly string[],
) => {
  const open = new Map<number, Held>();
  return {
    entered: (event: EventOf<'entered'>): void => {
      if (!isUnder(audit.calls.of(event))) return;
      audit.checked(event);
      for (const held of open.values())
        // One whose end was lost is open no more: its task has gone on.
        if (held.task !== event.task) held.intruders.push(event);
        else open.delete(held.call);
      open.set(event.seq, { call: event.seq, task: event.task, intruders: [] });
    },
    returned: (event: EventOf<'returned'>): void => {
      const held = open.get(event.call);
      if (held === undefined) return;
      open.delete(event.call);
      for (const intruder of held.intruders) {
        const at = valueOf(intruder, 'addr') ?? valueOf(intruder, 'dst');
        audit.report({
          pattern: `two tasks are inside what ${lock} keeps apart`,
          message: `${intruder.task} entered ${intruder.fn} while ${held.task} was in ${event.fn}, both under ${lock}`,
          start: at === null ? null : Word.toAddress(at),
          bytes: 0,
          space: at === null ? null : 'virtual',
          from: intruder.seq,
          to: event.seq,
          evidence: [
            { seq: held.call, shows: `${held.task} entered ${event.fn}` },
            { seq: intruder.seq, shows: `${intruder.task} entered ${intruder.fn}` },
            { seq: event.seq, shows: `${event.fn} of ${held.task} ended` },
          ],
          failures,
        });
      }
    },
  };
};

const watch = (audit: Audit): Watch => {
  const text = watchLock(audit, 'text_mutex', () => true, ['F32']);
  const packs = watchLock(audit, 'pack_mutex', (caller) => caller !== null && PACK_CALLS.has(caller.fn), []);
  return {
    entered: {
      ...Object.fromEntries(UNDER_PACK_MUTEX.map((fn) => [fn, packs.entered])),
      __text_poke: text.entered,
    },
    returned: {
      ...Object.fromEntries(UNDER_PACK_MUTEX.map((fn) => [fn, packs.returned])),
      __text_poke: text.returned,
    },
  };
};

export const I21: Rule = Object.freeze({
  id: 'I21',
  title: 'one task at a time changes packs, and one at a time patches text',
  severity: 'error',
  rationale: 'Two pokes at once share one window; two changes of a bitmap lose one of them.',
  exceptions: [
    'A call that waits for the lock has been entered already: only what is called under it counts.',
    'Only calls of which both ends were recorded are compared.',
  ],
  applies: always,
  needs: (subject: Subject) => [...pokes(subject), ...chunkCalls(subject)],
  watch,
});
