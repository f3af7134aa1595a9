import { expect } from 'chai';
import * as fc from 'fast-check';
import { PageTable, type PageEntry } from '../../../core/memory/pageTable.js';

/** Writes (shift 0: takes away) one entry; a new batch begins where it says so. */
interface Step {
  readonly page: number;
  readonly shift: number;
  readonly prot: number;
  readonly frame: number;
  readonly newBatch: boolean;
}

const page = fc.oneof(
  fc.integer({ min: 500, max: 530 }),
  fc.nat({ max: 4000 }),
  fc.nat({ max: 2 ** 52 - 1 }),
);
const step: fc.Arbitrary<Step> = fc.record({
  page,
  shift: fc.constantFrom(0, 1, 12, 21),
  prot: fc.nat({ max: 255 }),
  frame: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.nat({ max: 2 ** 40 })),
  newBatch: fc.boolean(),
});
const steps = fc.array(step, { maxLength: 150, size: 'max' });

type Model = ReadonlyMap<number, PageEntry>;
interface Version {
  readonly table: PageTable;
  readonly model: Model;
}

const put = (table: PageTable, token: object, { page: at, shift, prot, frame }: Step): PageTable => {
  const owned = PageTable.own(table, token);
  const node = PageTable.writable(owned, token, at, shift !== 0);
  if (node === undefined) return owned;
  const slot = at % 512;
  node.count += (shift === 0 ? 0 : 1) - (node.shift[slot] === 0 ? 0 : 1);
  node.shift[slot] = shift;
  node.prot[slot] = prot;
  node.frame[slot] = frame;
  node.cause[slot] = 7;
  return owned;
};

/** Table and model at the end of every batch. */
const versions = (list: readonly Step[]): Version[] => {
  const all: Version[] = [];
  const model = new Map<number, PageEntry>();
  let table = PageTable.empty;
  let token = {};
  for (const each of list) {
    if (each.newBatch) {
      all.push({ table, model: new Map(model) });
      token = {};
    }
    table = put(table, token, each);
    const { page: at, shift, prot, frame } = each;
    if (shift === 0) model.delete(at);
    else model.set(at, { prot, shift, frame, cause: 7, mark: 0 });
  }
  all.push({ table, model });
  return all;
};

const inOrder = (model: Model): number[] => [...model.keys()].toSorted((a, b) => a - b);
const pagesOf = (table: PageTable, start?: number, end?: number): number[] =>
  [...PageTable.pages(table, start, end)].map(([at]) => at);

describe('a page table', () => {
  it('holds in every version what was written up to then', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const all = versions(list);
        for (const [i, { table, model }] of all.entries()) {
          if (i % 16 === 0) expect(pagesOf(table)).to.deep.equal(inOrder(model));
          for (const { page: at } of list)
            expect(PageTable.get(table, at)).to.deep.equal(model.get(at) ?? null);
        }
      }),
      { numRuns: 25 },
    );
  }).timeout(60_000);

  it('counts its entries node by node', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { table, model } = versions(list).at(-1) as Version;
        for (const [first, , node] of PageTable.changedNodes(PageTable.empty, table)) {
          const here = [...model.keys()].filter((at) => at >= first && at < first + 512);
          expect(node?.count).to.equal(here.length);
        }
      }),
    );
  }).timeout(60_000);

  it('lists the pages of a range', () => {
    fc.assert(
      fc.property(steps, page, page, (list, a, b) => {
        const { table, model } = versions(list).at(-1) as Version;
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        expect(pagesOf(table, from, to)).to.deep.equal(inOrder(model).filter((at) => at >= from && at < to));
        expect(pagesOf(table, from)).to.deep.equal(inOrder(model).filter((at) => at >= from));
      }),
    );
  }).timeout(60_000);

  it('knows between any two versions every node that differs, and names none that is shared', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (list, i, j) => {
        const all = versions(list);
        const [a, b] = [all[i % all.length] as Version, all[j % all.length] as Version];
        const changed = new Set([...PageTable.changedNodes(a.table, b.table)].map(([first]) => first / 512));
        for (const at of [...a.model.keys(), ...b.model.keys()])
          if (a.model.get(at) !== b.model.get(at)) expect(changed).to.include(Math.floor(at / 512));
        expect([...PageTable.changedNodes(a.table, a.table)]).to.deep.equal([]);
      }),
    );
  }).timeout(60_000);

  it('leaves a table that is not owned alone', () => {
    const token = {};
    const written = { page: 5, shift: 12, prot: 3, frame: 9, newBatch: false };
    const first = put(PageTable.empty, token, written);
    const second = put(first, {}, { ...written, prot: 1 });
    expect(PageTable.get(first, 5)?.prot).to.equal(3);
    expect(PageTable.get(second, 5)?.prot).to.equal(1);
    expect(PageTable.get(PageTable.empty, 5)).to.equal(null);
  });
});
