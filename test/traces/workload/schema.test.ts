import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';
import * as fc from 'fast-check';

import { checkWorkload, formatWorkload, parseWorkload } from '../../../traces/workload/schema.js';
import type { Workload } from '../../../traces/workload/workload.js';

/** The checkout: the nearest folder above with docs. */
const root = (): string => {
  let at = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(at, 'docs', 'workload.md'))) at = join(at, '..');
  return at;
};

const workload = (...operations: unknown[]): unknown => ({ pagetrail_workload: 1, name: 'w', operations });
const load = (
  program: string,
  slot: number,
  more: Record<string, unknown> = {},
): Record<string, unknown> => ({
  op: 'load',
  program,
  slot,
  insns: 16,
  functions: [{ image: 88 }],
  ...more,
});
const checked = (value: unknown): Workload => {
  const result = checkWorkload(value, 'f');
  if (!result.ok) throw new Error(result.error.what);
  return result.value;
};
const fault = (value: unknown): string => {
  const result = checkWorkload(value, 'f');
  if (result.ok) throw new Error('accepted');
  expect(result.error).to.include({ code: 'bad-workload', where: 'f' });
  return result.error.what;
};

const attach = (program: string) => ({
  op: 'attach_classic',
  program,
  socket: 1,
  insns: 4,
  functions: [{ image: 120 }],
});

/** A record with `key`, or an empty one. */
const maybe = <T>(key: string, value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc.oneof(
    fc.constant({}),
    value.map((v) => ({ [key]: v })),
  );
const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);

describe('a workload file', () => {
  it('needs little, and has its defaults filled in', () => {
    const [first] = checked(workload(load('a', 0))).operations;
    expect(first).to.deep.equal({
      op: 'load',
      program: 'a',
      slot: 0,
      type: 'socket_filter',
      insns: 16,
      capable: true,
      blinded: false,
      functions: [{ image: 88, tail_calls: [] }],
      during: [],
    });
  });

  it('takes every operation', () => {
    const operations = [
      { op: 'marker', text: 'phase: start' },
      { op: 'dirty', maps: 24, deleted: 12 },
      { op: 'set_jit_limit', bytes: 8192 },
      load('two', 0, {
        mark: 'op 1: load',
        functions: [{ image: 24, code: 21, offset: 28 }, { image: 104 }],
      }),
      { op: 'attach_classic', program: 'c', socket: 0, insns: 4, functions: [{ image: 120 }] },
      { op: 'attach_xdp', slot: 0 },
      { op: 'detach_xdp' },
      { op: 'tail_call_update', key: 1, slot: 0 },
      { op: 'tail_call_update', key: 1, slot: null },
      { op: 'tail_call_clear' },
      { op: 'close', slot: 0 },
      { op: 'free', program: 'two', function: 1 },
      load('three', 0, {
        functions: [{ image: 24 }, { image: 24 }],
        during: [{ after: 1, program: 'two', function: 0 }],
      }),
      { op: 'detach_classic', socket: 0 },
      { op: 'settle' },
    ];
    expect(checked(workload(...operations)).operations.map((o) => o.op)).to.deep.equal(
      operations.map((o) => o['op']),
    );
  });

  const wrongShape: readonly (readonly [value: unknown, what: string])[] = [
    [{}, 'pagetrail_workload: '],
    [{ pagetrail_workload: 2, name: 'w', operations: [] }, 'pagetrail_workload: '],
    ['text', 'the document: '],
    [workload({ op: 'explode' }), 'operations[0].op: '],
    [workload(load('a', 0), { op: 'close' }), 'operations[1].slot: '],
    [workload(load('a', -1)), 'operations[0].slot: '],
    [workload(load('a', 0, { functions: [{ image: 0 }] })), 'operations[0].functions[0].image: '],
    [workload(load('a', 0, { functions: [{ image: 1.5 }] })), 'operations[0].functions[0].image: '],
    [workload(load('a', 0, { tag: 'XYZ' })), 'operations[0].tag: expected 16 lower-case hex digits'],
    [workload(load('a', 0, { capabel: false })), 'operations[0].capabel: '],
    [workload(load('', 0)), 'operations[0].program: '],
  ];
  for (const [value, what] of wrongShape) {
    it(`is refused with its path: ${what}`, () => expect(fault(value)).to.include(what));
  }

  const a = load('a', 0);
  const close = { op: 'close', slot: 0 };
  const incoherent: readonly (readonly [operations: readonly unknown[], what: string])[] = [
    [[a, load('a', 1)], 'operations[1].program: the label "a" is used twice'],
    [[a, load('b', 0)], 'operations[1].slot: slot 0 is taken; close it first'],
    [[close], 'operations[0].slot: slot 0 holds no program'],
    [[a, close, close], 'operations[2].slot: slot 0 holds no program'],
    [[a, { op: 'free', program: 'a' }], 'operations[1].program: "a" is still held'],
    [[{ op: 'free', program: 'a' }], 'operations[0].program: no program "a" so far'],
    [[a, close, { op: 'free', program: 'a', function: 1 }], 'operations[2].function: "a" has 1 functions'],
    [
      [a, close, { op: 'free', program: 'a', function: 0 }, { op: 'free', program: 'a', function: 0 }],
      'operations[3].function: function 0 of "a" is free already',
    ],
    [
      [a, close, { op: 'settle' }, { op: 'free', program: 'a', function: 0 }],
      'operations[3].function: function 0',
    ],
    [
      [load('a', 0, { functions: [{ image: 8, code: 9 }] })],
      'operations[0].functions[0].code: longer than its image',
    ],
    [[load('a', 0, { fails: 'verifier' })], 'operations[0].functions: a load that fails'],
    [
      [a, close, load('b', 0, { during: [{ after: 1, program: 'a', function: 0 }] })],
      'operations[2].during[0].after: the load has 1 functions: at most 0',
    ],
    [
      [
        load('b', 0, {
          functions: [{ image: 8 }, { image: 8 }],
          during: [{ after: 1, program: 'x', function: 0 }],
        }),
      ],
      'operations[0].during[0].program: no program "x" so far',
    ],
    [[{ op: 'detach_classic', socket: 0 }], 'operations[0].socket: socket 0 has no filter'],
    [[{ op: 'attach_xdp', slot: 3 }], 'operations[0].slot: slot 3 holds no program'],
    [[{ op: 'trampoline', trampoline: 2, bytes: 0 }], 'operations[0].trampoline: there is no trampoline 2'],
    [[{ op: 'tail_call_update', key: 1, slot: 3 }], 'operations[0].slot: slot 3 holds no program'],
  ];
  for (const [operations, what] of incoherent) {
    it(`is refused when it cannot happen: ${what}`, () =>
      expect(fault(workload(...operations))).to.include(what));
  }

  it('lets a load that was recorded to fail leave its slot free', () => {
    checked(workload(load('a', 0, { recorded: { errno: 524 } }), load('b', 0)));
    checked(
      workload(load('a', 0, { fails: 'verifier', functions: [] }), load('b', 0), {
        op: 'free',
        program: 'a',
      }),
    );
  });

  it('releases the filter that another one replaces', () => {
    checked(workload(attach('c1'), attach('c2'), { op: 'free', program: 'c1', function: 0 }));
  });

  it('says where it is not JSON', () => {
    const result = parseWorkload('{\n  "pagetrail_workload": 1,\n}', 'w.json');
    expect(result.ok ? null : result.error.where).to.equal('w.json:3');
  });

  it('is what docs/workload.md shows', () => {
    const text = readFileSync(join(root(), 'docs', 'workload.md'), 'utf8');
    const examples = [...text.matchAll(/^```json\n(.*?)^```/gms)].map((m) => m[1] ?? '');
    expect(examples.length).to.be.greaterThan(0);
    for (const example of examples)
      expect(parseWorkload(example, 'docs/workload.md')).to.include({ ok: true });
  });

  it('has every operation described in docs/workload.md', () => {
    const text = readFileSync(join(root(), 'docs', 'workload.md'), 'utf8');
    const described = [...text.matchAll(/^\| `([a-z_]+)` /gm)].map((m) => m[1]);
    const known = [...fault(workload({ op: 'none such' })).matchAll(/"([a-z_]+)"/g)].map((m) => m[1]);
    expect(known.length).to.equal(14);
    expect(described).to.include.members(known);
  });

  it('comes back from its text, whatever it holds', () => {
    const positive = fc.integer({ min: 1, max: 1 << 22 });
    const tag = fc.stringMatching(/^[0-9a-f]{16}$/);
    const fn = merged(
      positive.map((image) => ({ image })),
      maybe('offset', fc.nat(4096)),
      maybe('tag', tag),
      maybe(
        'tail_calls',
        fc.array(fc.record({ key: fc.nat(9), jump: fc.nat(99), bypass: fc.nat(99) }), { maxLength: 2 }),
      ),
    );
    const some = merged(
      positive.map((insns) => ({ op: 'load', insns })),
      maybe('slot', fc.constant(null)),
      maybe('type', fc.constantFrom('xdp', 'socket_filter')),
      maybe('capable', fc.boolean()),
      maybe('blinded', fc.boolean()),
      maybe('tag', tag),
      maybe('mark', fc.string()),
      maybe('name', fc.string()),
      maybe('functions', fc.array(fn, { maxLength: 3 })),
      maybe('recorded', fc.record({ errno: fc.nat(600) })),
    );
    fc.assert(
      fc.property(fc.array(some), maybe('note', fc.string()), (loads, note) => {
        const value = {
          ...(workload(...loads.map((l, i) => ({ ...l, program: `p${i}` }))) as object),
          ...note,
        };
        const once = checked(value);
        const text = formatWorkload(once);
        expect(parseWorkload(text, 'f')).to.deep.equal({ ok: true, value: once });
        expect(text.split('\n').filter((l) => l.startsWith('    {"op"')).length).to.equal(loads.length);
      }),
    );
  });
});
