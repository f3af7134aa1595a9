/** I6: what programs are charged for JIT memory. */
import { Memory } from '../../memory/memory.js';
import { CHARGES, FREED } from '../needs.js';
import { always, type Audit, type Rule, type Watch } from '../rule.js';

/** What one root call did to the charge and to the images that are charged. */
interface Balance {
  charged: number;
  live: number;
  /** Programs taken or given back. */
  programs: number;
  /** The last event that charged, or that gave a program back. */
  seq: number;
}

/** Root calls whose charges belong to images that are known. */
const JIT = new Set(['bpf_int_jit_compile', 'bpf_jit_free', 'bpf_trampoline_update', 'bpf_tramp_image_free']);

const watch = (audit: Audit): Watch => {
  const open = new Map<number, Balance>();
  /** Charges may have been made that no line and no model shows. */
  let diverged = false;
  const balanceOf = (root: number): Balance => {
    let balance = open.get(root);
    if (balance === undefined) {
      balance = { charged: 0, live: 0, programs: 0, seq: 0 };
      open.set(root, balance);
    }
    return balance;
  };

  return {
    before: {
      'program-freed': (event) => {
        const root = audit.calls.of(event)?.root.seq ?? 0;
        const program = Memory.program(audit.memory(), event.program);
        if (root === 0 || program === null || program.type === 'dispatcher') return;
        const balance = balanceOf(root);
        balance.live -= program.bytes;
        balance.programs++;
        balance.seq = event.seq;
      },
    },
    after: {
      divergence: () => {
        diverged = true;
      },
      charged: (event) => {
        audit.checked(event);
        const { charged } = audit.memory();
        if (charged !== null && charged < 0 && diverged)
          audit.unknown('what was charged in calls that the model could not follow is not known');
        else if (charged !== null && charged < 0)
          audit.report({
            pattern: 'more was uncharged than charged',
            message: `${-event.bytes} bytes were uncharged: ${-charged} bytes more than were ever charged`,
            start: null,
            bytes: -charged,
            space: null,
            from: event.seq,
            to: null,
            evidence: [{ seq: event.seq, shows: 'uncharged them' }],
            failures: [],
          });
        const root = audit.calls.of(event)?.root ?? null;
        if (root === null || !JIT.has(root.fn))
          return audit.unknown('charges were made for memory whose owner is not known');
        const balance = balanceOf(root.seq);
        balance.charged += event.bytes;
        balance.seq = event.seq;
      },
      'program-allocated': (event) => {
        const root = audit.calls.of(event)?.root.seq ?? 0;
        if (root === 0 || event.type === 'dispatcher') return;
        const balance = balanceOf(root);
        balance.live += event.bytes;
        balance.programs++;
      },
    },
    rootEnded: (call, seq) => {
      const balance = open.get(call.seq);
      if (balance === undefined) return;
      open.delete(call.seq);
      const more = balance.charged - balance.live;
      if (!JIT.has(call.fn) || more === 0) return;
      if (balance.programs === 0 && more < 0)
        return audit.unknown('an image that is older than the trace was uncharged');
      audit.report({
        pattern:
          more > 0 ? 'memory stays charged that no image holds' : 'an image is held that is not charged',
        message: `${call.fn}: ${Math.abs(more)} bytes ${more > 0 ? 'stay charged for ever, no image holds them' : 'are held and not charged'}`,
        start: null,
        bytes: Math.abs(more),
        space: null,
        from: seq,
        to: null,
        evidence: [
          { seq: balance.seq, shows: 'was the last change of charge or images' },
          { seq, shows: `${call.fn} was over` },
        ],
        failures: more > 0 ? ['F11'] : [],
      });
    },
  };
};

export const I6: Rule = Object.freeze({
  id: 'I6',
  title: 'what is charged is what the images hold',
  severity: 'warning',
  rationale:
    'A charge that is never taken back counts against bpf_jit_limit until the next boot: in the end no program can be loaded.',
  exceptions: [
    'The dispatcher is not charged.',
    'Charges by trampolines (6.8 and later) are not judged: who holds their memory is not recorded.',
    'To 7.1 at least, every kernel keeps the charge when an image cannot be finalized (F11): it is reported.',
  ],
  applies: always,
  needs: () => [CHARGES, FREED],
  watch,
});
