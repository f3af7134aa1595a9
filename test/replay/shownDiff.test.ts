import { expect } from 'chai';
import * as fc from 'fast-check';
import { BLOCKS_PER_PAGE, CONTENT_CLASSES, PageContent } from '../../core/memory/content.js';
import { evolveAll, folder } from '../../core/memory/evolve.js';
import { Memory, nothing } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { decodeMemory, encodeMemory } from '../../core/memory/snapshot.js';
import type { Event, Fact } from '../../core/event/event.js';
import { Address } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { must } from '../../replay/failed.js';
import { programs, type ShownProgram } from '../../replay/programs.js';
import { shownDiff } from '../../replay/shownDiff.js';
import { anyStream } from '../core/memory/arbitrary.js';
import { numbered } from './given.js';

const twoMoments = fc
  .tuple(anyStream(), fc.nat({ max: 120 }), fc.nat({ max: 120 }))
  .map(([events, i, j]) => ({
    a: evolveAll(nothing, events.slice(0, i)),
    b: evolveAll(nothing, events.slice(0, j)),
  }));

const check = (holds: (a: Memory, b: Memory) => void): void =>
  fc.assert(
    fc.property(twoMoments, ({ a, b }) => holds(a, b)),
    { numRuns: 200 },
  );

const pageNumber = (text: string): number => (Address.parse(text) ?? Address.zero).page;

/** What is shown of each page of a memory. */
const pagesOf = (memory: Memory): ReadonlyMap<number, string> =>
  new Map(
    Array.from(PageTable.pages(memory.virtual), ([page, node, slot]) => {
      const prot = Prot.toText(node.prot[slot] as number);
      return [page, `${prot} ${node.shift[slot]} ${Math.max(-1, node.frame[slot] as number)}`];
    }),
  );

/** What lies in a block of a page, in a word. */
const wordAt = (memory: Memory, page: number, block: number): string => {
  const entry = Memory.page(memory, page);
  if (entry === null) return 'not mapped';
  const content = Memory.contentOf(memory, entry.frame);
  if (content === null) return 'unknown';
  const name = CONTENT_CLASSES[PageContent.classAt(content, block)] ?? '';
  const isGone = Memory.program(memory, PageContent.refAt(content, block)) === null;
  return name === 'program' && isGone ? 'leftover' : name;
};

const texts = (list: readonly (ShownProgram | null)[]): readonly string[] =>
  list.flatMap((program) => (program === null ? [] : [JSON.stringify(program)])).toSorted();
/** The list without each of these, all of which it has. */
const without = (list: readonly string[], gone: readonly string[]): readonly string[] => {
  const left = [...list];
  for (const text of gone) {
    expect(left).to.include(text);
    left.splice(left.indexOf(text), 1);
  }
  return left;
};

const dispatcher = (page: number, name: string): Fact => ({
  kind: 'published',
  program: 0,
  start: Address.of(page),
  end: Address.of(page, 16),
  name,
  id: 0,
  ksym: { hi: 0, lo: 0 },
});

/** Memory after `end` events, of which the first `kept` came from a snapshot. */
const wentOn = (events: readonly Event[], kept: number, end: number): Memory => {
  const owner = {};
  const bytes = encodeMemory(evolveAll(nothing, events.slice(0, kept)));
  const fold = folder(must(decodeMemory(bytes, owner)), owner);
  for (const event of events.slice(kept, end)) fold.apply(event);
  return fold.share();
};

describe('the diff of two memories as it is shown', () => {
  it('counts what its lists have', () => {
    check((a, b) => {
      const diff = shownDiff(a, b);
      const { symbols, unknown, counters, differences, ...lists } = diff;
      const all = [...Object.values(lists), ...Object.values(symbols), ...Object.values(unknown)];
      const sum = all.reduce((total, list: readonly unknown[]) => total + list.length, 0);
      expect(differences).to.equal(sum + Object.keys(counters).length);
      expect(shownDiff(a, a).differences).to.equal(0);
    });
  }).timeout(60_000);

  it('is the same whether the memories share anything or not', () => {
    check((a, b) => {
      const apart = must(decodeMemory(encodeMemory(b)));
      expect(JSON.stringify(shownDiff(a, apart))).to.equal(JSON.stringify(shownDiff(a, b)));
    });
  }).timeout(60_000);

  it('is the same where the memories were read from snapshots and changed since', () => {
    const any = fc.tuple(anyStream(), fc.array(fc.nat({ max: 120 }), { minLength: 4, maxLength: 4 }));
    fc.assert(
      fc.property(any, ([events, [i = 0, j = 0, k = 0, l = 0]]) => {
        const [first, end] = [Math.min(i, k), Math.max(i, k)];
        const [second, stop] = [Math.min(j, l), Math.max(j, l)];
        const whole = shownDiff(
          evolveAll(nothing, events.slice(0, end)),
          evolveAll(nothing, events.slice(0, stop)),
        );
        const read = shownDiff(wentOn(events, first, end), wentOn(events, second, stop));
        expect(JSON.stringify(read)).to.equal(JSON.stringify(whole));
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);

  it('takes symbols at one address, of which one stays, for what they are', () => {
    const a = evolveAll(nothing, numbered([dispatcher(0x10, 'x'), dispatcher(0x10, 'y')]));
    const b = evolveAll(nothing, numbered([dispatcher(0x10, 'y'), dispatcher(0x10, 'z')]));
    const { symbols } = shownDiff(a, b);
    expect([symbols.removed, symbols.added].map((list) => list.map(({ name }) => name))).to.deep.equal([
      ['x'],
      ['z'],
    ]);
  });

  it('has each page that is shown in another way, and no other', () => {
    check((a, b) => {
      const [before, after] = [pagesOf(a), pagesOf(b)];
      const wanted = [...new Set([...before.keys(), ...after.keys()])]
        .filter((page) => before.get(page) !== after.get(page))
        .sort((x, y) => x - y);
      const got = shownDiff(a, b).mappings.flatMap(({ start, end }) => {
        const first = pageNumber(start);
        return Array.from({ length: pageNumber(end) - first }, (_, i) => first + i);
      });
      expect(got).to.deep.equal(wanted);
    });
  }).timeout(60_000);

  it('has each block of content that became another, in whichever direction time goes', () => {
    check((a, b) => {
      const wanted: string[] = [];
      for (const [page, node, slot] of PageTable.pages(b.virtual)) {
        if (Memory.contentOf(b, node.frame[slot] as number) === null) continue;
        for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
          const [from, to] = [wordAt(a, page, block), wordAt(b, page, block)];
          if (from !== to) wanted.push(`${page}/${block} ${from} ${to}`);
        }
      }
      const got = shownDiff(a, b).content.flatMap(({ start, bytes, from, to }) => {
        const { page, offset } = Address.parse(start) ?? Address.zero;
        return Array.from({ length: bytes / 64 }, (_, i) => {
          const block = offset / 64 + i;
          return `${page + Math.floor(block / 64)}/${block % 64} ${from} ${to}`;
        });
      });
      expect(got).to.deep.equal(wanted);
    });
  }).timeout(60_000);

  it('leaves out no program but those that are shown alike at both', () => {
    check((a, b) => {
      const changed = shownDiff(a, b).programs;
      const before = without(texts(programs(a)), texts(changed.map(({ from }) => from)));
      const after = without(texts(programs(b)), texts(changed.map(({ to }) => to)));
      expect(before).to.deep.equal(after);
      for (const { from, to } of changed) expect(from).to.not.deep.equal(to);
    });
  }).timeout(60_000);

  it('takes two dispatchers of which only the symbols are known for two, not for one that moved', () => {
    const a = evolveAll(nothing, numbered([dispatcher(0xffffffffc0000, 'bpf_dispatcher_1')]));
    const b = evolveAll(nothing, numbered([dispatcher(0xffffffffc0008, 'bpf_dispatcher_2')]));
    const { programs: changed } = shownDiff(a, b);
    expect(changed.map(({ from, to }) => [from?.name, to?.name])).to.deep.equal([
      [undefined, 'bpf_dispatcher_2'],
      ['bpf_dispatcher_1', undefined],
    ]);
  });

  it('finds what an address far from all others holds', () => {
    const far = [dispatcher(0x10, 'bpf_prog_1'), dispatcher(0xfffffffffffff, 'bpf_prog_2')];
    const b = evolveAll(nothing, numbered(far));
    const { programs: changed } = shownDiff(nothing, b);
    expect(changed.map(({ to }) => to?.start)).to.deep.equal(['0x0000000000010000', '0xfffffffffffff000']);
  });
});
