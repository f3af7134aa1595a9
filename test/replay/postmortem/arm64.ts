/** Histories of an arm64 kernel as events: recordings of arm64 are not followed yet. Addresses are those of the oops texts. */
import type { Event, Fact } from '../../../core/event/event.js';
import { Space } from '../../../core/event/pages.js';
import { Address } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import { Word } from '../../../core/value/words.js';
import { call, returned, story } from './story.js';

const ORIGIN = 19_000_000_000n;
export const ARM64_META = {
  source: 'recording',
  arch: 'arm64',
  kernel: '6.1.0-50-cloud-arm64',
  origin: String(ORIGIN),
};

/** Linear map: physical 0x40000000 at 0xffff000000000000. */
const LINEAR = 0xffff000000000 - 0x40000;
const BASE: Fact = { kind: 'bases-learned', direct: LINEAR, vmemmap: Word.zero };

const SYMBOL = 'bpf_prog_ffc7dbc7d8840032_p1_16';

/** The page of the program, its frame, its entry. */
const PAGE = 0xffff800008ec4;
const FRAME = 0x442ec;
const ENTRY = Address.of(PAGE, 0x10);

const area = (pages: number, caller: string): Fact => ({
  kind: 'area-allocated',
  start: PAGE,
  pages: pages + 1,
  flags: 0,
  caller,
});
const mapped = (pages: number, frame: number): Fact => ({
  kind: 'mapped',
  page: PAGE,
  pages,
  shift: 12,
  prot: Prot.kernel,
  frame,
});
const permission = (space: Space, page: number, pages: number, set: number, clear: number): Fact => ({
  kind: 'permission',
  space,
  page,
  pages,
  set,
  clear,
});
const setMemory = (fn: string, pages: number, ret: number, effects: readonly Fact[]): Fact[] => [
  call(fn, { addr: Word.fromAddress(Address.of(PAGE)), numpages: Word.fromNumber(pages) }),
  ...effects,
  returned(fn, ret),
];
const ro = (pages: number, ret = 0): Fact[] =>
  setMemory('set_memory_ro', pages, ret, [
    permission(Space.virtual, PAGE, pages, 0, Prot.writable),
    permission(Space.direct, FRAME, pages, 0, Prot.writable),
  ]);
const program = (number: number): Fact[] => [
  {
    kind: 'program-allocated',
    program: number,
    pointer: Word.fromNumber(0x1000),
    chunk: Address.of(PAGE),
    bytes: 4096,
    proglen: 104,
    type: 'program',
  },
  { kind: 'copied', to: Address.of(PAGE), length: 4096, what: 'image', way: 'store' },
  { kind: 'program-placed', program: number, start: ENTRY, length: 104 },
];
const published = (number: number): Fact => ({
  kind: 'published',
  program: number,
  start: ENTRY,
  end: Address.add(ENTRY, 104),
  name: SYMBOL,
  id: 7,
  ksym: Word.zero,
});

/** set_memory_x fails, and nobody looks at it. */
export const armNotExecutable = (): Event[] =>
  story(5_000_000, [
    BASE,
    area(1, 'bpf_jit_alloc_exec+0x20/0x30'),
    mapped(1, FRAME),
    ...program(4),
    ...ro(1),
    ...setMemory('set_memory_x', 1, -22, []),
    published(4),
  ]);

/** A program is loaded, works, and is freed. */
export const armFreed = (): Event[] =>
  story(200_000_000, [
    BASE,
    area(1, 'bpf_jit_alloc_exec+0x20/0x30'),
    mapped(1, FRAME),
    ...program(4),
    ...ro(1),
    ...setMemory('set_memory_x', 1, 0, [permission(Space.virtual, PAGE, 1, Prot.executable, 0)]),
    published(4),
    { kind: 'unpublished', start: ENTRY, name: SYMBOL, ksym: Word.zero },
    call('bpf_jit_free', { prog: Word.fromNumber(0x1000) }),
    { kind: 'program-freed', program: 4 },
    call('vfree', { addr: Word.fromAddress(Address.of(PAGE)) }),
    { kind: 'unmapped', page: PAGE, pages: 1 },
    { kind: 'area-freed', start: PAGE },
  ]);

/** A program is live: its image was copied over the traps that lay there. */
export const armLive = (): Event[] =>
  story(200_000_000, [
    BASE,
    area(1, 'bpf_jit_alloc_exec+0x20/0x30'),
    mapped(1, FRAME),
    { kind: 'filled', to: Address.of(PAGE), length: 4096, pattern: 0xd4202000, way: 'store' },
    ...ro(1),
    ...setMemory('set_memory_x', 1, 0, [permission(Space.virtual, PAGE, 1, Prot.executable, 0)]),
    ...program(11),
    published(11),
  ]);

/** Only the first page of an area of four is made read-only; the linear map of all four becomes so. */
export const armAliasOfOthers = (): Event[] =>
  story(400_000_000, [
    BASE,
    area(4, 'hook_alloc+0x58/0xd0 [fasthook]'),
    mapped(4, 0x48070),
    ...setMemory('set_memory_ro', 1, 0, [
      permission(Space.virtual, PAGE, 1, 0, Prot.writable),
      permission(Space.direct, 0x48070, 4, 0, Prot.writable),
    ]),
  ]);
