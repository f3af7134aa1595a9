import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Event, Fact } from '../../core/event/event.js';
import { align } from '../../replay/compare/align.js';
import { comparisonLines } from '../../replay/compareLines.js';
import { compareTraces, type TraceComparison } from '../../replay/compareTraces.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import { openStore } from '../../store/index.js';
import { openCapture } from '../../traces/capture/capture.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { workloadFromCapture } from '../../traces/workload/fromCapture.js';
import { capturesNamed, importedCapture, write } from './given.js';

const kindsOf = ({ kinds }: TraceComparison): readonly string[] =>
  kinds.map(({ count, kind, name, in: where, only }) => `${count} ${kind} ${name} in ${where} only ${only}`);

const compared = async (a: RegExp, b: RegExp): Promise<TraceComparison | null> => {
  const [left] = capturesNamed(a);
  const [right] = capturesNamed(b);
  if (left === undefined || right === undefined) return null;
  return must(compareTraces((await importedCapture(left)).view, (await importedCapture(right)).view));
};

describe('two recordings compared', () => {
  it('differ by the patches between their kernels, and by nothing else', async function () {
    this.timeout(60_000);
    const found = await compared(/-5\.18-rc3-S8/, /-5\.18-rc3-packv2-S8/);
    if (found === null) this.skip();
    expect(kindsOf(found)).to.deep.equal([
      '2 fill jit_fill_hole in bpf_prog_pack_alloc only b',
      '21 fill bpf_arch_text_invalidate in bpf_prog_pack_free only b',
    ]);
    expect(found.first?.b.calls).to.deep.equal([
      'bpf_prog_pack_alloc',
      'bpf_jit_binary_pack_alloc',
      'bpf_int_jit_compile',
    ]);
    expect(found.first?.b.what).to.include('filled').and.include('bytes=2097152');
    expect(found.first?.a.before.at(-1)).to.match(/^module_alloc\(size=0x200000\)/);
    expect(found.compared).to.equal(84);
    const text = comparisonLines(found).join('\n');
    expect(text)
      .to.include('2 differences, found 23 times')
      .and.include('fill: bpf_arch_text_invalidate (only')
      .and.include(', 21 times');
    expect(text).to.match(/^ +> filled pattern=0xcccccccc way=store/m);
  });

  it('of kernels that do the same do not differ', async function () {
    this.timeout(60_000);
    const found = await compared(/-6\.12-S1/, /-7\.2-S1/);
    if (found === null) this.skip();
    expect(kindsOf(found)).to.deep.equal([]);
    expect(found.unknown).to.equal(false);
  });

  it('differ by how a pack is made, though other loads make it where images are longer', async function () {
    this.timeout(60_000);
    const found = await compared(/-6\.1-S2/, /-6\.12-S2/);
    if (found === null) this.skip();
    expect(
      kindsOf({ ...found, kinds: found.kinds.filter(({ name }) => name !== 'pack-marked') }),
    ).to.deep.equal([
      '1 argument __vmalloc_node_range gfp_mask in bpf_prog_pack_alloc only null',
      '1 order pack-created in bpf_prog_pack_alloc only null',
      '1 argument change_page_attr_set_clr mask_clr in bpf_prog_pack_alloc only null',
      '1 permission set_memory_x in bpf_prog_pack_alloc only a',
      '1 argument __change_page_attr_set_clr primary, mask_clr in set_direct_map_invalid_noflush only null',
    ]);
    expect(found.first?.a.during?.text).to.match(/^op 173: load /);
    expect(found.first?.b.during?.text).to.match(/^op 172: load /);
  });

  it('say how their packs were filled before the first event', async function () {
    this.timeout(60_000);
    const found = await compared(/-5\.18-rc5-S1/, /-6\.1-S1/);
    if (found === null) this.skip();
    expect(found.begins.a.packs).to.equal(0);
    expect(found.begins.b.packs).to.equal(1);
    expect(kindsOf(found).filter((text) => text.includes('chunk-allocated'))).to.deep.equal([]);
  });

  it('differ by the set of calls that protect a pack', async function () {
    this.timeout(60_000);
    const found = await compared(/-6\.1-S4/, /-7\.2-S4/);
    if (found === null) this.skip();
    // The mark of the predictor flush is told apart: only the newer kernel has one.
    expect(
      kindsOf({ ...found, kinds: found.kinds.filter(({ name }) => name !== 'pack-marked') }),
    ).to.deep.equal([
      '2 argument __vmalloc_node_range gfp_mask in bpf_prog_pack_alloc only null',
      '2 argument change_page_attr_set_clr mask_clr, in_flag in bpf_prog_pack_alloc only null',
      '2 permission set_memory_x in bpf_prog_pack_alloc only a',
      '2 argument __change_page_attr_set_clr primary, mask_clr in set_direct_map_invalid_noflush only null',
    ]);
  });

  for (const [pattern, kernel] of [
    [/-6\.1-S1/, '6.1'],
    [/-5\.18-rc3-S8/, '5.18-rc3'],
    [/-5\.10-S1/, '5.10'],
  ] as const)
    it(`do not differ from an emulation of the same work: ${kernel}`, async function () {
      this.timeout(60_000);
      const [folder] = capturesNamed(pattern);
      if (folder === undefined) this.skip();
      const recorded = await importedCapture(folder);
      const { workload } = must(await workloadFromCapture(must(openCapture(folder))));
      const store = must(openStore(':memory:'));
      must(simulate(store, workload, { kernel, name: 'emulated' }));
      const found = must(compareTraces(recorded.view, must(logOn(store).trace('emulated'))));
      expect(kindsOf(found)).to.deep.equal([]);
      expect(found.compared).to.be.greaterThan(20);
      store.close();
    });
});

/** A call, what happens in it, and its result. */
interface Call {
  readonly fn: string;
  readonly args?: Readonly<Record<string, number | string>>;
  readonly inside?: readonly (Call | Fact)[];
  readonly returns?: number | string;
}

const halves = (value: number | string): readonly [number, number] => {
  const n = typeof value === 'number' ? BigInt.asUintN(64, BigInt(value)) : BigInt(value);
  return [Number(n >> 32n), Number(n & 0xffffffffn)];
};

const words = (list: readonly (number | string)[]) => ({
  hi: list.map((value) => halves(value)[0]),
  lo: list.map((value) => halves(value)[1]),
  texts: null,
});

/** The events of calls, one after the other. */
const eventsOf = (roots: readonly (Call | Fact)[], task = 'workload-1'): Event[] => {
  const events: Event[] = [];
  const common = (call: number) => ({
    seq: events.length + 1,
    time: events.length * 1000,
    cpu: 0,
    task,
    call,
    origin: 0 as const,
  });
  const play = (item: Call | Fact, call: number): void => {
    if ('kind' in item) {
      events.push({ ...common(call), ...item } as Event);
      return;
    }
    const { fn, args = {}, inside = [], returns } = item;
    const entered = {
      ...common(call),
      kind: 'entered' as const,
      fn,
      place: '',
      names: Object.keys(args).join(','),
    };
    events.push({ ...entered, values: words(Object.values(args)) });
    for (const child of inside) play(child, entered.seq);
    const names = returns === undefined ? '' : 'ret';
    const values = words(returns === undefined ? [] : [returns]);
    events.push({ ...common(entered.seq), kind: 'returned', fn, place: '', names, values });
  };
  for (const root of roots) play(root, 0);
  return events;
};

const compare = (a: readonly (Call | Fact)[], b: readonly (Call | Fact)[], size = 50): TraceComparison => {
  const store = must(openStore(':memory:'));
  write(store, eventsOf(a), { name: 'a', size });
  write(store, eventsOf(b, 'other-7'), { name: 'b', size });
  const log = logOn(store);
  const found = must(compareTraces(must(log.trace('a')), must(log.trace('b'))));
  store.close();
  return found;
};

const area = (start: number): Fact => ({ kind: 'area-allocated', start, pages: 3, flags: 0, caller: '' });
const ro = (page: number): Call => ({
  fn: 'set_memory_ro',
  args: { addr: `0x${page.toString(16)}000`, numpages: 2 },
  inside: [{ kind: 'permission', space: 0, page, pages: 2, set: 0, clear: 2 }],
  returns: 0,
});
const x = (page: number): Call => ({
  fn: 'set_memory_x',
  args: { addr: `0x${page.toString(16)}000`, numpages: 2 },
  inside: [{ kind: 'permission', space: 0, page, pages: 2, set: 4, clear: 0 }],
  returns: 0,
});
const A = 0xffffffffc0000;
const B = 0xffffffffc8000;
const compile = (page: number, ...inside: readonly (Call | Fact)[]): Call => ({
  fn: 'bpf_int_jit_compile',
  inside: [area(page), ...inside],
});

const marker = (n: number): Fact => ({ kind: 'marker', text: `op ${n}: load slot=${n}` });

const alloc = (ret: string, start: number): Call => ({
  fn: '__vmalloc_node_range',
  args: { size: 8192, start, end: 99 },
  returns: ret,
});

describe('two traces compared', () => {
  it('are the same at other addresses', () => {
    expect(kindsOf(compare([compile(A, ro(A), x(A))], [compile(B, ro(B), x(B))]))).to.deep.equal([]);
  });

  it('differ where the same call is about another place of the area', () => {
    const found = compare([compile(A, ro(A), x(A))], [compile(B, ro(B), x(B + 1))]);
    expect(kindsOf(found)).to.deep.equal(['1 argument set_memory_x addr in bpf_int_jit_compile only null']);
    expect(found.follows).to.equal(1);
  });

  it('differ by order', () => {
    const found = compare([compile(A, ro(A), x(A))], [compile(B, x(B), ro(B))]);
    expect(found.kinds.map(({ kind }) => kind)).to.deep.equal(['order']);
  });

  it('differ by an error', () => {
    const failed = { ...ro(B), returns: -12 };
    const found = compare([compile(A, ro(A))], [compile(B, failed)]);
    expect(kindsOf(found)).to.deep.equal(['1 error set_memory_ro ret in bpf_int_jit_compile only null']);
  });

  it('differ by an error once, whatever follows from it', () => {
    const whole: Call = { ...compile(A, ro(A), x(A)), returns: '0xffffffff81000000' };
    const cut: Call = { ...compile(B, { ...ro(B), inside: [], returns: -12 }), returns: 0 };
    const add: Call = { fn: 'bpf_prog_kallsyms_add' };
    const found = compare([marker(1), whole, add], [marker(1), cut]);
    expect(kindsOf(found)).to.deep.equal(['1 error set_memory_ro ret in bpf_int_jit_compile only null']);
    expect(found.first?.b.calls).to.deep.equal(['bpf_int_jit_compile']);
    expect(found.first?.b.during?.text).to.equal('op 1: load slot=1');
    expect(found.follows).to.be.greaterThan(2);
  });

  it('are paired by markers where work was left out', () => {
    const left = [
      marker(1),
      compile(A, ro(A)),
      marker(2),
      compile(A + 8, x(A + 8)),
      marker(3),
      compile(A + 16, ro(A + 16)),
    ];
    const right = [marker(2), compile(B, x(B)), marker(3), compile(B + 8, ro(B + 8))];
    expect(kindsOf(compare(left, right))).to.deep.equal(['1 call bpf_int_jit_compile in  only a']);
  });

  it('show what is around a difference side by side', () => {
    const found = compare([compile(A, ro(A), x(A))], [compile(B, ro(B), x(B), ro(B))]);
    expect(found.first?.rows.map((row) => [row.a === null, row.b === null, row.same])).to.deep.equal([
      [false, false, true],
      [false, false, true],
      [false, false, true],
      [true, false, false],
    ]);
  });

  it('differ by a permission', () => {
    const half = { ...ro(B), inside: [{ ...(ro(B).inside?.[0] as Fact), set: 1 } as Fact] };
    expect(kindsOf(compare([compile(A, ro(A))], [compile(B, half)]))).to.deep.equal([
      '1 permission permission in set_memory_ro only null',
    ]);
  });

  it('do not differ by choices, by calls of others, or by calls that only one shows and that do nothing', () => {
    const left = compile(A, alloc('0xffffffffc0000000', 1));
    const right = compile(B, { fn: 'alloc_new_pack', inside: [alloc('0xffffffffc8000000', 2)] });
    const foreign: Call = { fn: 'vfree', args: { addr: '0xffffffffc7000000' } };
    const found = compare([left, foreign], [foreign, right]);
    expect(kindsOf(found)).to.deep.equal([]);
    expect(found.choices).to.equal(1);
    expect(found.left_out.a.foreign).to.equal(1);
  });

  it('are told what only one does by the call that does it', () => {
    const fill: Fact = {
      kind: 'filled',
      to: { page: B as never, offset: 0 },
      length: 8192,
      pattern: 0xcccccccc,
      way: 'store',
    };
    const right = compile(B, { fn: 'jit_fill_hole', inside: [fill] }, ro(B));
    const found = compare([compile(A, ro(A))], [right]);
    expect(kindsOf(found)).to.deep.equal(['1 fill jit_fill_hole in bpf_int_jit_compile only b']);
  });

  it('are paired function by function, whatever lies between', () => {
    const free: Call = { fn: 'bpf_jit_free', inside: [{ kind: 'charged', bytes: -64 }] };
    const left = [compile(A, ro(A)), compile(A + 8, ro(A + 8)), free];
    const right = [compile(B, ro(B)), free, compile(B + 8, ro(B + 8))];
    expect(kindsOf(compare(left, right))).to.deep.equal([]);
    expect(kindsOf(compare(left, right.slice(0, 2)))).to.deep.equal([
      '1 call bpf_int_jit_compile in  only a',
    ]);
  });

  it('are not said to be alike across a gap', () => {
    const gap: Fact = { kind: 'gap', lost: 3, why: 'CPU 0 lost 3 events' };
    const found = compare([compile(A, ro(A)), gap], [compile(B, ro(B))]);
    expect(found.differences).to.equal(0);
    expect(found.unknown).to.equal(true);
    expect(comparisonLines(found).join(' ')).to.contain('what one trace lacks may have happened');
  });

  it('are the same in any batches', () => {
    const left = [compile(A, ro(A), x(A)), compile(A + 8, ro(A + 8))];
    const right = [compile(B, x(B), ro(B)), compile(B + 8, x(B + 8))];
    const whole = compare(left, right, 1000);
    for (const size of [1, 2, 3, 7]) expect(compare(left, right, size)).to.deep.equal(whole);
  });

  it('are compared once more where what their beginnings show is not all', () => {
    // Forty calls before the first inner one: more segments of one event than are looked at first.
    const early = Array.from({ length: 40 }, (_, i) => compile(A + 8 * i));
    const left = [...early, compile(A - 8, ro(A - 8))];
    const right = [...early, compile(A - 8, ro(A - 7))];
    const found = compare(left, right, 1);
    expect(kindsOf(found)).to.include('1 argument set_memory_ro addr in bpf_int_jit_compile only null');
    expect(found).to.deep.equal(compare(left, right, 1000));
  });

  it('must be two', () => {
    const store = must(openStore(':memory:'));
    write(store, eventsOf([compile(A)]));
    const trace = must(logOn(store).trace('t'));
    expect(compareTraces(trace, trace).ok).to.equal(false);
    store.close();
  });
});

describe('an alignment', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });

  it('keeps both sequences, and pairs only what is alike', () => {
    fc.assert(
      fc.property(letters, letters, (a, b) => {
        const pairs = align(a, b, (letter) => letter);
        expect(pairs.map((pair) => pair.a).filter((item) => item !== null)).to.deep.equal(a);
        expect(pairs.map((pair) => pair.b).filter((item) => item !== null)).to.deep.equal(b);
        for (const pair of pairs) if (pair.a !== null && pair.b !== null) expect(pair.a).to.equal(pair.b);
      }),
    );
  });

  it('of sequences too long for a table looks ahead', () => {
    const long = Array.from({ length: 3000 }, (_, i) => String(i));
    const other = [...long.slice(0, 1000), 'new', ...long.slice(1000, 2000), ...long.slice(2003)];
    const pairs = align(['x', ...long, 'y'], ['z', ...other, 'w'], (text) => text);
    expect(pairs.filter((pair) => pair.a !== null && pair.b !== null)).to.have.length(2997);
  });
});
