import { expect } from 'chai';
import * as fc from 'fast-check';
import { SparseMap } from '../../../core/memory/sparse.js';

/** Sets (or, with null, removes) keys; a new batch begins where it says so. */
type Step = readonly [key: number, value: number | null, newBatch: boolean];

const key = fc.oneof(fc.nat(200), fc.nat(5000), fc.maxSafeNat());
const valueOrNone = fc.oneof(fc.nat(9), fc.nat(9), fc.constant(null));
const step: fc.Arbitrary<Step> = fc.tuple(key, valueOrNone, fc.boolean());
const steps = fc.array(step, { maxLength: 400, size: 'max' });

interface Version {
  readonly map: SparseMap<number>;
  readonly model: ReadonlyMap<number, number>;
}

const sorted = (model: ReadonlyMap<number, number>): readonly (readonly [number, number])[] =>
  [...model].toSorted(([a], [b]) => a - b);

/** The map and the model at the end of each batch. */
function versions(list: readonly Step[]): readonly Version[] {
  const all: Version[] = [];
  let map = SparseMap.empty<number>();
  let token = {};
  const model = new Map<number, number>();
  for (const [at, value, newBatch] of list) {
    if (newBatch) {
      all.push({ map, model: new Map(model) });
      token = {};
    }
    map = SparseMap.set(map, token, at, value ?? undefined);
    if (value === null) model.delete(at);
    else model.set(at, value);
  }
  all.push({ map, model });
  return all;
}

const changedKeys = (a: SparseMap<unknown>, b: SparseMap<unknown>): readonly number[] =>
  Array.from(SparseMap.changes(a, b), ([at]) => at);

describe('a sparse map', () => {
  it('made at once makes each value when it is first looked at, once for all its versions', () => {
    const asked: number[] = [];
    const keys = Float64Array.from({ length: 2000 }, (_, i) => i * 3);
    const map = SparseMap.of(keys, (index) => {
      asked.push(index);
      return { index };
    });
    expect(map.size).to.equal(2000);
    expect(SparseMap.get(map, 300)).to.deep.equal({ index: 100 });
    expect(SparseMap.floor(map, 302)).to.deep.equal([300, { index: 100 }]);
    expect(SparseMap.get(map, 301)).to.equal(undefined);
    const changed = SparseMap.set(SparseMap.set(map, {}, 3, { index: -1 }), {}, 6, undefined);
    expect(SparseMap.get(changed, 300)).to.equal(SparseMap.get(map, 300));
    expect(changedKeys(map, changed)).to.deep.equal([3, 6]);
    const entries = Array.from(keys, (at, index) => [at, { index }]);
    expect([...SparseMap.entries(map)]).to.deep.equal(entries);
    expect(Array.from(SparseMap.entries(changed), ([at]) => at)).to.deep.equal(
      [...keys].filter((at) => at !== 6),
    );
    expect(asked.toSorted((a, b) => a - b)).to.deep.equal(entries.map((_, index) => index));
  });

  it('holds what was set, in order, whatever came after', () => {
    fc.assert(
      fc.property(steps, (list) => {
        for (const [i, { map, model }] of versions(list).entries()) {
          if (i % 20 !== 0) continue;
          expect([...SparseMap.entries(map)]).to.deep.equal(sorted(model));
          expect(map.size).to.equal(model.size);
          const wrong = list.filter(([at]) => SparseMap.get(map, at) !== model.get(at));
          expect(wrong).to.be.empty;
        }
      }),
    );
  });

  it('finds the nearest key below, and goes on from a key', () => {
    fc.assert(
      fc.property(steps, key, (list, wanted) => {
        for (const { map, model } of versions(list).slice(-3)) {
          const all = sorted(model);
          expect(SparseMap.floor(map, wanted)).to.deep.equal(all.findLast(([at]) => at <= wanted) ?? null);
          expect([...SparseMap.entries(map, wanted)]).to.deep.equal(all.filter(([at]) => at >= wanted));
        }
      }),
    );
  });

  it('knows which keys differ between any two of its versions', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), (list, i, j) => {
        const all = versions(list);
        const a = all[i % all.length] as Version;
        const b = all[j % all.length] as Version;
        const keys = new Set([...a.model.keys(), ...b.model.keys()]);
        const wanted = [...keys].filter((at) => a.model.get(at) !== b.model.get(at)).sort((x, y) => x - y);
        expect([...SparseMap.changes(a.map, b.map)]).to.deep.equal(
          wanted.map((at) => [at, a.model.get(at), b.model.get(at)]),
        );
      }),
    );
  });

  it('is read alike by key, by a reader and by asking whether a key is there', () => {
    fc.assert(
      fc.property(steps, fc.array(key), (list, asked) => {
        for (const { map, model } of versions(list).slice(-3)) {
          const keys = [...asked, ...model.keys(), ...Array.from(sorted(model), ([at]) => at)];
          const read = SparseMap.reader(map);
          expect(keys.map((at) => read(at))).to.deep.equal(keys.map((at) => model.get(at)));
          expect(keys.map((at) => SparseMap.has(map, at))).to.deep.equal(keys.map((at) => model.has(at)));
        }
      }),
    );
  });

  it('stays correct when it grows to many levels and shrinks again', () => {
    let map = SparseMap.empty<number>();
    const token = {};
    const count = 40_000;
    for (let i = 0; i < count; i++) map = SparseMap.set(map, token, (i * 7919) % count, i);
    const full = map;
    expect(map.size).to.equal(count);
    const later = {};
    for (let i = 0; i < count; i++) if (i % 100 !== 0) map = SparseMap.set(map, later, i, undefined);
    expect([...SparseMap.entries(map)].map(([at]) => at)).to.deep.equal(
      Array.from({ length: count / 100 }, (_, i) => i * 100),
    );
    expect(SparseMap.floor(map, 199)?.[0]).to.equal(100);
    expect(full.size).to.equal(count);
    expect(changedKeys(full, map)).to.have.length(count - count / 100);
    for (let i = 0; i < count; i += 100) map = SparseMap.set(map, later, i, undefined);
    expect([...SparseMap.entries(map)]).to.be.empty;
    expect(SparseMap.floor(map, count)).to.equal(null);
  });

  it('shares what did not change', () => {
    let map = SparseMap.empty<number>();
    for (let i = 0; i < 10_000; i++) map = SparseMap.set(map, {}, i * 64, i);
    const next = SparseMap.set(map, {}, 5000, 1);
    expect(changedKeys(map, next)).to.deep.equal([5000]);
    expect(changedKeys(map, map)).to.be.empty;
  });
});
