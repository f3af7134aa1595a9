/** kernel-model.md §8: each failure, put into an emulation, is found by the rule that names it, with the event that proves it. */
import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import type { Event, EventOf } from '../../../core/event/event.js';
import { Space } from '../../../core/event/pages.js';
import { Memory } from '../../../core/memory/memory.js';
import { variant } from '../../../core/profile/profile.js';
import { Address } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import {
  changing,
  classic,
  close,
  either,
  failing,
  hear,
  load,
  settle,
  without,
  type Scene,
} from './injected.js';

interface Case {
  readonly name: string;
  /** Of kernel-model.md §8.2. */
  readonly failure?: string;
  readonly rule: string;
  readonly pattern: string;
  readonly scene: Scene;
  /** One of the events named as evidence. */
  readonly proof: (event: Event) => boolean;
  /** The same without the fault; by default neither failing calls nor changed facts. */
  readonly sound?: Partial<Scene>;
}

const UNHARMED: Partial<Scene> = {
  fail: () => undefined,
  intercept: (fact) => [fact],
  log: (events) => events,
};

const is =
  <K extends Event['kind']>(kind: K, more: (event: EventOf<K>) => boolean = () => true) =>
  (event: Event): boolean =>
    event.kind === kind && more(event as EventOf<K>);
const returned = (fn: string) => is('returned', (event) => event.fn === fn);
const entered = (fn: string) => is('entered', (event) => event.fn === fn);

const TWO = [load(1), load(2), close(1), settle];
const ONE = [load(1), close(1), settle];
const XDP = [load(1), { op: 'attach_xdp', slot: 1 } as const];

const mapped = (events: readonly Event[], change: (event: Event) => Event): Event[] => events.map(change);

/** Frame behind the memory of a program that is being put into use. */
const frameOf = (memory: Memory, program: number): number => {
  const page = Memory.program(memory, program)?.chunk.page ?? 0;
  return Memory.page(memory, page)?.frame ?? 0;
};

const incoherent = Object.freeze({ ...x86_64, name: 'test', coherentFetch: false });

const LEFTOVER = 'memory became executable without being written for it';
const DEAD = 'code of a freed program stays executable';
const WX = 'a page is writable and executable';

const CASES: readonly Case[] = [
  {
    name: 'a new pack is not filled (5.18-rc3)',
    failure: 'F1',
    rule: 'I1',
    pattern: LEFTOVER,
    scene: { kernel: '5.18-rc3', operations: [load(1)] },
    proof: is('permission', (event) => (event.set & Prot.executable) !== 0),
    sound: { kernel: '5.18-rc3-packv2' },
  },
  {
    name: 'a new pack is not filled (6.12)',
    failure: 'F1',
    rule: 'I1',
    pattern: LEFTOVER,
    scene: { kernel: '6.12', operations: [load(1)], intercept: without('filled', 'alloc_new_pack') },
    proof: is('permission', (event) => (event.set & Prot.executable) !== 0),
  },
  {
    name: 'a freed chunk is not filled (5.18-rc5)',
    failure: 'F2',
    rule: 'I1',
    pattern: DEAD,
    scene: { kernel: '5.18-rc5', operations: TWO },
    proof: is('chunk-freed'),
    sound: { kernel: '5.18-rc5-packv2' },
  },
  {
    name: 'a freed chunk is not filled (7.2)',
    failure: 'F2',
    rule: 'I1',
    pattern: DEAD,
    scene: { kernel: '7.2', operations: TWO, intercept: without('filled', 'bpf_arch_text_invalidate') },
    proof: is('chunk-freed'),
  },
  {
    name: 'the fill of a freed chunk fails, and only a warning is printed',
    failure: 'F2',
    rule: 'I7',
    pattern: 'chunks are given back although they could not be filled',
    scene: { kernel: '6.1', operations: TWO, fail: failing('bpf_arch_text_invalidate') },
    proof: returned('bpf_arch_text_invalidate'),
  },
  {
    name: 'a program is freed before it was finalized',
    failure: 'F6',
    rule: 'I17',
    pattern: 'a program is freed before it was finalized',
    scene: {
      kernel: '5.18-rc5-packv2',
      operations: [load(1, 300, 300)],
      fail: failing('bpf_jit_charge_modmem', 2, -1),
    },
    proof: is('program-freed'),
    sound: { kernel: '6.1', fail: failing('bpf_jit_charge_modmem', 2, -1) },
  },
  {
    name: 'a program is freed before it was finalized: by the trap pattern as its size',
    failure: 'F6',
    rule: 'I5',
    pattern: 'an image is given back with another size than it was given',
    scene: {
      kernel: '5.18-rc5-packv2',
      operations: [load(1, 300, 300)],
      fail: failing('bpf_jit_charge_modmem', 2, -1),
    },
    proof: entered('bpf_prog_pack_free'),
    sound: { kernel: '6.1', fail: failing('bpf_jit_charge_modmem', 2, -1) },
  },
  {
    name: 'a program is freed before it was finalized: its pack goes with it',
    failure: 'F6',
    rule: 'I19',
    pattern: 'a pack was given back while images lay in it',
    scene: {
      kernel: '5.18-rc5-packv2',
      operations: [load(1, 300, 300)],
      fail: failing('bpf_jit_charge_modmem', 2, -1),
    },
    proof: is('area-freed'),
    sound: { kernel: '6.1', fail: failing('bpf_jit_charge_modmem', 2, -1) },
  },
  {
    name: 'a program is freed before it was finalized: its buffer stays',
    failure: 'F6',
    rule: 'I23',
    pattern: 'a buffer is never freed',
    scene: {
      kernel: '5.18-rc5-packv2',
      operations: [load(1, 300, 300)],
      fail: failing('bpf_jit_charge_modmem', 2, -1),
    },
    proof: entered('bpf_jit_binary_pack_free'),
    sound: { kernel: '6.1', fail: failing('bpf_jit_charge_modmem', 2, -1) },
  },
  {
    name: 'the reset of the direct map needs a page table, and there is none',
    failure: 'F9',
    rule: 'I3',
    pattern: 'a read-only page was handed back',
    scene: { kernel: '5.18-rc3', operations: ONE, fail: failing('alloc_pages') },
    proof: is('frames-released'),
  },
  {
    name: 'the reset of the direct map fails, and nobody looks',
    failure: 'F9',
    rule: 'I7',
    pattern: 'a page goes back to the page allocator although its direct map could not be changed',
    scene: { kernel: '6.12', operations: ONE, fail: failing('set_direct_map_default_noflush', 3) },
    proof: returned('set_direct_map_default_noflush'),
  },
  {
    name: 'set_memory_ro fails, and nobody looks',
    failure: 'F10',
    rule: 'I7',
    pattern: 'a program is used although its memory could not be protected',
    scene: { kernel: '6.1', operations: [load(1)], fail: failing('set_memory_ro', 1) },
    proof: returned('set_memory_ro'),
    sound: { kernel: '6.12', fail: failing('set_memory_rox', 1) },
  },
  {
    name: 'set_memory_ro fails, and nobody looks: the pack is writable and executable',
    failure: 'F10',
    rule: 'I2',
    pattern: WX,
    scene: { kernel: '6.1', operations: [load(1)], fail: failing('set_memory_ro', 1) },
    proof: is('permission', (event) => (event.set & Prot.executable) !== 0),
    sound: { kernel: '6.12', fail: failing('set_memory_rox', 1) },
  },
  {
    name: 'the copy of an image fails: it stays charged',
    failure: 'F11',
    rule: 'I6',
    pattern: 'memory stays charged that no image holds',
    scene: { kernel: '6.12', operations: [load(1)], fail: failing('bpf_arch_text_copy', 1, -22) },
    proof: is('program-freed'),
    sound: {
      fail: failing('bpf_arch_text_copy', 1, -22),
      profile: (profile) => variant(profile, { errorPathsBySize: true }),
    },
  },
  {
    name: 'the copy of an image fails: the trap pattern is its size',
    failure: 'F11',
    rule: 'I5',
    pattern: 'an image is given back with another size than it was given',
    scene: { kernel: '6.12', operations: [load(1), load(2)], fail: failing('bpf_arch_text_copy', 2, -22) },
    proof: entered('bpf_prog_pack_free'),
    sound: {
      fail: failing('bpf_arch_text_copy', 2, -22),
      profile: (profile) => variant(profile, { errorPathsBySize: true }),
    },
  },
  {
    name: 'no buffer, and the copy of the size fails',
    failure: 'F12',
    rule: 'I7',
    pattern: 'a size is read from memory to which it could not be copied',
    scene: {
      kernel: '6.1',
      operations: [load(1), load(2)],
      fail: either(failing('kvmalloc', 2), failing('bpf_arch_text_copy', 2, -22)),
    },
    proof: returned('bpf_arch_text_copy'),
    sound: {
      profile: (profile) => variant(profile, { errorPathsBySize: true }),
      fail: failing('kvmalloc', 2),
    },
  },
  {
    name: 'a combined mask makes the direct map executable',
    failure: 'F13',
    rule: 'I14',
    pattern: 'the direct-map alias of a page is executable',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('permission', (fact, { calls }) =>
        fact.space === Space.direct && calls.includes('set_memory_rox')
          ? [{ ...fact, set: fact.set | Prot.executable }]
          : undefined,
      ),
    },
    proof: is('permission', (event) => event.space === Space.direct && (event.set & Prot.executable) !== 0),
  },
  {
    name: 'the flush after a change is left out',
    failure: 'F14',
    rule: 'I8',
    pattern: 'a permission of the direct map was taken away and its translations were not flushed',
    scene: { kernel: '6.12', operations: [load(1)], intercept: without('tlb-flushed', 'set_memory_rox') },
    proof: is('permission', (event) => event.space === Space.direct),
  },
  {
    name: 'the flush covers the pages and not their aliases',
    failure: 'F14',
    rule: 'I8',
    pattern: 'a permission of the direct map was taken away and its translations were not flushed',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('tlb-flushed', (fact, { calls, memory }) =>
        calls.includes('set_memory_rox')
          ? fact.why === 'cpa'
            ? [{ ...fact, page: fact.page, pages: Memory.areaAt(memory, fact.page)?.pages ?? 1 }]
            : []
          : undefined,
      ),
    },
    proof: is('permission', (event) => event.space === Space.direct),
  },
  {
    name: 'the dispatcher page stays writable (5.18-rc5)',
    failure: 'F16',
    rule: 'I2',
    pattern: WX,
    scene: { kernel: '5.18-rc5', operations: XDP },
    proof: is('permission', (event) => (event.set & Prot.executable) !== 0),
    sound: { kernel: '6.1' },
  },
  {
    name: 'a change is wider than asked for',
    failure: 'F18',
    rule: 'I11',
    pattern: 'more than the range that was asked for was changed',
    scene: {
      kernel: '5.10',
      operations: [load(1), load(2)],
      intercept: changing('permission', (fact, { calls }) =>
        fact.space === Space.virtual && calls.includes('set_memory_ro') ? [{ ...fact, pages: 2 }] : undefined,
      ),
    },
    proof: is('permission', (event) => event.pages === 2),
  },
  {
    name: 'the alias stays writable',
    failure: 'F18',
    rule: 'I14',
    pattern: 'a read-only page has a writable alias',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('permission', (fact, { calls }) =>
        fact.space === Space.direct && calls.includes('set_memory_rox') ? [] : undefined,
      ),
    },
    proof: is('permission', (event) => event.space === Space.virtual && (event.clear & Prot.writable) !== 0),
  },
  {
    name: 'the aliases of more than the range are changed',
    failure: 'F19',
    rule: 'I11',
    pattern: 'the alias of more than the range that was asked for was changed',
    scene: {
      kernel: '5.10',
      operations: [load(1), load(2)],
      intercept: changing('permission', (fact, { calls, memory }) => {
        if (fact.space !== Space.direct || !calls.includes('set_memory_ro')) return undefined;
        const others = [...Memory.programs(memory)].map((program) => frameOf(memory, program.number));
        return [fact, ...others.flatMap((page) => (page === fact.page ? [] : [{ ...fact, page }]))];
      }),
    },
    proof: is('permission', (event) => event.space === Space.direct),
  },
  {
    name: 'a part of a large page is changed without a split',
    failure: 'F20',
    rule: 'I11',
    pattern: 'part of a large page changed and the page was not split',
    scene: {
      kernel: '5.18-rc3',
      operations: [load(1)],
      intercept: changing('permission', (fact) =>
        fact.space === Space.virtual && fact.pages === 512 ? [{ ...fact, pages: 16 }] : undefined,
      ),
    },
    proof: is('permission', (event) => event.pages === 16),
  },
  {
    name: 'the instruction cache is not flushed',
    failure: 'F21',
    rule: 'I9',
    pattern: 'a program is used before the instruction cache was flushed',
    scene: {
      kernel: '6.12',
      arch: incoherent,
      operations: [load(1)],
      intercept: without('icache-flushed', 'bpf_jit_binary_pack_finalize'),
    },
    proof: is('copied'),
  },
  {
    name: 'the instruction cache is flushed before the copy',
    failure: 'F21',
    rule: 'I9',
    pattern: 'a program is used before the instruction cache was flushed',
    scene: {
      kernel: '6.12',
      arch: incoherent,
      operations: [load(1)],
      intercept: (fact, { calls }) => {
        if (!calls.includes('bpf_jit_binary_pack_finalize')) return [fact];
        if (fact.kind === 'icache-flushed') return [];
        return fact.kind === 'copied'
          ? [{ kind: 'icache-flushed', at: fact.to, length: fact.length }, fact]
          : [fact];
      },
    },
    proof: is('program-finalized'),
  },
  {
    name: 'executable memory leaves the direct map',
    failure: 'F27',
    rule: 'I22',
    pattern: 'the direct map lacks executable memory that is in use',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('program-finalized', (fact, { memory }) => [
        fact,
        {
          kind: 'permission',
          space: Space.direct,
          page: frameOf(memory, fact.program),
          pages: 1,
          set: 0,
          clear: Prot.present,
        },
      ]),
    },
    proof: is('permission', (event) => (event.clear & Prot.present) !== 0),
  },
  {
    name: 'a large executable page is split for good',
    failure: 'F28',
    rule: 'F28',
    pattern: 'a large executable page stays split',
    scene: {
      kernel: '7.2',
      operations: [load(1)],
      intercept: changing('program-finalized', (fact, { memory }) => {
        const page = Memory.program(memory, fact.program)?.chunk.page ?? 0;
        return [fact, { kind: 'split', space: Space.virtual, page: page - (page % 512), from: 21, to: 12 }];
      }),
    },
    proof: is('split'),
  },
  {
    name: 'a copy through a window that is writable and executable',
    failure: 'F38',
    rule: 'I2',
    pattern: WX,
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('copied', (fact) => {
        const window = { kind: 'permission', space: Space.virtual, page: fact.to.page, pages: 1 } as const;
        return [
          { ...window, set: Prot.writable, clear: 0 },
          fact,
          { ...window, set: 0, clear: Prot.writable },
        ];
      }),
    },
    proof: is('permission', (event) => (event.set & Prot.writable) !== 0),
  },
  {
    name: 'read-only pages keep the dirty bit (6.1)',
    failure: 'F40',
    rule: 'F40',
    pattern: 'a read-only page has the dirty bit set',
    scene: { kernel: '6.1', operations: [load(1)] },
    proof: is('permission'),
    sound: { kernel: '6.12' },
  },
  {
    name: 'two images get the same chunk',
    failure: 'F4',
    rule: 'I4',
    pattern: 'two images hold the same chunk',
    scene: {
      kernel: '6.12',
      operations: [load(1), load(2)],
      intercept: changing('chunk-allocated', (fact, { memory }) => {
        const [first] = Memory.programs(memory);
        return first === undefined ? undefined : [{ ...fact, at: first.chunk }];
      }),
    },
    proof: is('chunk-allocated'),
  },
  {
    name: 'more chunks are taken than needed',
    rule: 'I4',
    pattern: 'another number of chunks was taken than the size needs',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('chunk-allocated', (fact) => [{ ...fact, bytes: fact.bytes + 64 }]),
    },
    proof: is('chunk-allocated'),
  },
  {
    name: 'fewer chunks are given back than were taken',
    failure: 'F3',
    rule: 'I5',
    pattern: 'an image is given back with another size than it was given',
    scene: {
      kernel: '6.12',
      operations: TWO,
      log: (events) =>
        mapped(events, (event) =>
          event.kind === 'chunk-freed' ? { ...event, call: 0, bytes: event.bytes - 64 } : event,
        ),
    },
    proof: is('chunk-freed'),
  },
  {
    name: 'an empty pack is not given back',
    rule: 'I19',
    pattern: 'an empty pack was kept',
    scene: {
      kernel: '6.12',
      operations: ONE,
      log: (events) => {
        const removed = events.find((event) => event.kind === 'pack-removed');
        return events.filter((event) => event !== removed && event.kind !== 'area-freed');
      },
    },
    proof: is('chunk-freed'),
  },
  {
    name: 'the aliases of a freed pack are not made present again',
    failure: 'F17',
    rule: 'I3',
    pattern: 'a page that is not present was handed back',
    scene: {
      kernel: '6.12',
      operations: ONE,
      intercept: without('permission', 'set_direct_map_default_noflush'),
    },
    proof: is('frames-released'),
  },
  {
    name: 'pages are merged that are not consecutive',
    failure: 'F30',
    rule: 'I15',
    pattern: 'pages were merged whose memory is not consecutive',
    scene: {
      kernel: '7.2',
      profile: (profile) => variant(profile, { contiguousBacking: false }),
      operations: [load(1)],
      intercept: changing('program-finalized', (fact, { memory }) => {
        const page = Memory.program(memory, fact.program)?.chunk.page ?? 0;
        return [
          fact,
          { kind: 'collapsed', space: Space.virtual, page: page - (page % 512), from: 12, to: 21 },
        ];
      }),
    },
    proof: is('collapsed'),
  },
  {
    name: 'a text copy goes beyond its image',
    rule: 'I16',
    pattern: 'a text copy goes beyond its image',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('copied', (fact) => [{ ...fact, length: fact.length + 64 }]),
    },
    proof: is('copied'),
  },
  {
    name: 'a text copy goes to a free chunk',
    failure: 'F26',
    rule: 'I16',
    pattern: 'a text copy goes to chunks that no image holds',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('copied', (fact) => [{ ...fact, to: Address.add(fact.to, 8192) }]),
    },
    proof: is('copied'),
  },
  {
    name: 'a program is published before it was finalized',
    rule: 'I17',
    pattern: 'a program is published before it was finalized',
    scene: { kernel: '6.12', operations: [load(1)], intercept: without('program-finalized') },
    proof: is('published'),
  },
  {
    name: 'a program is finalized before its code was copied',
    rule: 'I17',
    pattern: 'a program is finalized before its code was copied',
    scene: { kernel: '6.12', operations: [load(1)], intercept: without('copied') },
    proof: is('program-finalized'),
  },
  {
    name: 'a program is freed while it is published',
    rule: 'I17',
    pattern: 'a program is freed while it is published',
    scene: { kernel: '6.12', operations: ONE, intercept: without('unpublished') },
    proof: is('program-freed'),
  },
  {
    name: 'published code is overwritten',
    rule: 'I17',
    pattern: 'code that is published is overwritten',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('published', (fact, { memory }) => {
        const program = Memory.program(memory, fact.program);
        return program === null
          ? undefined
          : [fact, { kind: 'copied', to: program.chunk, length: 64, what: 'image', way: 'poke' }];
      }),
    },
    proof: is('copied'),
  },
  {
    name: 'the predictors are not flushed before memory is used again',
    failure: 'F34',
    rule: 'I18',
    pattern: 'a classic program got used memory without a predictor flush',
    scene: {
      kernel: '7.2',
      flushesPredictors: true,
      operations: [load(1), load(2), close(1), settle, classic(1)],
      intercept: changing('pack-marked', (fact) => (fact.dirty === 0 ? [] : undefined)),
    },
    proof: is('chunk-allocated'),
  },
  {
    name: 'an area is given out twice',
    rule: 'I20',
    pattern: 'an area overlaps one that is in use',
    scene: {
      kernel: '5.10',
      operations: [load(1), load(2)],
      log: (events) => {
        const [first] = events.filter(is('area-allocated')) as EventOf<'area-allocated'>[];
        return mapped(events, (event) =>
          event.kind === 'area-allocated' && first !== undefined ? { ...event, start: first.start } : event,
        );
      },
    },
    proof: is('area-allocated'),
  },
  {
    name: 'addresses are used again before a purge',
    rule: 'I20',
    pattern: 'addresses were used again before a purge',
    scene: {
      kernel: '6.12',
      operations: [load(1), close(1), settle, load(2)],
      log: (events) => {
        const freed = events.findIndex(is('area-freed'));
        return events.filter((event, i) => i < freed || event.kind !== 'areas-purged');
      },
    },
    proof: is('area-freed'),
  },
  {
    name: 'a poke of another task in the middle of a poke',
    failure: 'F32',
    rule: 'I21',
    pattern: 'two tasks are inside what text_mutex keeps apart',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      log: (events) => {
        const at = events.findIndex((event) => entered('__text_poke')(event));
        const poke = events[at] as EventOf<'entered'>;
        const intruder: Event = { ...poke, seq: poke.seq + 1, task: 'another-7', call: 0 };
        const later = mapped(events.slice(at + 1), (event) => ({
          ...event,
          seq: event.seq + 1,
          call: event.call > poke.seq ? event.call + 1 : event.call,
        }));
        return [...events.slice(0, at + 1), intruder, ...later];
      },
    },
    proof: entered('__text_poke'),
  },
  {
    name: 'a counter shows splits that nobody saw',
    rule: 'I12',
    pattern: 'direct_map_level2_splits differs from the splits that were seen',
    scene: {
      kernel: '6.12',
      operations: [load(1)],
      intercept: changing('program-finalized', (fact, { memory }) => [
        fact,
        { kind: 'counter', name: 'direct_map_level2_splits', value: memory.counters.level2Splits + 3 },
      ]),
    },
    proof: is('counter'),
  },
];

describe('the audit of an emulation with a fault', () => {
  for (const { name, failure, rule, pattern, scene, proof, sound } of CASES)
    it(`${rule}${failure === undefined ? '' : ` (${failure})`}: ${name}`, () => {
      const heard = hear(scene);
      const found = heard.pattern(rule, pattern);
      expect(found, JSON.stringify(heard.judged(rule).patterns.map((one) => one.pattern))).to.not.equal(null);
      if (found === null) return;
      expect(heard.judged(rule).verdict).to.equal('broken');
      if (failure !== undefined && failure !== rule) expect(found.failures).to.include(failure);
      const finding = found.findings[0];
      expect(finding === undefined ? [] : heard.evidence(finding).filter(proof)).to.not.deep.equal([]);

      const quiet = hear({ ...scene, ...UNHARMED, ...sound });
      expect(quiet.pattern(rule, pattern)).to.equal(null);
    });

  it('is told of at least 25 faults, and of each failure that the issue names', () => {
    expect(CASES.length).to.be.at.least(25);
    const told = new Set(CASES.map(({ failure }) => failure));
    for (const failure of [
      'F1',
      'F2',
      'F6',
      'F9',
      'F10',
      'F11',
      'F12',
      'F13',
      'F14',
      'F16',
      'F18',
      'F19',
      'F20',
      'F21',
      'F27',
      'F28',
      'F38',
      'F40',
    ])
      expect(told, failure).to.include(failure);
  });
});
