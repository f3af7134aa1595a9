/** I18: branch predictors are flushed before memory is used again by classic programs. */
import { Memory } from '../../memory/memory.js';
import type { OpenCall } from '../calls.js';
import { chunkCalls } from '../needs.js';
import { type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { valueOf } from '../values.js';
import { bytesText, placeFinding } from './places.js';

const ofAllocation = (call: OpenCall | null): OpenCall | null => {
  for (let at = call; at !== null; at = at.parent) if (at.fn === 'bpf_prog_pack_alloc') return at;
  return null;
};

const watch = (audit: Audit): Watch => {
  /** Whether the flush is in use, as the last allocation was told; null: nobody said. */
  let inUse: boolean | null = null;
  return {
    after: {
      chosen: (event) => {
        if (event.what === 'predictor') inUse = event.value === 'yes';
      },
    },
    before: {
      'chunk-allocated': (event) => {
        const call = ofAllocation(audit.calls.of(event));
        const classic = call === null ? null : valueOf(call.entered, 'was_classic');
        if (classic === null) return audit.unknown('whether a program was classic was not recorded');
        if ((classic.lo & 0xff) === 0) return;
        if (inUse === null) return audit.unknown('whether the predictor flush is in use was not recorded');
        if (!inUse) return;
        audit.checked(event);
        const pack = Memory.packAt(audit.memory(), event.at.page);
        if (pack === null || !pack.dirty) return;
        audit.report(
          placeFinding(event.at, event.bytes, {
            pattern: 'a classic program got used memory without a predictor flush',
            message: `${bytesText(event.at, event.bytes)} went to a classic program; the predictors may still be trained by what ran there`,
            from: event.seq,
            evidence: [
              { seq: call?.seq ?? event.seq, shows: 'asked for memory for a classic program' },
              { seq: event.seq, shows: 'gave it in a pack for which a flush was due' },
            ],
            failures: ['F34'],
          }),
        );
      },
    },
  };
};

export const I18: Rule = Object.freeze({
  id: 'I18',
  title: 'before a classic program gets memory that was used the branch predictors are flushed',
  severity: 'warning',
  rationale: 'A program of one user can train the predictors for code that another runs at the same address.',
  exceptions: ['Only where the kernel has the flush and it is in use (a static key of the mitigation).'],
  applies: ({ profile }: Subject) =>
    profile === null || profile.predictorFlush ? null : 'this kernel has no predictor flush for BPF (F34)',
  needs: chunkCalls,
  watch,
});
