/** Rules about large pages: I11, I12, I15, and the fragmentation of F39. */
import { unitOf } from '../../arch/arch.js';
import type { EventOf } from '../../event/event.js';
import { Space } from '../../event/pages.js';
import { Memory, NO_FRAME } from '../../memory/memory.js';
import { NODE_PAGES, PageTable } from '../../memory/pageTable.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import { Word } from '../../value/words.js';
import type { OpenCall } from '../calls.js';
import { COLLAPSES, DIRECT_MAP, PERMISSIONS } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { rangeText } from './aliases.js';

const LARGE_PAGES = 512;
const LARGE = 21;
const pagesOf = (shift: number): number => 2 ** (shift - 12);

const tableOf = (audit: Audit, space: number) =>
  space === Space.direct ? audit.memory().direct : audit.memory().virtual;

const spaceOf = (space: number) =>
  (space === Space.direct ? 'physical' : 'virtual') as 'physical' | 'virtual';

/** A numeric or address argument of a call, by name. */
export const argument = (entered: EventOf<'entered'>, name: string): Word | null => {
  const index = entered.names.split(',').indexOf(name);
  return index < 0 ? null : { hi: entered.values.hi[index] ?? 0, lo: entered.values.lo[index] ?? 0 };
};

const SET_MEMORY = /^set_memory_/;

/** Pages that the set_memory_* call around was asked to change; `unit`: those of 4 KiB in one of the architecture. */
export const asked = (
  call: OpenCall | null,
  unit: number,
): { readonly page: number; readonly end: number; readonly call: OpenCall } | null => {
  for (let at = call; at !== null; at = at.parent) {
    if (!SET_MEMORY.test(at.fn)) continue;
    const addr = argument(at.entered, 'addr');
    const pages = argument(at.entered, 'numpages');
    if (addr === null || pages === null) return null;
    const { page } = Word.toAddress(addr);
    return { page, end: page + pages.lo * unit, call: at };
  }
  return null;
};

const watchChanges = (audit: Audit): Watch => {
  const { arch } = audit.subject;
  const unit = arch === null ? 1 : unitOf(arch);
  const outside = (event: EventOf<'permission'>): void => {
    const request = asked(audit.calls.of(event), unit);
    if (request === null) return;
    let first = -1;
    let pages = 0;
    for (let i = 0; i < event.pages; i++) {
      let page = event.page + i;
      if (event.space === Space.direct) {
        const node = PageTable.node(audit.memory().direct, page);
        const backs = node === undefined ? -1 : (node.frame[page % NODE_PAGES] as number);
        // Nothing known of what it backs: nothing to be said.
        if (backs < 0) continue;
        page = backs;
      }
      if (page >= request.page && page < request.end) continue;
      if (first < 0) first = event.page + i;
      pages++;
    }
    if (pages === 0) return;
    audit.report({
      pattern:
        event.space === Space.direct
          ? 'the alias of more than the range that was asked for was changed'
          : 'more than the range that was asked for was changed',
      message: `${rangeText(first, pages)}${event.space === Space.direct ? ' of the direct map' : ''} changed by ${request.call.fn} of ${rangeText(request.page, request.end - request.page)}`,
      start: Address.of(first),
      bytes: pages * PAGE_SIZE,
      space: spaceOf(event.space),
      from: event.seq,
      to: null,
      evidence: [
        { seq: request.call.seq, shows: 'asked for the change' },
        { seq: event.seq, shows: 'changed something else' },
      ],
      failures: event.space === Space.direct ? ['F19'] : ['F18'],
    });
  };

  return {
    before: {
      permission: (event) => {
        audit.checked(event);
        outside(event);
        const table = tableOf(audit, event.space);
        const end = event.page + event.pages;
        for (const page of event.pages === 1 ? [event.page] : [event.page, end - 1]) {
          const entry = PageTable.get(table, page);
          if (entry === null || entry.shift <= 12) continue;
          const first = page - (page % pagesOf(entry.shift));
          if (first >= event.page && first + pagesOf(entry.shift) <= end) continue;
          // A large leaf of which every part changes alike is changed in steps, too.
          if (event.space === Space.direct && Prot.change(entry.prot, event.set, event.clear) === entry.prot)
            continue;
          audit.report({
            pattern: 'part of a large page changed and the page was not split',
            message: `${rangeText(event.page, event.pages)} changed inside a ${pagesOf(entry.shift) * 4} KiB page that was not split`,
            start: Address.of(event.page),
            bytes: event.pages * PAGE_SIZE,
            space: spaceOf(event.space),
            from: event.seq,
            to: null,
            evidence: [
              { seq: entry.cause, shows: 'left a large page there' },
              { seq: event.seq, shows: 'changed a part of it' },
            ],
            failures: ['F18', 'F20'],
          });
          break;
        }
      },
    },
  };
};

export const I11: Rule = Object.freeze({
  id: 'I11',
  title:
    'a permission changes on exactly the pages that were asked for; a large page is split before a part of it changes',
  severity: 'error',
  rationale:
    'A change that is wider than asked for takes permissions from, or gives them to, memory of somebody else.',
  exceptions: ['On x86 the alias of each changed page changes with it.'],
  applies: always,
  needs: () => [PERMISSIONS],
  watch: watchChanges,
});

const watchCollapse = (audit: Audit): Watch => ({
  before: {
    collapsed: (event) => {
      audit.checked(event);
      const table = tableOf(audit, event.space);
      const wrong = (why: string, proof: number): void =>
        audit.report({
          pattern: `pages were merged ${why}`,
          message: `${rangeText(event.page, LARGE_PAGES)} were merged into one large page ${why}`,
          start: Address.of(event.page),
          bytes: LARGE_PAGES * PAGE_SIZE,
          space: spaceOf(event.space),
          from: event.seq,
          to: null,
          evidence: [
            { seq: proof, shows: 'was the last change of the page that does not fit' },
            { seq: event.seq, shows: 'merged them' },
          ],
          failures: ['F30'],
        });
      if (event.page % pagesOf(event.to) !== 0) return wrong('that are not aligned', event.seq);
      const first = PageTable.get(table, event.page);
      if (event.space === Space.direct) return undefined;
      if (first === null) return wrong('of which one is not present', event.seq);
      for (let i = 0; i < pagesOf(event.to); i++) {
        const entry = PageTable.get(table, event.page + i);
        if (entry === null || !Prot.has(entry.prot, Prot.present))
          return wrong('of which one is not present', entry?.cause ?? event.seq);
        if (entry.prot !== first.prot) return wrong('whose permissions differ', entry.cause);
        if (first.frame === NO_FRAME || entry.frame === NO_FRAME || first.frame < 0 !== entry.frame < 0) {
          audit.unknown('the frames of merged pages are not known', event.page, LARGE_PAGES);
          return undefined;
        }
        const expected = first.frame < 0 ? first.frame - i : first.frame + i;
        if (entry.frame !== expected) return wrong('whose memory is not consecutive', entry.cause);
      }
      return undefined;
    },
  },
});

export const I15: Rule = Object.freeze({
  id: 'I15',
  title: 'pages are merged into a large one only when all 512 are present, alike, consecutive and aligned',
  severity: 'error',
  rationale: 'A wrong merge maps memory of somebody else.',
  exceptions: [],
  applies: ({ profile }: Subject) =>
    profile === null || profile.cpa.collapse ? null : 'this kernel does not merge pages (6.15 and later do)',
  needs: () => [PERMISSIONS, COLLAPSES],
  watch: watchCollapse,
});

/** Large pages that were split after the trace began and are still split at its end. */
const watchSplits = (
  audit: Audit,
  space: number,
  failure: string,
  pattern: string,
  only: (page: number) => boolean,
): Watch => {
  const split = new Map<number, EventOf<'split'>>();
  return {
    after: {
      split: (event) => {
        if (event.space !== space) return;
        audit.checked(event);
        split.set(event.page, event);
      },
      collapsed: (event) => {
        if (event.space === space) split.delete(event.page);
      },
      unmapped: (event) => {
        if (space === Space.direct) return;
        for (const page of split.keys())
          if (page >= event.page && page < event.page + event.pages) split.delete(page);
      },
    },
    end: () => {
      for (const event of split.values()) {
        if (!only(event.page)) continue;
        const size = event.from >= 30 ? `${2 ** (event.from - 30)} GiB` : `${2 ** (event.from - 20)} MiB`;
        audit.report({
          pattern,
          message: `${size} at ${space === Space.direct ? 'physical ' : ''}${Address.toText(Address.of(event.page))} stayed split into smaller pages`,
          start: Address.of(event.page),
          bytes: pagesOf(event.from) * PAGE_SIZE,
          space: spaceOf(space),
          from: event.seq,
          to: null,
          evidence: [{ seq: event.seq, shows: 'split it' }],
          failures: [failure],
        });
      }
    },
  };
};

export const F39: Rule = Object.freeze({
  id: 'F39',
  title: 'large pages of the direct map that were split are merged again once nothing needs them small',
  severity: 'note',
  rationale: 'Each split costs TLB reach for the rest of the uptime; no kernel merges aliases again.',
  exceptions: ['A region of which some page still backs executable or read-only memory has to stay split.'],
  applies: always,
  needs: () => [DIRECT_MAP],
  watch: (audit: Audit) =>
    watchSplits(audit, Space.direct, 'F39', 'a large page of the direct map stays split', (page) => {
      const { direct } = audit.memory();
      for (let pfn = page; pfn < page + LARGE_PAGES; pfn++) {
        const entry = PageTable.get(direct, pfn);
        if (
          entry !== null &&
          (entry.prot & (Prot.present | Prot.writable)) !== (Prot.present | Prot.writable)
        )
          return false;
      }
      return true;
    }),
});

export const F28: Rule = Object.freeze({
  id: 'F28',
  title: 'large executable pages stay large',
  severity: 'note',
  rationale: 'A pack on one large page needs one iTLB entry; split, it needs up to 512.',
  exceptions: [],
  applies: always,
  needs: () => [PERMISSIONS],
  watch: (audit: Audit) =>
    watchSplits(audit, Space.virtual, 'F28', 'a large executable page stays split', (page) => {
      const entry = Memory.page(audit.memory(), page);
      return entry !== null && Prot.has(entry.prot, Prot.executable);
    }),
});

const COUNTERS: Readonly<
  Record<string, 'level2Splits' | 'level3Splits' | 'level2Collapses' | 'level3Collapses'>
> = {
  direct_map_level2_splits: 'level2Splits',
  direct_map_level3_splits: 'level3Splits',
  direct_map_level2_collapses: 'level2Collapses',
  direct_map_level3_collapses: 'level3Collapses',
};

const NO_COUNTERS =
  'a recording has the counters only at its beginning: `pagetrail conform` compares them with later dumps';

const watchCounters = (audit: Audit): Watch => {
  let compared = false;
  const count = (event: EventOf<'split'> | EventOf<'collapsed'>): void => {
    if (event.space !== Space.direct) return;
    audit.checked(event);
    const { leaf } = PageTable.node(audit.memory().direct, event.page) ?? { leaf: 0 };
    if (event.kind === 'split' && leaf !== 0 && leaf < Math.min(event.from, LARGE))
      audit.report({
        pattern: 'a page of the direct map that was split already was split again',
        message: `${Address.toText(Address.of(event.page))} (physical) was split, but it was no large page any more`,
        start: Address.of(event.page),
        bytes: pagesOf(event.from) * PAGE_SIZE,
        space: 'physical',
        from: event.seq,
        to: null,
        evidence: [{ seq: event.seq, shows: 'split it again' }],
        failures: [],
      });
  };
  return {
    before: {
      split: count,
      collapsed: count,
      counter: (event) => {
        const name = COUNTERS[event.name];
        if (name === undefined) return;
        const counted = audit.memory().counters[name];
        compared = true;
        audit.checked(event);
        if (event.value === counted) return;
        audit.report({
          pattern: `${event.name} differs from the splits that were seen`,
          message: `${event.name} is ${event.value}; the events say ${counted}`,
          start: null,
          bytes: 0,
          space: null,
          from: event.seq,
          to: null,
          evidence: [{ seq: event.seq, shows: 'gave the counter' }],
          failures: [],
        });
      },
    },
    end: () => {
      if (!compared && audit.subject.source === 'recording') audit.unknown(NO_COUNTERS);
    },
  };
};

export const I12: Rule = Object.freeze({
  id: 'I12',
  title: 'the counters of direct-map splits agree with the splits, and only a collapse undoes one',
  severity: 'warning',
  rationale: 'What the counters show and the trace does not was done by somebody who was not recorded.',
  exceptions: [
    'Later dumps are read by conform, not by import: there the counters are compared. In a recording the verdict is unknown without a finding.',
  ],
  beyond: NO_COUNTERS,
  applies: ({ arch }: Subject) =>
    arch === null || arch.name.startsWith('x86')
      ? null
      : 'this architecture does not count splits of the direct map',
  needs: () => [DIRECT_MAP],
  watch: watchCounters,
});
