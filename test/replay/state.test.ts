import { expect } from 'chai';
import type { Fact } from '../../core/event/event.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { ContentClass } from '../../core/memory/content.js';
import { nothing, type Memory } from '../../core/memory/memory.js';
import { Address } from '../../core/value/address.js';
import { must } from '../../replay/failed.js';
import { programs, symbolParts } from '../../replay/programs.js';
import { sectionsText } from '../../replay/sections.js';
import { stateOf, type State } from '../../replay/state.js';
import { stateSections } from '../../replay/stateSections.js';
import { openCapture } from '../../traces/capture/capture.js';
import { capturesNamed, importedCapture, numbered } from './given.js';

const PACK = 0xffffffffc0000;
const DIRECT = 0xffff888000000;
const whose = { name: 't', arch: 'x86_64', kernel: '6.1', origin: 6_000_000_000n };

const memoryOf = (...facts: readonly Fact[]): Memory => evolveAll(nothing, numbered(facts));
const shown = (...facts: readonly Fact[]): State => stateOf(whose, memoryOf(...facts));

const bases: Fact = { kind: 'bases-learned', direct: DIRECT, vmemmap: { hi: 0, lo: 0 } };
const area: Fact = {
  kind: 'area-allocated',
  start: PACK,
  pages: 9,
  flags: 0,
  caller: 'bpf_prog_pack_alloc+0x1/0x2',
};
const mapped = (page: number, pages: number, frame: number, prot = 11, shift = 12): Fact => ({
  kind: 'mapped',
  page,
  pages,
  shift,
  prot,
  frame,
});

const at = (offset: number): Address => Address.add(Address.of(PACK), offset);

const sum = (content: object): number =>
  Object.values(content as Record<string, number>).reduce((total: number, n) => total + n, 0);

const olderSymbol = (name: string, offset: number): Fact => ({
  kind: 'published',
  program: 0,
  start: at(offset),
  end: at(offset),
  name,
  id: 0,
  ksym: { hi: 0, lo: 0 },
});

/** Every page of ranges, with what is said of it. */
const pagesOf = (list: readonly { start: string; end: string; prot: string; page_size: number | null }[]) =>
  list.flatMap(({ start, end, prot, page_size }) => {
    const first = Address.parse(start) ?? Address.zero;
    const count = Address.minus(Address.parse(end) ?? Address.zero, first) / 4096;
    return Array.from({ length: count }, (_, i) => `${first.page + i} ${prot} ${page_size}`);
  });

describe('the state at a moment', () => {
  it('has mappings as maximal ranges, split where permission, size or physical order changes', () => {
    const { mappings } = shown(
      area,
      mapped(PACK, 2, 0x100),
      mapped(PACK + 2, 1, 0x200),
      mapped(PACK + 3, 3, -2),
      { kind: 'permission', space: 0, page: PACK + 5, pages: 1, set: 4, clear: 2 },
    );
    expect(
      mappings.map(({ start, end, prot, phys }) => [start.slice(-5), end.slice(-5), prot, phys]),
    ).to.deep.equal([
      ['00000', '02000', 'rw-', '0x0000000000100000'],
      ['02000', '03000', 'rw-', '0x0000000000200000'],
      ['03000', '05000', 'rw-', null],
      ['05000', '06000', 'r-x', null],
    ]);
    expect(mappings[0]).to.deep.equal({
      start: '0xffffffffc0000000',
      end: '0xffffffffc0002000',
      page_size: 4096,
      prot: 'rw-',
      phys: '0x0000000000100000',
    });
  });

  it('shows a page whose leaf is not known without size', () => {
    const { mappings, unknown } = shown({
      kind: 'permission',
      space: 0,
      page: PACK,
      pages: 1,
      set: 0,
      clear: 2,
    });
    expect(mappings[0]).to.include({ page_size: null, prot: 'r-?', phys: null });
    expect(unknown).to.deep.equal([
      {
        start: '0xffffffffc0000000',
        end: '0xffffffffc0001000',
        why: 'only a change of its permission was seen',
      },
    ]);
  });

  it('never maps a guard page, and shows areas with it', () => {
    const { mappings, areas } = shown(area, mapped(PACK, 8, 0x100), {
      kind: 'permission',
      space: 0,
      page: PACK,
      pages: 9,
      set: 4,
      clear: 2,
    });
    expect(mappings.map(({ end }) => end)).to.deep.equal(['0xffffffffc0008000']);
    expect(areas).to.deep.equal([
      {
        start: '0xffffffffc0000000',
        end: '0xffffffffc0009000',
        guard: true,
        state: 'live',
        caller: 'bpf_prog_pack_alloc+0x1/0x2',
      },
    ]);
    const lazy = shown({ ...area, caller: '', flags: 0x40 } as Fact, { kind: 'area-freed', start: PACK });
    expect(lazy.areas[0]).to.include({ guard: false, state: 'lazy', caller: null });
  });

  it('has of the direct map what backs a mapping, backed an executable one, or is not rw-', () => {
    const facts: readonly Fact[] = [
      bases,
      { kind: 'direct-mapped', page: 0, pages: 1024, shift: 21, prot: 11 },
      area,
      mapped(PACK, 2, 0x100),
      { kind: 'permission', space: 0, page: PACK, pages: 1, set: 4, clear: 0 },
      { kind: 'permission', space: 1, page: 0x300, pages: 1, set: 0, clear: 2 },
    ];
    expect(shown(...facts).direct_map).to.deep.equal([
      {
        start: '0xffff888000100000',
        end: '0xffff888000102000',
        page_size: 2097152,
        prot: 'rw-',
        phys: '0x0000000000100000',
        backs: '0xffffffffc0000000',
      },
      {
        start: '0xffff888000300000',
        end: '0xffff888000301000',
        page_size: 2097152,
        prot: 'r--',
        phys: '0x0000000000300000',
        backs: null,
      },
    ]);
    const after = shown(...facts, { kind: 'unmapped', page: PACK, pages: 2 });
    expect(after.direct_map.map(({ phys, backs }) => [phys, backs])).to.deep.equal([
      ['0x0000000000100000', null],
      ['0x0000000000300000', null],
    ]);
    const baseless = shown(mapped(PACK, 1, 0x100));
    expect(baseless.direct_map).to.deep.equal([]);
    expect(baseless.unknown).to.deep.equal([
      {
        start: '0xffffffffc0000000',
        end: '0xffffffffc0001000',
        why: 'their direct map: where it begins is not known',
      },
    ]);
  });

  const pack: readonly Fact[] = [
    area,
    mapped(PACK, 8, 0x100),
    { kind: 'pack-created', start: PACK, bytes: 8 * 4096, partial: 0 },
  ];
  const program = (number: number, offset: number): readonly Fact[] => [
    { kind: 'chunk-allocated', pack: PACK, at: at(offset), bytes: 128 },
    {
      kind: 'program-allocated',
      program: number,
      pointer: { hi: 1, lo: number },
      chunk: at(offset),
      bytes: 128,
      proglen: 90,
      type: 'program',
    },
    { kind: 'copied', to: at(offset), length: 128, what: 'image', way: 'poke' },
  ];

  it('tells what lies in a pack', () => {
    const facts: readonly Fact[] = [
      ...pack,
      { kind: 'filled', to: at(0), length: 4096, pattern: 0xcccccccc, way: 'store' },
      { kind: 'filled', to: at(4096), length: 64, pattern: 0, way: 'store' },
      ...program(5, 0),
      ...program(6, 256),
      { kind: 'program-freed', program: 6 },
      { kind: 'chunk-freed', pack: PACK, at: at(256), bytes: 128 },
      {
        kind: 'content',
        frame: 0x102,
        block: 0,
        blocks: 64,
        class: ContentClass.unknown,
        ref: 0,
        bytes: new Uint8Array(),
      },
      { kind: 'chunk-allocated', pack: PACK, at: at(3 * 4096), bytes: 64 },
      { kind: 'copied', to: at(3 * 4096), length: 192, what: 'code', way: 'poke' },
    ];
    expect(shown(...facts).packs).to.deep.equal([
      {
        start: '0xffffffffc0000000',
        size: 32768,
        chunks_total: 512,
        chunks_used: 3,
        content: {
          program: 128 + 64,
          trap: 4096 - 256,
          zero: 64,
          leftover: 128 + (4096 - 64) + (4096 - 64) + 4 * 4096,
          unknown: 4096,
        },
      },
    ]);
    const { content } = shown(...facts).packs[0] as State['packs'][0];
    expect(sum(content)).to.equal(32768);
    expect(shown({ ...pack[2], partial: 1 } as Fact).packs[0]?.chunks_used).to.equal(null);
  });

  it('has programs with what is known of them', () => {
    const facts: readonly Fact[] = [
      ...pack,
      ...program(5, 64),
      { kind: 'program-placed', program: 5, start: at(80), length: 88 },
      {
        kind: 'published',
        program: 5,
        start: at(80),
        end: at(168),
        name: 'bpf_prog_0123456789abcdef_my_prog',
        id: 9,
        ksym: { hi: 1, lo: 2 },
      },
      ...program(6, 256),
    ];
    expect(shown(...facts).programs).to.deep.equal([
      {
        id: 9,
        name: 'my_prog',
        tag: '0123456789abcdef',
        kind: 'program',
        chunk: '0xffffffffc0000040',
        chunk_len: 128,
        start: '0xffffffffc0000050',
        len: 88,
        symbol: true,
        state: 'live',
      },
    ]);
  });

  it('counts programs that are known in part as unknown', () => {
    const waiting = shown(...pack, ...program(5, 0x100));
    expect(waiting.programs).to.deep.equal([]);
    expect(waiting.unknown).to.deep.include({
      start: '0xffffffffc0000100',
      end: '0xffffffffc0000180',
      why: 'memory of a program: where its code begins in it is not known yet',
    });
  });

  it('has the clock of the recording beside the time since its first event', () => {
    expect(shown(...pack)).to.include({ time_ns: '2000', time_origin_ns: '6000000000' });
    expect(stateOf({ ...whose, origin: null }, nothing).time_origin_ns).to.equal(null);
  });

  it('takes pages that hold programs for unknown until it is seen how they are mapped', () => {
    const why = 'programs lie here, but how it is mapped was never seen';
    const [, allocated] = program(5, 0x1fc0);
    expect(shown(allocated as Fact).unknown).to.deep.include({
      start: '0xffffffffc0001000',
      end: '0xffffffffc0003000',
      why,
    });
    expect(shown(mapped(PACK, 9, 0x100), allocated as Fact).unknown.map((u) => u.why)).not.to.include(why);
    expect(shown(olderSymbol('bpf_prog_0123456789abcdef', 4)).unknown.map((u) => u.why)).to.include(why);
  });

  it('knows programs older than the log by their symbols alone, and no symbols of others', () => {
    const memory = memoryOf(
      olderSymbol('bpf_prog_0123456789abcdef', 4),
      olderSymbol('ftrace_trampoline', 64),
    );
    expect(programs(memory)).to.have.length(1);
    expect(programs(memory)[0]).to.include({
      tag: '0123456789abcdef',
      name: null,
      chunk: null,
      len: null,
      symbol: true,
    });
    const state = stateOf(whose, memory);
    expect(state.programs).to.deep.equal([]);
    expect(state.unknown).to.deep.include({
      start: '0xffffffffc0000004',
      end: '0xffffffffc0000005',
      why: 'a program older than the recording: only its symbol is known',
    });
  });

  for (const [symbol, tag, name] of [
    ['bpf_prog_0123456789abcdef', '0123456789abcdef', null],
    ['bpf_prog_0123456789abcdef_F', '0123456789abcdef', 'F'],
    ['bpf_prog_0123456789abcdef_a_b', '0123456789abcdef', 'a_b'],
    ['bpf_dispatcher_xdp', null, 'bpf_dispatcher_xdp'],
  ] as const)
    it(`reads tag and name from ${symbol}`, () => {
      expect(symbolParts(symbol)).to.deep.equal({ tag, name });
    });

  it('lists what was forgotten until it is observed again', () => {
    const facts: readonly Fact[] = [
      bases,
      area,
      mapped(PACK, 2, 0x100),
      { kind: 'gap', lost: 2, why: 'lost' },
      { kind: 'forgotten', page: PACK, pages: 9, why: 'CPU 1 lost 2 events' },
    ];
    const why = 'CPU 1 lost 2 events';
    const forgotten = shown(...facts);
    expect(forgotten.mappings.map(({ prot }) => prot)).to.deep.equal(['???']);
    expect(forgotten.unknown).to.deep.equal([
      { start: '0xffffffffc0000000', end: '0xffffffffc0008000', why },
    ]);
    const again = shown(...facts, mapped(PACK + 1, 1, 0x200));
    expect(again.unknown.map(({ start, end }) => [start.slice(-4), end.slice(-4)])).to.deep.equal([
      ['0000', '1000'],
      ['2000', '8000'],
    ]);
    const freed = shown(
      ...facts,
      { kind: 'unmapped', page: PACK, pages: 9 },
      { kind: 'area-freed', start: PACK },
    );
    expect(freed.unknown).to.deep.equal([]);
  });

  it('says what is charged, or that it is not known', () => {
    expect(
      shown({ kind: 'limit-set', bytes: 9, charged: 64 }, { kind: 'charged', bytes: -32 }).jit_charged,
    ).to.equal(32);
    expect(shown({ kind: 'limit-set', bytes: 9, charged: -1 }).jit_charged).to.equal(null);
  });

  it('is shown to people as tables', () => {
    const placed: Fact = { kind: 'program-placed', program: 5, start: at(16), length: 88 };
    const memory = memoryOf(bases, ...pack, ...program(5, 0), placed);
    const text = sectionsText(stateSections(stateOf(whose, memory), memory));
    expect(text).to.match(/start +end +size +page size +prot +physical/);
    expect(text).to.include('Nothing that matters is unknown');
  });
});

describe('the state of a recording', () => {
  for (const folder of capturesNamed(/-S1-|-S3-|-S8-/))
    it(`is what the kernel dumped: ${folder.split('/').at(-1)}`, async () => {
      const { view } = await importedCapture(folder);
      const capture = must(openCapture(folder));
      for (const phase of capture.phases) {
        const dump = must(capture.dump(phase));
        const state = stateOf(view, must(view.at(`#${phase.name}`)));
        const dumped = dump.executableArea.flatMap((range) =>
          Array.from(
            { length: range.end.page - range.start.page },
            (_, i) =>
              `${range.start.page + i} r${range.writable ? 'w' : '-'}${range.executable ? 'x' : '-'} ${range.leaf}`,
          ),
        );
        expect(pagesOf(state.mappings), phase.name).to.deep.equal(dumped);
        expect(
          state.areas.filter((area_) => area_.state === 'live').map(({ start, end }) => `${start} ${end}`),
        ).to.include.members(
          dump.areas
            .filter(({ lazy }) => !lazy)
            .map(({ start, end }) => `${Address.toText(start)} ${Address.toText(end)}`),
        );
        const symbols = dump.symbols.filter(({ name }) => /^bpf_(?:prog|dispatcher)_/.test(name));
        const starts = new Set(symbols.map(({ address }) => Address.toText(address)));
        expect(
          new Set(state.programs.filter(({ symbol }) => symbol).map(({ start }) => start)),
          phase.name,
        ).to.deep.equal(starts);
        for (const { size, content } of state.packs) expect(sum(content)).to.equal(size);
        if (state.jit_charged !== null && state.packs.every(({ chunks_used }) => chunks_used !== null))
          expect(state.jit_charged).to.be.at.least(0);
      }
    }).timeout(60_000);
});
