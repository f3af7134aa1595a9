/** I8: translations that are stale are flushed before anybody relies on the change. */
import type { Event } from '../../event/event.js';
import { Space } from '../../event/pages.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import { FLUSHES as FLUSHED, PERMISSIONS } from '../needs.js';
import { always, type Audit, type Rule, type Watch } from '../rule.js';
import { rangeText } from './aliases.js';

interface Stale {
  readonly space: number;
  readonly page: number;
  pages: number;
  /** The last event that took a permission away. */
  seq: number;
}

/** What a probe shows a flush by. */
const FLUSHES =
  /^(?:cpa_flush|flush_tlb|__flush_tlb|_vm_unmap_aliases|__purge_vmap_area_lazy|__split_large_page|cpa_collapse)/;

const TAKEN = Prot.present | Prot.writable | Prot.executable;

const watch = (audit: Audit): Watch => {
  /** By permission call. */
  const stale = new Map<number, Stale[]>();

  const take = (event: Event & { page: number; pages: number; space: number }): void => {
    const call = audit.calls.of(event)?.permission ?? null;
    if (call === null) return;
    const list = stale.get(call.seq);
    if (list === undefined) {
      stale.set(call.seq, [{ space: event.space, page: event.page, pages: event.pages, seq: event.seq }]);
      return;
    }
    const last = list.at(-1);
    if (last !== undefined && last.space === event.space && last.page + last.pages === event.page) {
      last.pages += event.pages;
      last.seq = event.seq;
    } else list.push({ space: event.space, page: event.page, pages: event.pages, seq: event.seq });
  };

  /** Where the ranges lie as addresses: the direct map shows a frame at its base plus the pfn. */
  const addressOf = ({ space, page }: Stale): number | null => {
    const base = audit.memory().directBase;
    if (space === Space.virtual) return page;
    return base === 0 && audit.subject.arch?.directBase !== 0 ? null : base + page;
  };

  return {
    after: {
      permission: (event) => {
        if ((event.clear & TAKEN) !== 0) take(event);
      },
      'tlb-flushed': (event) => {
        if (stale.size === 0) return;
        for (const [call, list] of stale) {
          const left =
            event.pages === 0
              ? []
              : list.filter((range) => {
                  const at = addressOf(range);
                  return at === null || at < event.page || at + range.pages > event.page + event.pages;
                });
          audit.checked(event, FLUSHES);
          if (left.length === 0) stale.delete(call);
          else stale.set(call, left);
        }
      },
    },
    ended: (call, seq) => {
      const list = call.permission === call ? stale.get(call.seq) : undefined;
      if (list === undefined) return;
      stale.delete(call.seq);
      for (const range of list)
        audit.report({
          pattern:
            range.space === Space.virtual
              ? 'a permission was taken away and its translations were not flushed'
              : 'a permission of the direct map was taken away and its translations were not flushed',
          message: `${rangeText(range.page, range.pages)}${range.space === Space.direct ? ' of the direct map' : ''}: ${call.fn} ended without a TLB flush that covers them`,
          start: Address.of(range.page),
          bytes: range.pages * PAGE_SIZE,
          space: range.space === Space.virtual ? 'virtual' : 'physical',
          from: range.seq,
          to: null,
          evidence: [
            { seq: range.seq, shows: 'took the permission away' },
            { seq, shows: `${call.fn} was over` },
          ],
          failures: ['F14'],
        });
    },
  };
};

export const I8: Rule = Object.freeze({
  id: 'I8',
  title: 'when a call that takes a permission away ends, a TLB flush has covered every page and alias',
  severity: 'error',
  rationale: 'A processor that keeps the old translation goes on writing or executing.',
  exceptions: [
    'Unmapping is flushed lazily by design, at the purge of the addresses.',
    'Flushes that no probe shows are taken from the model: then the verdict is unknown, not "holds".',
  ],
  applies: always,
  needs: () => [PERMISSIONS, FLUSHED],
  watch,
});
