/** I1: what is executable was written to be executed. */
import { BLOCK, BLOCKS_PER_PAGE, ContentClass, PageContent } from '../../memory/content.js';
import { Memory, NO_FRAME } from '../../memory/memory.js';
import { Address, PAGE_SIZE } from '../../value/address.js';
import { Prot } from '../../value/prot.js';
import type { Evidence } from '../finding.js';
import { PERMISSIONS, texts } from '../needs.js';
import { always, type Audit, type Rule, type Subject, type Watch } from '../rule.js';
import { followedAreas } from '../followedAreas.js';
import { settledPages } from '../settled.js';
import { rangeText } from './aliases.js';
import { standing, type StandingRun } from '../standing.js';

/** Code of a program that was freed, and is still executable. */
interface Dead {
  readonly at: Address;
  readonly bytes: number;
  readonly freed: number;
  /** Number of its program. */
  readonly program: number;
}

/** What lay in a page when it became executable. */
interface Inherited {
  readonly bytes: number;
  /** The first word that the kernel read there before it wrote; null: none so far. */
  word: { readonly seq: number; readonly value: number } | null;
}

const isExecutable = (memory: Memory, page: number): boolean => {
  const entry = Memory.page(memory, page);
  return entry !== null && Prot.has(entry.prot, Prot.present) && Prot.has(entry.prot, Prot.executable);
};

const contentAt = (memory: Memory, page: number): PageContent | null => {
  const entry = Memory.page(memory, page);
  return entry === null || entry.frame === NO_FRAME ? null : Memory.contentOf(memory, entry.frame);
};

const blocksOf = (content: PageContent, cls: number): number => {
  if (content.uniform) return PageContent.classAt(content, 0) === cls ? BLOCKS_PER_PAGE : 0;
  let blocks = 0;
  for (let block = 0; block < BLOCKS_PER_PAGE; block++)
    if (PageContent.classAt(content, block) === cls) blocks++;
  return blocks;
};

/** Blocks of a range that still hold what a freed program left. */
const deadBlocks = (memory: Memory, { at, bytes, program }: Dead): number => {
  let blocks = 0;
  for (let done = 0; done < bytes; done += BLOCK) {
    const place = Address.add(at, done);
    if (!isExecutable(memory, place.page)) continue;
    const content = contentAt(memory, place.page);
    if (content === null) continue;
    const block = Math.floor(place.offset / BLOCK);
    if (
      PageContent.classAt(content, block) === ContentClass.program &&
      PageContent.refAt(content, block) === program
    )
      blocks++;
  }
  return blocks;
};

const keyOf = (page: number, from: number): string => `${page} ${from}`;

const watch = (audit: Audit): Watch => {
  const { memory } = audit;
  /** By page and the event since which it was so. */
  const inherited = new Map<string, Inherited>();
  /** Of the pages of which it is so now. */
  const now = new Map<number, Inherited>();

  const left = standing(({ page, pages, from, to, proof }: StandingRun) => {
    let bytes = 0;
    const evidence: Evidence[] = [{ seq: proof, shows: 'made it executable' }];
    for (let i = 0; i < pages; i++) {
      const one = inherited.get(keyOf(page + i, from));
      inherited.delete(keyOf(page + i, from));
      bytes += one?.bytes ?? 0;
      const word = one?.word ?? null;
      if (word === null || evidence.length > 1) continue;
      evidence.push({
        seq: word.seq,
        shows: `the kernel read 0x${word.value.toString(16).padStart(8, '0')} there before it wrote anything`,
      });
    }
    audit.report({
      pattern: 'memory became executable without being written for it',
      message: `${rangeText(page, pages)} became executable with ${bytes} bytes of whatever lay there before`,
      start: Address.of(page),
      bytes: pages * PAGE_SIZE,
      space: 'virtual',
      from,
      to,
      evidence,
      failures: ['F1'],
    });
  });

  const followed = followedAreas(audit);

  const settled = settledPages(audit, (page, seq) => {
    const content = contentAt(memory(), page);
    if (Prot.isUnknown(Memory.page(memory(), page)?.prot ?? 0, Prot.executable))
      audit.unknown('whether the page may be executed is not known', page);
    if (!isExecutable(memory(), page)) return left.close(page, seq);
    audit.checked(null);
    if (left.has(page)) return;
    if (content === null) {
      audit.unknown('the bytes of the executable page are not known', page);
      return;
    }
    const leftover = blocksOf(content, ContentClass.leftover);
    if (leftover > 0 && !followed.has(page))
      audit.unknown('what others store in memory that they asked for leaves no line', page);
    else if (leftover > 0) {
      const one = { bytes: leftover * BLOCK, word: null };
      inherited.set(keyOf(page, seq), one);
      now.set(page, one);
      left.open(page, seq, Memory.page(memory(), page)?.cause ?? seq);
    }
    if (blocksOf(content, ContentClass.unknown) > 0)
      audit.unknown('bytes of the executable page are not known', page);
  });

  const dead = new Map<number, Dead[]>();
  /** Pages that the longest of them reaches beyond its first. */
  let longest = 0;
  /** Freed in a call that is still open: judged when its root call ends. */
  const freed = new Map<number, Dead[]>();

  const reportDead = (one: Dead, to: number | null): void =>
    audit.report({
      pattern: 'code of a freed program stays executable',
      message: `${one.bytes} bytes at ${Address.toText(one.at)}: the code of program:${one.program} was freed and could still be executed`,
      start: one.at,
      bytes: one.bytes,
      space: 'virtual',
      from: one.freed,
      to,
      evidence: [
        { seq: one.freed, shows: 'gave the memory back' },
        ...(to === null ? [] : [{ seq: to, shows: 'overwrote or unmapped it' }]),
      ],
      failures: ['F2'],
    });

  const judge = (list: readonly Dead[]): void => {
    for (const one of list) {
      audit.checked(null);
      if (deadBlocks(memory(), one) === 0) continue;
      longest = Math.max(longest, Address.add(one.at, one.bytes - 1).page - one.at.page);
      const known = dead.get(one.at.page);
      if (known === undefined) dead.set(one.at.page, [one]);
      else known.push(one);
    }
  };

  /** Something was written to, or done with, pages: what of the dead code there is gone? */
  const recheck = (from: Address, bytes: number, seq: number): void => {
    if (dead.size === 0) return;
    const { page } = from;
    const pages = Address.add(from, bytes - 1).page - page + 1;
    const touched = (one: Dead): boolean => {
      const into = Address.minus(one.at, from);
      return into < bytes && into + one.bytes > 0;
    };
    const look = (at: number): void => {
      const list = dead.get(at);
      if (list === undefined || !list.some(touched)) return;
      const still = list.filter((one) => {
        if (!touched(one) || deadBlocks(memory(), one) > 0) return true;
        reportDead(one, seq);
        return false;
      });
      if (still.length === 0) dead.delete(at);
      else if (still.length < list.length) dead.set(at, still);
    };
    const first = page - longest;
    if (pages + longest > dead.size) {
      for (const at of dead.keys()) if (at >= first && at < page + pages) look(at);
    } else for (let at = first; at < page + pages; at++) look(at);
  };

  return {
    ...settled,
    after: {
      ...settled.after,
      'area-allocated': followed.allocated,
      seen: (event) => {
        const one = left.has(event.at.page) ? now.get(event.at.page) : undefined;
        if (one !== undefined) one.word ??= { seq: event.seq, value: event.value };
      },
      'chunk-freed': (event) => {
        const program = Memory.programAt(memory(), event.at);
        if (program === null) return;
        const one: Dead = { at: event.at, bytes: event.bytes, freed: event.seq, program: program.number };
        const root = audit.calls.of(event)?.root.seq ?? 0;
        if (root === 0) return judge([one]);
        const list = freed.get(root);
        if (list === undefined) freed.set(root, [one]);
        else list.push(one);
      },
      copied: (event) => recheck(event.to, event.length, event.seq),
      filled: (event) => recheck(event.to, event.length, event.seq),
      unmapped: (event) => {
        settled.after?.unmapped?.(event);
        recheck(Address.of(event.page), event.pages * PAGE_SIZE, event.seq);
      },
      permission: (event) => {
        settled.after?.permission?.(event);
        if (event.space === 0) recheck(Address.of(event.page), event.pages * PAGE_SIZE, event.seq);
      },
    },
    rootEnded: (call) => {
      const list = freed.get(call.seq);
      if (list === undefined) return;
      freed.delete(call.seq);
      judge(list);
    },
    end: () => {
      settled.end?.();
      for (const list of freed.values()) judge(list);
      for (const list of dead.values()) for (const one of list) reportDead(one, null);
      left.tell(true);
    },
  };
};

export const I1: Rule = Object.freeze({
  id: 'I1',
  title:
    'every executable byte was last written to be executed: a fill, a text copy, or the JIT that owns it',
  severity: 'error',
  rationale:
    'Executable memory that holds old data, or the code of a program that is gone, is material for an attacker who can divert one jump.',
  exceptions: ['What the first dump shows executable already is of unknown origin, not a finding.'],
  applies: always,
  needs: (subject: Subject) => [PERMISSIONS, ...texts(subject)],
  watch,
});
