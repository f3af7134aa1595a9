import { expect } from 'chai';
import type { Fact } from '../../../core/event/event.js';
import { Space } from '../../../core/event/pages.js';
import type { CodePlace, LevelEntry, Oops } from '../../../core/oops/oops.js';
import { Address } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import { Word } from '../../../core/value/words.js';
import { must } from '../../../replay/failed.js';
import type { TraceView } from '../../../replay/log.js';
import { FAILURES } from '../../../replay/postmortem/known/failures.js';
import type { Explanation } from '../../../replay/postmortem/postmortem.js';
import { oopsWith } from '../../core/oops/given.js';
import { logOf } from '../given.js';
import { explain } from './given.js';
import { call, returned, story } from './story.js';

const DIRECT = 0xffff888000000;
const PAGE = 0xffffffffa0203;
const FRAME = 0x6d5d;
const ALIAS = (BigInt(DIRECT) + BigInt(FRAME)) << 12n;
const AT = BigInt(PAGE) << 12n;

const ms = 1_000_000;
const ORIGIN = 5_000_000_000n;
const traceOf = (profile: string, facts: readonly Fact[]): TraceView =>
  must(
    logOf(story(ms, facts), {
      meta: { source: 'recording', arch: 'x86_64', profile, origin: String(ORIGIN) },
    }).trace('t'),
  );

/** An oops just after the last event. */
const oops = (release: string, facts: readonly Fact[], part: Partial<Oops>): Oops =>
  oopsWith({ release, time: ORIGIN + BigInt(facts.length * ms), ...part });

const upper: readonly LevelEntry[] = [
  { level: 'pgd', raw: 0x2e01067n },
  { level: 'p4d', raw: 0x2e01067n },
  { level: 'pud', raw: 0x2e02067n },
  { level: 'pmd', raw: 0xa224063n },
];
const line = (pte: bigint): Partial<Oops> => ({ entries: [...upper, { level: 'pte', raw: pte }] });
const code = (symbol: string): CodePlace => ({ address: null, symbol, offset: 4, size: 64, module: null });

const write = { access: 'write', present: true, code: 3n } as const;
const read = { access: 'read', present: false, code: 0n } as const;
const fetch = { access: 'execute', present: false, code: 0x10n } as const;

const BASE: Fact = { kind: 'bases-learned', direct: DIRECT, vmemmap: Word.zero };
const area = (pages = 1): Fact => ({
  kind: 'area-allocated',
  start: PAGE,
  pages: pages + 1,
  flags: 0x100,
  caller: 'x',
});
const mapped = (prot: number = Prot.kernel): Fact => ({
  kind: 'mapped',
  page: PAGE,
  pages: 1,
  shift: 12,
  prot,
  frame: FRAME,
});
const change = (space: Space, set: number, clear: number): Fact => ({
  kind: 'permission',
  space,
  page: space === Space.direct ? FRAME : PAGE,
  pages: 1,
  set,
  clear,
});
const pack: Fact = { kind: 'pack-created', start: PAGE, bytes: 4096, partial: 0 };
const program = (number: number, offset: number, type = 'program'): Fact => ({
  kind: 'program-allocated',
  program: number,
  pointer: Word.fromNumber(number * 4096),
  chunk: Address.of(PAGE, offset),
  bytes: 128,
  proglen: 100,
  type,
});
const ready: readonly Fact[] = [
  BASE,
  area(),
  mapped(),
  pack,
  change(Space.virtual, 0, Prot.writable),
  change(Space.direct, 0, Prot.writable),
  change(Space.virtual, Prot.executable, 0),
];
const unmapped: readonly Fact[] = [
  { kind: 'unmapped', page: PAGE, pages: 1 },
  { kind: 'area-freed', start: PAGE },
];
const packFree = (size: number): Fact =>
  call('bpf_prog_pack_free', { hdr: Word.fromAddress(Address.of(PAGE)), hdr_size: Word.fromNumber(size) });

interface Case {
  readonly id: string;
  readonly is: string;
  readonly profile: string;
  readonly facts: readonly Fact[];
  readonly oops: (facts: readonly Fact[]) => Oops;
  /** The same with a detail that speaks against it. */
  readonly unless: (facts: readonly Fact[]) => readonly Fact[] | Oops;
}

const gone = line(0n);
const other = program(8, 0);

const CASES: readonly Case[] = [
  {
    id: 'F3',
    is: 'no buffer for a new program',
    profile: '5.18-rc3',
    facts: [
      ...ready,
      other,
      call('bpf_jit_binary_pack_alloc', { proglen: Word.fromNumber(100) }),
      packFree(0x5446454c),
      ...unmapped,
      returned('bpf_prog_pack_free'),
      returned('bpf_jit_binary_pack_alloc', 0),
    ],
    oops: (facts) => oops('5.17.0-rc6-next', facts, { ...fetch, address: AT, ...gone }),
    unless: (facts) => facts.filter((fact) => fact.kind !== 'program-allocated'),
  },
  {
    id: 'F11',
    is: 'finalizing failed',
    profile: '5.18-rc5',
    facts: [
      ...ready,
      other,
      call('bpf_int_jit_compile'),
      call('bpf_jit_binary_pack_finalize', { ro_header: Word.fromAddress(Address.of(PAGE, 128)) }),
      call('bpf_arch_text_copy', { dst: Word.fromAddress(Address.of(PAGE, 128)), len: Word.fromNumber(128) }),
      returned('bpf_arch_text_copy', -22),
      packFree(0xcccccccc),
      ...unmapped,
      returned('bpf_prog_pack_free'),
      returned('bpf_jit_binary_pack_finalize', -22),
      returned('bpf_int_jit_compile'),
    ],
    oops: (facts) => oops('6.1.0', facts, { ...fetch, address: AT, ...gone }),
    unless: (facts) =>
      facts.map((fact) =>
        fact.kind === 'returned' && fact.fn === 'bpf_arch_text_copy'
          ? returned(fact.fn, Word.fromAddress(Address.of(PAGE)))
          : fact,
      ),
  },
  {
    id: 'F12',
    is: 'the error path of the JIT',
    profile: '5.18-rc5',
    facts: [
      ...ready,
      other,
      call('bpf_int_jit_compile'),
      call('bpf_arch_text_copy', { dst: Word.fromAddress(Address.of(PAGE, 128)), len: Word.fromNumber(4) }),
      returned('bpf_arch_text_copy', -22),
      call('bpf_jit_binary_pack_free', { ro_header: Word.fromAddress(Address.of(PAGE, 128)) }),
      packFree(0xcccccccc),
      ...unmapped,
      returned('bpf_prog_pack_free'),
      returned('bpf_jit_binary_pack_free'),
      returned('bpf_int_jit_compile'),
    ],
    oops: (facts) => oops('6.1.0', facts, { ...fetch, address: AT, ...gone }),
    unless: (facts) => facts.filter((fact) => fact.kind !== 'unmapped'),
  },
  {
    id: 'F13',
    is: 'an executable alias',
    profile: '6.1',
    facts: ready,
    oops: (facts) => oops('6.2.0-rc3', facts, { ...write, address: ALIAS, ...line(0x6d5d161n) }),
    unless: (facts) => oops('6.2.0-rc3', facts, { ...write, address: ALIAS, ...line(0x8000000006d5d161n) }),
  },
  {
    id: 'F14',
    is: 'an alias in the TLB',
    profile: '5.10',
    facts: [...ready, change(Space.direct, Prot.writable, 0)],
    oops: (facts) => oops('5.4.0', facts, { ...write, address: ALIAS, ...line(0x8000000006d5d163n) }),
    unless: (facts) => [...facts, { kind: 'tlb-flushed', page: 0, pages: 0, why: 'cpa' }],
  },
  {
    id: 'F16',
    is: 'a trampoline',
    profile: '5.10',
    facts: [BASE, area(), mapped(), change(Space.virtual, Prot.executable, 0)],
    oops: (facts) => oops('5.10.0', facts, { ...read, address: AT + 0x10n, ...line(0x6d5d163n) }),
    unless: (facts) => [...facts, pack],
  },
  {
    id: 'F27',
    is: 'a reader of the direct map',
    profile: '6.12',
    facts: [...ready, change(Space.direct, 0, Prot.present)],
    oops: (facts) =>
      oops('6.13.0-rc2', facts, {
        ...read,
        address: ALIAS,
        ...line(0x8000000000000000n),
        pc: code('read_kcore_iter'),
      }),
    unless: (facts) => [...facts, ...unmapped],
  },
  {
    id: 'F28',
    is: 'a split page',
    profile: '6.12',
    facts: [
      BASE,
      area(512),
      {
        kind: 'mapped',
        page: 0xffffffffa0200,
        pages: 512,
        shift: 21,
        prot: Prot.present | Prot.executable,
        frame: 0x6c00,
      },
      { kind: 'split', space: Space.virtual, page: 0xffffffffa0200, from: 21, to: 12 },
    ],
    oops: (facts) => oops('6.14.0', facts, { ...write, address: AT, ...line(0x6c03161n) }),
    unless: (facts) => facts.filter(({ kind }) => kind !== 'split'),
  },
  {
    id: 'F29',
    is: 'an ITS thunk',
    profile: '7.2',
    facts: ready,
    oops: (facts) =>
      oops('6.15.0', facts, { ...write, address: AT, ...line(0x6d5d161n), pc: code('its_init_thunk') }),
    unless: (facts) =>
      oops('6.15.0', facts, { ...write, address: AT, ...line(0x6d5d161n), pc: code('memcpy') }),
  },
  {
    id: 'F31',
    is: 'an array of pages',
    profile: '7.2',
    facts: ready,
    oops: (facts) => oops('6.18.0-rc4', facts, { ...read, address: ALIAS, pc: code('cpa_flush') }),
    unless: (facts) => oops('6.17.0', facts, { ...read, address: ALIAS, pc: code('cpa_flush') }),
  },
  {
    id: 'F32',
    is: 'an unsorted array of pokes',
    profile: '7.2',
    facts: ready,
    oops: (facts) =>
      oops('6.16.0-rc1', facts, { ...read, address: 0x10n, pc: code('smp_text_poke_int3_handler') }),
    unless: (facts) => oops('6.16.0-rc1', facts, { ...read, address: 0x10n, pc: code('asm_exc_int3') }),
  },
  {
    id: 'F34',
    is: 'a chunk that a classic program took over',
    profile: '6.1',
    facts: [...ready, program(8, 0), { kind: 'program-freed', program: 8 }, program(10, 0, 'classic')],
    oops: (facts) =>
      oops('6.1.0', facts, {
        kind: 'trap',
        access: 'execute',
        present: true,
        pc: { ...code('x'), symbol: null, address: AT + 0x11n },
      }),
    unless: (facts) => facts.filter(({ kind }) => kind !== 'program-freed'),
  },
  {
    id: 'F40',
    is: 'a dirty read-only page',
    profile: '6.1',
    facts: ready,
    oops: (facts) => oops('6.1.0', facts, { ...write, address: ALIAS, ...line(0x8000000006d5d161n) }),
    unless: (facts) => oops('6.1.0', facts, { ...write, address: ALIAS, ...line(0x8000000006d5d121n) }),
  },
];

const found = (own: Oops, trace: TraceView, id: string): Explanation | undefined =>
  explain(own, trace).explanations.find((one) => one.id === id && one.fit === 'fits');

describe('a known failure', () => {
  for (const { id, is, profile, facts, oops: of, unless } of CASES) {
    it(`${id} fits ${is}, and not without it`, () => {
      expect(found(of(facts), traceOf(profile, facts), id)).to.include({ id, fit: 'fits' });
      const but = unless(facts);
      const [own, story2] = Array.isArray(but)
        ? [of(but as readonly Fact[]), but as readonly Fact[]]
        : [but as Oops, facts];
      expect(found(own, traceOf(profile, story2), id)).to.equal(undefined);
    });
  }

  it('F20 fits a block that a permission change reached (arm64)', () => {
    const facts: readonly Fact[] = [
      area(512),
      { kind: 'mapped', page: PAGE, pages: 512, shift: 21, prot: Prot.kernel, frame: 0x48000 },
      change(Space.virtual, 0, Prot.writable),
    ];
    const own = oopsWith({
      ...write,
      arch: 'arm64',
      release: '6.12.0',
      address: AT,
      time: ORIGIN + BigInt(3 * ms),
      entries: [
        { level: 'pgd', raw: 0x10000000bffff003n },
        { level: 'pud', raw: 0x10000000bfffe003n },
        { level: 'pmd', raw: 0x0060000048000f85n },
      ],
    });
    const trace = must(
      logOf(story(ms, facts), { meta: { arch: 'arm64', origin: String(ORIGIN) } }).trace('t'),
    );
    expect(found(own, trace, 'F20')).to.include({ fit: 'fits' });
    const paged = {
      ...own,
      entries: [
        ...own.entries.slice(0, 2),
        { level: 'pmd', raw: 0x41b6c003n },
        { level: 'pte', raw: 0x0060000048000f87n },
      ] as const,
    };
    expect(found(paged, trace, 'F20')).to.equal(undefined);
  });

  it('is in the list once, with questions of which one decides', () => {
    const ids = FAILURES.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { questions } of FAILURES)
      expect(questions.some(({ decisive }) => decisive === true)).to.equal(true);
  });

  it('that needs what was lost does not fit', () => {
    const gap: Fact = { kind: 'gap', lost: 3, why: 'CPU 0 lost 3 events' };
    for (const id of ['F3', 'F14', 'F16', 'F27', 'F28', 'F34'] as const) {
      const { profile, facts, oops: of } = CASES.find((one) => one.id === id) as Case;
      const at = facts.findIndex(({ kind }) => kind === 'unmapped');
      const lossy = at < 0 ? [...facts, gap] : [...facts.slice(0, at), gap, ...facts.slice(at)];
      const own = of(lossy);
      expect(found(own, traceOf(profile, lossy), id), id).to.equal(undefined);
      expect(explain(own, traceOf(profile, lossy)).unknown.join()).to.match(/3 events were lost at event/);
    }
  });
});
