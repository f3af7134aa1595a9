/** One run of a search: an emulation with faults, audited as it goes. */
import type { Arch } from '../../arch/arch.js';
import { auditor } from '../../audit/audit.js';
import type { Finding } from '../../audit/finding.js';
import { RULES } from '../../audit/rules.js';
import type { Event } from '../../event/event.js';
import { FAILING } from '../../kernel/failing.js';
import { digest, putState } from '../../memory/stateHash.js';
import type { Profile } from '../../profile/profile.js';
import type { Workload } from '../../workload/workload.js';
import { bootEvents, emulate } from '../emulate/emulate.js';
import { faultsOf, type Fault } from '../emulate/faults.js';
import type { Backing } from '../emulate/policies.js';

/** Rules that are invariants; the others name known failures that break none. */
export const INVARIANTS = RULES.filter(({ id }) => id.startsWith('I'));

/** A call that could have failed: which call of its function inside which operation. */
export interface Occasion {
  readonly fn: string;
  readonly operation: number;
  /** From 1, inside the operation. */
  readonly nth: number;
  /** Which of the calls of this function by the same caller it is, from 1, and how many there are. */
  readonly sibling: number;
  siblings: number;
  /** It was made to fail. */
  readonly failed: boolean;
  /** Number of its event: later occasions have higher ones. */
  readonly seq: number;
}

export interface TrialInput {
  readonly workload: Workload;
  readonly profile: Profile;
  readonly arch: Arch;
  readonly frames: Backing;
  readonly seed: number;
  readonly faults: readonly Fault[];
}

export interface Trial {
  /** The first finding of each pattern of each rule, in the order in which they were told. */
  readonly broken: readonly Finding[];
  readonly occasions: readonly Occasion[];
  readonly events: number;
  /** It came to a state that another run had been in, and ended there: what follows is known. */
  readonly merged: boolean;
  /** States between operations. */
  readonly states: number;
  /** How often each fault happened. */
  readonly happened: readonly number[];
  /** Of all its events; empty where that was not asked for. */
  readonly log: string;
}

export interface TrialHooks {
  /** Told of the state before each operation; false: it is known, the run may end. */
  readonly fresh?: (state: string) => boolean;
  /** Whether a digest of the log is wanted. */
  readonly log?: boolean;
}

/** Results that rules remember until a program is put into use, or memory is given back. */
const REMEMBERED =
  /^(?:set_|change_page_attr|bpf_arch_text|text_poke|bpf_jit_binary_pack_finalize|alloc_pages)/;

const CHOICES: Readonly<Record<string, string>> = { buffer: 'kvmalloc', pageTable: 'alloc_pages' };
const BATCH = 1024;

export const keyOf = ({ rule, pattern }: Pick<Finding, 'rule' | 'pattern'>): string => `${rule} ${pattern}`;

export const trial = (input: TrialInput, hooks: TrialHooks = {}): Trial => {
  const { workload, profile, arch, seed } = input;
  const { given } = bootEvents({ workload, profile, arch, seed });
  const broken = new Map<string, Finding>();
  let operation = 0;
  const audit = auditor({ profile, arch, kernel: null, source: 'emulation' }, given, INVARIANTS, {
    found: (finding) => {
      if (!broken.has(keyOf(finding))) broken.set(keyOf(finding), finding);
    },
  });
  const faults = faultsOf(input.faults);
  const occasions: Occasion[] = [];
  const inOperation = new Map<string, number>();
  /** Calls of a function by one caller. */
  const siblings = new Map<string, Occasion[]>();
  const remembered = new Set<string>();
  let failing = false;
  let batch: Event[] = [];
  const feed = (): void => {
    audit.feed(batch);
    batch = [];
  };
  const occasion = (fn: string, event: Event): void => {
    const nth = (inOperation.get(fn) ?? 0) + 1;
    inOperation.set(fn, nth);
    const caller = `${event.call} ${fn}`;
    const others = siblings.get(caller) ?? [];
    const one = {
      fn,
      operation,
      nth,
      sibling: others.length + 1,
      siblings: 0,
      failed: failing,
      seq: event.seq,
    };
    if (failing && REMEMBERED.test(fn)) remembered.add(fn);
    failing = false;
    others.push(one);
    siblings.set(caller, others);
    occasions.push(one);
  };
  const countSiblings = (): void => {
    for (const list of siblings.values()) for (const one of list) one.siblings = list.length;
    siblings.clear();
  };
  const log = hooks.log === true ? digest() : null;
  let merged = false;
  let states = 0;
  let pending: Event | null = null;
  const emulated = emulate({
    workload,
    profile,
    arch,
    seed,
    backing: input.frames,
    fail: (fn, nth, args) => {
      const errno = faults.failing(fn, nth, args);
      failing = errno !== undefined;
      // The line of the call came before.
      if (pending !== null && pending.kind === 'entered' && pending.fn === fn) occasion(fn, pending);
      pending = null;
      return errno;
    },
    before: (number, machine) => {
      feed();
      if (hooks.fresh !== undefined && number > 1 && faults.spent()) {
        states++;
        const state = digest();
        state.number(number);
        for (const fn of [...remembered].sort()) state.text(fn);
        putState(state, machine.memory());
        if (!hooks.fresh(state.take())) {
          merged = true;
          return false;
        }
      }
      operation = number;
      inOperation.clear();
      countSiblings();
      faults.began(number);
      return true;
    },
    emit: (event) => {
      batch.push(event);
      log?.text(JSON.stringify(event));
      if (batch.length === BATCH) feed();
      if (event.kind === 'entered') pending = FAILING.has(event.fn) ? event : null;
      else if (event.kind === 'chosen') {
        const fn = CHOICES[event.what];
        if (fn !== undefined) occasion(fn, event);
      }
    },
  });
  feed();
  audit.finish();
  countSiblings();
  return {
    broken: [...broken.values()],
    occasions,
    events: emulated.events,
    merged,
    states,
    happened: faults.happened(),
    log: log?.take() ?? '',
  };
};
