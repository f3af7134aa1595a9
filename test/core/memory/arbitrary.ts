import * as fc from 'fast-check';
import { eventOf, type Event, type Fact } from '../../../core/event/event.js';
import { BLOCK, ContentClass } from '../../../core/memory/content.js';
import { Address } from '../../../core/value/address.js';

/**
 * Events that move memory, in a small world, so that they meet each other: a hundred virtual pages around the border of two nodes, frames around the
 * border of two 2M regions, a dozen frame names, four packs. Any order, also ones that no kernel would give.
 */
const PAGES = { min: 470, max: 570 };
const FRAMES = { min: 490, max: 540 };

const page = fc.integer(PAGES);
const pfn = fc.integer(FRAMES);
const name = fc.integer({ min: -14, max: -2 });
const frame = fc.oneof({ weight: 3, arbitrary: pfn }, { weight: 2, arbitrary: name }, fc.constant(-1));
const pages = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.constant(40));
const shift = fc.constantFrom(1, 12, 12, 21);
const prot = fc.constantFrom(3, 11, 1, 5, 13, 7, 15, 0, 0xf0, 0x61);
const bits = fc.constantFrom(0, 2, 4, 8, 1, 6);
const space = fc.constantFrom(0, 1);
const start = fc.constantFrom(475, 490, 505, 530, 550);
const word = fc.constantFrom(
  { hi: 0, lo: 0 },
  { hi: 1, lo: 0x1000 },
  { hi: 1, lo: 0x1040 },
  { hi: 1, lo: 0x2000 },
);
const address = fc
  .tuple(page, fc.integer({ min: 0, max: 63 }))
  .map(([at, block]) => Address.of(at, block * BLOCK));
const anyAddress = fc.tuple(page, fc.integer({ min: 0, max: 4095 })).map(([at, off]) => Address.of(at, off));
const bytes = fc.integer({ min: 1, max: 80 }).map((n) => n * BLOCK);
const length = fc.integer({ min: 1, max: 9000 });
const text = fc.constantFrom('bpf_prog_1234_a', 'bpf_prog_1234_b', 'bpf_prog_1234');
const why = fc.constantFrom('lost', 'gap on CPU 1');

const content = fc
  .tuple(
    frame,
    fc.integer({ min: 0, max: 63 }),
    fc.integer({ min: 1, max: 64 }),
    fc.integer({ min: 0, max: 6 }),
  )
  .chain(([at, block, most, cls]) => {
    const blocks = Math.min(most, 64 - block);
    const size = cls === ContentClass.bytes ? blocks * BLOCK : 0;
    return fc.record({
      kind: fc.constant('content' as const),
      frame: fc.constant(at === -1 ? 500 : at),
      block: fc.constant(block),
      blocks: fc.constant(blocks),
      class: fc.constant(cls),
      ref: fc.nat({ max: 3 }),
      bytes: fc.nat({ max: 255 }).map((fill) => new Uint8Array(size).fill(fill)),
    });
  });

/** `program` is which of the programs before; the stream makes it a number. */
const program = fc.nat({ max: 5 });

const fact: fc.Arbitrary<Fact> = fc.oneof(
  fc.record({
    kind: fc.constant('area-allocated' as const),
    start,
    pages: fc.constantFrom(3, 10, 24),
    flags: fc.constantFrom(0, 0x100),
    caller: fc.constantFrom('', 'bpf_prog_pack_alloc+0x1/0x2'),
  }),
  fc.record({ kind: fc.constant('area-flagged' as const), start, flags: fc.constantFrom(0, 0x100) }),
  fc.record({ kind: fc.constant('area-freed' as const), start }),
  fc.record({ kind: fc.constant('areas-purged' as const), start, pages: fc.constantFrom(0, 60) }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('mapped' as const), page, pages, shift, prot, frame }),
  },
  fc.record({ kind: fc.constant('unmapped' as const), page, pages }),
  fc.record({ kind: fc.constant('direct-mapped' as const), page: pfn, pages, shift, prot }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('permission' as const),
      space,
      page,
      pages,
      set: bits,
      clear: bits,
    }),
  },
  fc.record({
    kind: fc.constantFrom('split' as const, 'collapsed' as const),
    space,
    page: fc.constantFrom(0, 512),
    from: fc.constantFrom(21, 12),
    to: fc.constantFrom(12, 21),
  }),
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('identified' as const), frame: name, page: pfn, pages }),
  },
  fc.record({ kind: fc.constant('frames-released' as const), start }),
  fc.record({ kind: fc.constant('leaf-known' as const), page: fc.constantFrom(0, 512, 1024), shift }),
  fc.record({ kind: fc.constant('bases-learned' as const), direct: fc.nat({ max: 9 }), vmemmap: word }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('copied' as const),
      to: anyAddress,
      length,
      what: fc.constantFrom('image', 'code', 'instruction'),
      way: fc.constant('poke'),
    }),
  },
  fc.record({
    kind: fc.constant('filled' as const),
    to: anyAddress,
    length,
    pattern: fc.constantFrom(0, 0xcccccccc),
    way: fc.constant('poke'),
  }),
  fc.record({ kind: fc.constant('seen' as const), at: anyAddress, value: fc.nat({ max: 3 }) }),
  { weight: 3, arbitrary: content },
  fc.record({
    kind: fc.constant('pack-created' as const),
    start,
    bytes: fc.constantFrom(4096, 8192, 2097152),
    partial: fc.constantFrom(0, 1),
  }),
  fc.record({
    kind: fc.constantFrom('chunk-allocated' as const, 'chunk-freed' as const),
    pack: fc.oneof(start, fc.constant(0)),
    at: address,
    bytes,
  }),
  fc.record({ kind: fc.constant('pack-removed' as const), start }),
  fc.record({
    kind: fc.constant('pack-marked' as const),
    start: fc.oneof(start, fc.constant(0)),
    dirty: fc.constantFrom(0, 1),
  }),
  fc.record({ kind: fc.constant('charged' as const), bytes: fc.integer({ min: -9000, max: 9000 }) }),
  fc.record({
    kind: fc.constant('limit-set' as const),
    bytes: fc.nat({ max: 99999 }),
    charged: fc.constantFrom(-1, 0, 640),
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('program-allocated' as const),
      program,
      pointer: word,
      chunk: address,
      bytes,
      proglen: fc.nat({ max: 999 }),
      type: fc.constantFrom('program', 'function', 'classic', 'dispatcher'),
    }),
  },
  fc.record({
    kind: fc.constant('program-placed' as const),
    program,
    start: anyAddress,
    length: fc.nat({ max: 999 }),
  }),
  fc.record({ kind: fc.constant('program-finalized' as const), program }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('published' as const),
      program,
      start: address,
      end: address,
      name: text,
      id: fc.nat({ max: 3 }),
      ksym: word,
    }),
  },
  fc.record({ kind: fc.constant('unpublished' as const), start: address, name: text, ksym: word }),
  fc.record({ kind: fc.constant('program-freed' as const), program }),
  fc.record({ kind: fc.constant('program-joined' as const), program, pointer: word }),
  fc.record({ kind: fc.constant('gap' as const), lost: fc.nat({ max: 9 }), why }),
  fc.record({ kind: fc.constant('forgotten' as const), page, pages, why }),
  fc.record({
    kind: fc.constant('counter' as const),
    name: fc.constantFrom('direct_map_level2_splits', 'direct_map_level3_collapses', 'other'),
    value: fc.nat({ max: 9 }),
  }),
  fc.record({
    kind: fc.constant('marker' as const),
    text: fc.constantFrom('phase: a', 'phase: b', 'op 1: load'),
  }),
);

/** Gives programs their numbers (the seq of their allocation, now and then that of a program older than the log) and events theirs. */
const inOrder = (facts: readonly Fact[], first: number): Event[] => {
  const programs: number[] = [];
  return facts.map((given, i) => {
    const seq = first + i;
    let own = given;
    if ('program' in given) {
      if (given.kind === 'program-allocated') {
        const number = given.program === 5 ? 2 ** 48 + seq : seq;
        own = { ...given, program: number };
        programs.push(number);
      } else own = { ...given, program: programs[programs.length - 1 - given.program] ?? 0 };
    } else if (given.kind === 'content' && given.class === ContentClass.program)
      own = { ...given, ref: programs[given.ref] ?? 0 };
    return eventOf({ seq, time: seq * 1000, cpu: 0, task: 'workload-1', call: 0, origin: 1 }, own);
  });
};

/** A stream of events that move memory, numbered from 1. */
export const anyStream = (maxLength = 120): fc.Arbitrary<readonly Event[]> =>
  fc.array(fact, { maxLength, size: 'max' }).map((facts) => inOrder(facts, 1));
