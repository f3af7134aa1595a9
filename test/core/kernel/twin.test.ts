import * as fc from 'fast-check';
import { arm64With16K } from '../../../core/arch/arm64.js';
import { RULES } from '../../models/rules.js';
import type { Permission } from '../../models/naiveKernel.js';
import { randomOf } from '../../models/random.js';
import { Twin, type Loaded, type TwinOptions } from '../../models/twin.js';

type Operation =
  | { readonly do: 'load'; readonly proglen: number; readonly classic: boolean }
  | { readonly do: 'unload'; readonly which: number }
  | { readonly do: 'module_alloc'; readonly pages: number }
  | { readonly do: 'vfree'; readonly which: number }
  | {
      readonly do: 'set_memory';
      readonly what: Permission;
      readonly which: number;
      readonly from: number;
      readonly pages: number;
    };

const lengths = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 20, max: 2000 }) },
  { weight: 6, arbitrary: fc.integer({ min: 2000, max: 70_000 }) },
  { weight: 4, arbitrary: fc.integer({ min: 300_000, max: 1_200_000 }) },
  // A whole pack, a chunk more, and more than a pack of one or two nodes.
  { weight: 1, arbitrary: fc.constantFrom(4072, 4073, 2_097_128, 2_097_129, 2_600_000, 4_300_000) },
);
const index = fc.nat({ max: 1000 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('load' as const), proglen: lengths, classic: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('unload' as const), which: index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('module_alloc' as const),
      pages: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }) },
        { weight: 2, arbitrary: fc.constantFrom(300, 511, 512, 513) },
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('vfree' as const), which: index }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('set_memory' as const),
      what: fc.constantFrom<Permission[]>('ro', 'rw', 'x', 'nx', 'rox'),
      which: index,
      from: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 })),
      pages: fc.oneof(fc.constant(100_000), fc.constantFrom(1, 2, 512), fc.integer({ min: 1, max: 700 })),
    }),
  },
);
/** Long sequences, not the short ones that fast-check prefers. */
const operations = (maxLength: number): fc.Arbitrary<Operation[]> =>
  fc.noBias(fc.array(operation, { minLength: Math.floor(maxLength / 8), maxLength }));

/** Runs operations on both sides; `Twin` compares after each. */
const run = (options: TwinOptions, sequence: readonly Operation[]): Twin => {
  const twin = new Twin(options);
  const programs: Loaded[] = [];
  const areas: number[] = [];
  for (const each of sequence)
    switch (each.do) {
      case 'load': {
        const loaded = twin.load(each.proglen, each.classic);
        if (loaded !== null) programs.push(loaded);
        break;
      }
      case 'unload': {
        const [loaded] = programs.splice(each.which % Math.max(1, programs.length), 1);
        if (loaded !== undefined) twin.unload(loaded);
        break;
      }
      case 'module_alloc':
        areas.push(twin.moduleAlloc(each.pages));
        break;
      case 'vfree': {
        const [start] = areas.splice(each.which % Math.max(1, areas.length), 1);
        if (start !== undefined) twin.vfree(start);
        break;
      }
      case 'set_memory': {
        const live = twin.naive.vmalloc.areas.filter((area) => !area.lazy);
        const area = live[each.which % Math.max(1, live.length)];
        if (area === undefined || (each.what === 'rox' && !twin.naive.rules.protect.includes('rox'))) break;
        const from = each.from % (area.pages - 1);
        twin.setMemory(each.what, area.start + from, Math.min(each.pages, area.pages - 1 - from));
        break;
      }
    }
  for (const loaded of programs) twin.unload(loaded);
  for (const start of areas) twin.vfree(start);
  return twin;
};

/** Some direct-map regions are tables of 4K already. */
const mixedLeaf =
  (seed: number) =>
  (pfn: number): number =>
    randomOf(seed ^ Math.floor(pfn / 512))(4) === 0 ? 12 : 21;

const options = (kernel: string): fc.Arbitrary<TwinOptions> =>
  fc
    .record({
      seed: fc.nat(),
      whole: fc.boolean(),
      late: fc.boolean(),
      nodes: fc.constantFrom(1, 1, 1, 1, 2),
    })
    .map((drawn) => Object.assign(drawn, { kernel, leaf: mixedLeaf(drawn.seed) }));

describe('core kernel functions and the naive models agree', () => {
  for (const { kernel } of RULES) {
    it(`${kernel}: random operations`, () => {
      fc.assert(
        fc.property(options(kernel), operations(60), (surroundings, sequence) => {
          run(surroundings, sequence);
        }),
        { numRuns: 22 },
      );
    }).timeout(60_000);

    it(`${kernel}: page tables that cannot be had`, () => {
      fc.assert(
        fc.property(
          options(kernel),
          fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
          operations(25),
          (surroundings, failing, sequence) => {
            run({ ...surroundings, failing: (nth) => failing.includes(nth) }, sequence);
          },
        ),
        { numRuns: 8 },
      );
    }).timeout(60_000);
  }

  for (const kernel of ['5.18-rc3', '6.1', '7.2'])
    it(`${kernel}: a direct map of 1G leaves`, () => {
      fc.assert(
        fc.property(options(kernel), operations(12), (surroundings, sequence) => {
          run({ ...surroundings, leaf: () => 30 }, sequence);
        }),
        { numRuns: 2 },
      );
    }).timeout(60_000);

  it('an area of 16K pages that is freed resets its own frames only, not those behind them', () => {
    // In some of these the second area lies right behind the first in physical memory.
    for (let seed = 1; seed <= 200; seed++) {
      const twin = new Twin({ kernel: '6.1', arch: arm64With16K, seed, whole: true });
      const loaded = [twin.load(100), twin.load(100), twin.load(100)];
      for (const one of loaded) {
        if (one === null) throw new Error('not loaded');
        twin.unload(one);
      }
    }
  });
});
