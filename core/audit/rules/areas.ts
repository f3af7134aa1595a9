/** Rules about vmalloc areas: I13 and I20. */
import { unitOf } from '../../arch/arch.js';
import type { EventOf } from '../../event/event.js';
import { Memory, type Area } from '../../memory/memory.js';
import { SparseMap } from '../../memory/sparse.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Word } from '../../value/words.js';
import { AREAS_FREED, AREAS_GIVEN, PURGES, protections } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { rangeText } from './aliases.js';
import { argument } from './leaves.js';

const SET_MEMORY = [
  ...['ro', 'rw', 'x', 'nx', 'rox', 'np', '4k'].map((suffix) => `set_memory_${suffix}`),
  // What these are where they have no functions of their own.
  'change_memory_attr',
  '__set_memory',
];

/** Whether a page lies in the range of modules; false where the architecture is not known. */
export const inModules = (audit: Audit, page: number): boolean => {
  const { arch, profile } = audit.subject;
  if (arch === null) return false;
  // The widest range that the architecture ever uses for it.
  const [a, aEnd] = arch.moduleRange({ name: profile?.name ?? '', kaslrCompiledIn: false });
  const [b, bEnd] = arch.moduleRange({ name: profile?.name ?? '', kaslrCompiledIn: true });
  return page >= Math.min(a, b) && page < Math.max(aEnd, bEnd);
};

const watchRequests = (audit: Audit): Watch => {
  const request = (event: EventOf<'entered'>): void => {
    const addr = argument(event, 'addr');
    const numpages = argument(event, 'numpages');
    if (addr === null || numpages === null) return;
    const { page } = Word.toAddress(addr);
    const unit = audit.subject.arch === null ? 1 : unitOf(audit.subject.arch);
    const pages = numpages.lo * unit;
    if (!inModules(audit, page) || pages === 0) return;
    audit.checked(event);
    const area = Memory.areaAt(audit.memory(), page);
    const wrong = (why: string): void =>
      audit.report({
        pattern: `${event.fn} of a range that ${why}`,
        message: `${event.fn} of ${rangeText(page, pages)}, which ${why}`,
        start: Address.of(page),
        bytes: pages * PAGE_SIZE,
        space: 'virtual',
        from: event.seq,
        to: null,
        evidence: [{ seq: event.seq, shows: 'asked for it' }],
        failures: ['F20'],
      });
    if (area === null) {
      if (audit.memory().areas === SparseMap.empty()) audit.unknown('the areas are not known', page, pages);
      else wrong('lies in no area');
    } else if (area.state === 'lazy') wrong('lies in an area that was freed');
    else if (page + pages > area.start + area.pages - unit) wrong('reaches beyond its area');
  };
  return { entered: Object.fromEntries(SET_MEMORY.map((fn) => [fn, request])) };
};

export const I13: Rule = Object.freeze({
  id: 'I13',
  title: 'set_memory_* is asked for pages of one live area',
  severity: 'error',
  rationale:
    'A range that reaches further changes memory of somebody else; some architectures refuse it, and the result is often not looked at.',
  exceptions: ['Only ranges in the module area are judged: of other areas the trace may not know.'],
  applies: always,
  needs: (subject: Subject) => protections(subject, 'the range of'),
  watch: watchRequests,
});

const watchAreas = (audit: Audit): Watch => {
  let purges = 0;
  const overlapping = (start: number, pages: number): readonly Area[] => {
    const found: Area[] = [];
    let at = SparseMap.floor(audit.memory().areas, start + pages - 1);
    while (at !== null && at[1].start + at[1].pages > start) {
      found.push(at[1]);
      at = SparseMap.floor(audit.memory().areas, at[0] - 1);
    }
    return found;
  };
  return {
    before: {
      'areas-purged': () => {
        purges++;
      },
      'area-allocated': (event) => {
        audit.checked(event);
        for (const area of overlapping(event.start, event.pages)) {
          if (area.state === 'lazy' && purges === 0) {
            audit.unknown(
              'no purge was recorded: when freed addresses could be used again is not known',
              event.start,
              event.pages,
            );
            continue;
          }
          const live = area.state === 'live';
          audit.report({
            pattern: live
              ? 'an area overlaps one that is in use'
              : 'addresses were used again before a purge',
            message: `${rangeText(event.start, event.pages)} given out while ${rangeText(area.start, area.pages)} ${live ? 'was in use' : 'waited for a purge'}`,
            start: Address.of(event.start),
            bytes: event.pages * PAGE_SIZE,
            space: 'virtual',
            from: event.seq,
            to: null,
            evidence: [
              { seq: area.since, shows: live ? 'gave out the earlier area' : 'freed the earlier area' },
              { seq: event.seq, shows: 'gave out the addresses again' },
            ],
            failures: [],
          });
        }
      },
    },
  };
};

export const I20: Rule = Object.freeze({
  id: 'I20',
  title: 'areas do not overlap, and freed addresses are used again only after a purge',
  severity: 'error',
  rationale: 'Before the purge processors may still hold translations of the old area.',
  exceptions: [],
  applies: always,
  needs: () => [AREAS_GIVEN, AREAS_FREED, PURGES],
  watch: watchAreas,
});
