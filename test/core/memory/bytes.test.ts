import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Fact } from '../../../core/event/event.js';
import { eventOf } from '../../../core/event/event.js';
import { Origin } from '../../../core/event/kind.js';
import { knownBytes } from '../../../core/memory/bytes.js';
import { ContentClass } from '../../../core/memory/content.js';
import { folder } from '../../../core/memory/evolve.js';
import { nothing } from '../../../core/memory/memory.js';
import { Address } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import { randomOf } from '../../models/random.js';

const PAGE = 4096;
const BLOCK = 64;
const FIRST = 0xffffffffc0000;
const PAGES = 4;
const BYTES = PAGES * PAGE;
const FRAME = 0x5000;
const TRAP = 0xcccccccc;

type Operation =
  | { readonly do: 'fill'; readonly block: number; readonly blocks: number; readonly pattern: number }
  | {
      readonly do: 'image';
      readonly block: number;
      readonly proglen: number;
      readonly start: number;
      readonly placed: boolean;
    }
  | { readonly do: 'free'; readonly which: number }
  | { readonly do: 'code'; readonly at: number; readonly length: number }
  | { readonly do: 'patch'; readonly which: number; readonly at: number }
  | { readonly do: 'dump'; readonly page: number; readonly block: number; readonly blocks: number }
  | { readonly do: 'see'; readonly word: number }
  | { readonly do: 'remap'; readonly page: number };

const block = fc.nat({ max: BYTES / BLOCK - 1 });
const operations: { readonly [K in Operation['do']]: readonly [weight: number, fc.Arbitrary<Operation>] } = {
  fill: [
    2,
    fc.record({
      do: fc.constant('fill' as const),
      block,
      blocks: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 140 })),
      pattern: fc.constantFrom(TRAP, 0, 0xd4202000, 0x7fe00008),
    }),
  ],
  image: [
    4,
    fc.record({
      do: fc.constant('image' as const),
      block,
      proglen: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 6000 })),
      start: fc.integer({ min: 2, max: 15 }).map((n) => n * 4),
      placed: fc.boolean(),
    }),
  ],
  free: [1, fc.record({ do: fc.constant('free' as const), which: fc.nat({ max: 5 }) })],
  code: [
    1,
    fc.record({
      do: fc.constant('code' as const),
      at: fc.nat({ max: BYTES - 1 }),
      length: fc.integer({ min: 1, max: 2000 }),
    }),
  ],
  patch: [
    3,
    fc.record({ do: fc.constant('patch' as const), which: fc.nat({ max: 2 }), at: fc.nat({ max: 6000 }) }),
  ],
  dump: [
    2,
    fc.record({
      do: fc.constant('dump' as const),
      page: fc.nat({ max: PAGES - 1 }),
      block: fc.nat({ max: 63 }),
      blocks: fc.integer({ min: 1, max: 64 }),
    }),
  ],
  see: [2, fc.record({ do: fc.constant('see' as const), word: fc.nat({ max: BYTES / 4 - 1 }) })],
  remap: [1, fc.record({ do: fc.constant('remap' as const), page: fc.nat({ max: PAGES - 1 }) })],
};

interface Image {
  readonly number: number;
  readonly from: number;
  readonly bytes: number;
  readonly code: number;
  readonly codeEnd: number;
  /** Where the code begins and ends is known: so is the fill around it. */
  readonly placed: boolean;
}

/**
 * Four mapped pages, byte by byte: what really lies there, and of which bytes that follows from what happened. Beside it the memory that core
 * folds from the same facts.
 */
class Plain {
  readonly actual: Uint8Array;
  readonly sure = new Uint8Array(BYTES);
  readonly memory = folder(nothing);
  private readonly images: Image[] = [];
  private readonly random;
  private seq = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.actual = Uint8Array.from({ length: BYTES }, () => this.random(256));
    this.state({ kind: 'area-allocated', start: FIRST, pages: PAGES + 1, flags: 0, caller: '' });
    this.state({ kind: 'mapped', page: FIRST, pages: PAGES, shift: 12, prot: Prot.kernel, frame: FRAME });
  }

  state(fact: Fact): number {
    this.seq++;
    this.memory.apply(
      eventOf({ seq: this.seq, time: 0, cpu: 0, task: '', call: 0, origin: Origin.derived }, fact),
    );
    return this.seq;
  }

  private set(from: number, bytes: readonly number[] | Uint8Array, sure: boolean): void {
    this.actual.set(bytes, from);
    this.sure.fill(sure ? 1 : 0, from, from + bytes.length);
  }

  private address(at: number): Address {
    return Address.add(Address.of(FIRST), at);
  }

  private noise(length: number): number[] {
    return Array.from({ length }, () => this.random(256));
  }

  private dropImages(from: number, to: number): void {
    for (const image of this.images.filter((i) => i.from < to && from < i.from + i.bytes)) this.free(image);
  }

  private free(image: Image): void {
    // The bytes stay; what they are no longer follows from a live program, so core need not know them.
    this.sure.fill(0, image.from, image.from + image.bytes);
    this.images.splice(this.images.indexOf(image), 1);
    this.state({ kind: 'program-freed', program: image.number });
  }

  run(operation: Operation): void {
    switch (operation.do) {
      case 'fill': {
        const from = operation.block * BLOCK;
        const length = Math.min(operation.blocks * BLOCK, BYTES - from);
        this.dropImages(from, from + length);
        const bytes = Array.from({ length }, (_, i) => (operation.pattern >>> (8 * (i & 3))) & 0xff);
        this.set(from, bytes, true);
        this.state({
          kind: 'filled',
          to: this.address(from),
          length,
          pattern: operation.pattern,
          way: 'poke',
        });
        return;
      }
      case 'image':
        return this.image(operation);
      case 'free': {
        const image = this.images[operation.which];
        if (image !== undefined) this.free(image);
        return;
      }
      case 'code': {
        const length = Math.min(operation.length, BYTES - operation.at);
        this.dropImages(operation.at, operation.at + length);
        this.set(operation.at, this.noise(length), false);
        this.state({ kind: 'copied', to: this.address(operation.at), length, what: 'code', way: 'poke' });
        return;
      }
      case 'patch': {
        const image = this.images[operation.which];
        if (image === undefined || image.codeEnd - image.code < 5) return;
        const at = image.code + (operation.at % (image.codeEnd - image.code - 4));
        this.set(at, this.noise(5), false);
        // What a dump has shown of the blocks that are patched is no longer held: only what follows from the image.
        const blocks = [at - (at % BLOCK), at + 4 - ((at + 4) % BLOCK) + BLOCK] as const;
        const [code, codeEnd] = image.placed
          ? [image.code, image.codeEnd]
          : [image.from + 4, image.from + image.bytes];
        this.sure.fill(0, Math.max(blocks[0], code), Math.min(blocks[1], codeEnd));
        this.state({ kind: 'copied', to: this.address(at), length: 5, what: 'instruction', way: 'poke' });
        return;
      }
      case 'dump': {
        const from = operation.page * PAGE + operation.block * BLOCK;
        const blocks = Math.min(operation.blocks, 64 - operation.block);
        const to = from + blocks * BLOCK;
        this.sure.fill(1, from, to);
        this.state({
          kind: 'content',
          frame: FRAME + operation.page,
          block: operation.block,
          blocks,
          class: ContentClass.bytes,
          ref: 0,
          bytes: this.actual.slice(from, to),
        });
        return;
      }
      case 'see': {
        const at = operation.word * 4;
        const value = new DataView(this.actual.buffer).getUint32(at, true);
        this.sure.fill(1, at, at + 4);
        this.state({ kind: 'seen', at: this.address(at), value });
        return;
      }
      case 'remap': {
        const from = operation.page * PAGE;
        this.dropImages(from, from + PAGE);
        this.set(from, this.noise(PAGE), false);
        const page = FIRST + operation.page;
        this.state({ kind: 'unmapped', page, pages: 1 });
        this.state({
          kind: 'mapped',
          page,
          pages: 1,
          shift: 12,
          prot: Prot.kernel,
          frame: FRAME + operation.page,
        });
        return;
      }
    }
  }

  private image({ block: first, proglen, start, placed }: Extract<Operation, { do: 'image' }>): void {
    const from = first * BLOCK;
    const bytes = Math.ceil((proglen + 24) / BLOCK) * BLOCK;
    if (from + bytes > BYTES || start > bytes - proglen) return;
    this.dropImages(from, from + bytes);
    const chunk = this.address(from);
    const number = this.seq + 1;
    this.state({
      kind: 'program-allocated',
      program: number,
      pointer: { hi: 1, lo: number * 4096 },
      chunk,
      bytes,
      proglen,
      type: 'program',
    });
    if (placed)
      this.state({
        kind: 'program-placed',
        program: number,
        start: Address.add(chunk, start),
        length: proglen,
      });
    this.state({ kind: 'copied', to: chunk, length: bytes, what: 'image', way: 'poke' });
    const [code, codeEnd] = [from + start, from + start + proglen];
    this.set(from, new Uint8Array(bytes).fill(0xcc), placed);
    this.set(
      from,
      [0, 8, 16, 24].map((by) => (bytes >>> by) & 0xff),
      true,
    );
    this.set(code, this.noise(proglen), false);
    this.images.push({ number, from, bytes, code, codeEnd, placed });
  }

  /** Bytes that core says it knows must be right; every byte that follows must be known to it, blocks with unknown code beside it excepted. */
  check(): void {
    for (let page = 0; page < PAGES; page++) {
      const known = knownBytes(this.memory.memory(), FIRST + page, TRAP, false);
      for (let i = 0; i < PAGE; i++) {
        const at = page * PAGE + i;
        if (known !== null && known.known[i] === 1 && known.bytes[i] !== this.actual[at])
          throw new Error(`byte ${at}: core says ${known.bytes[i]}, it is ${this.actual[at]}`);
        if (this.sure[at] === 1 && known?.known[i] !== 1) this.mayForget(at);
      }
    }
  }

  private mayForget(at: number): void {
    const from = at - (at % BLOCK);
    // Content is kept by block: where a part of one is not known, all of it may be unknown; but of a live image each byte counts.
    const image = this.images.some((each) => at >= each.from && at < each.from + each.bytes);
    const whole = this.sure.subarray(from, from + BLOCK).every((sure) => sure === 1);
    if (whole || image) throw new Error(`byte ${at} follows from what happened, core does not know it`);
  }
}

const run = (seed: number, steps: readonly Operation[]): void => {
  const plain = new Plain(seed);
  for (const each of steps) {
    plain.run(each);
    plain.check();
  }
};
const all = Object.keys(operations) as Operation['do'][];
const sequence = (without: readonly Operation['do'][], maxLength = 40): fc.Arbitrary<Operation[]> =>
  fc.noBias(
    fc.array(
      fc.oneof(
        ...all
          .filter((kind) => !without.includes(kind))
          .map((kind) => ({ weight: operations[kind][0], arbitrary: operations[kind][1] })),
      ),
      { minLength: 1, maxLength },
    ),
  );

describe('known bytes', () => {
  it('are right, and as many as follow, whatever is filled, copied, seen or freed', () => {
    fc.assert(fc.property(fc.nat(), sequence(['dump', 'patch']), run), { numRuns: 120 });
  }).timeout(60_000);

  it('are right after patches of images that were copied', () => {
    fc.assert(fc.property(fc.nat(), sequence(['dump', 'see']), run), { numRuns: 60 });
  }).timeout(60_000);

  it('are right after a dump of them', () => {
    fc.assert(fc.property(fc.nat(), sequence(['patch']), run), { numRuns: 60 });
  }).timeout(60_000);

  it('are right after a patch of an image that a dump has shown', () => {
    run(0, [
      { do: 'image', block: 0, proglen: 500, start: 8, placed: true },
      { do: 'dump', page: 0, block: 0, blocks: 64 },
      { do: 'patch', which: 0, at: 100 },
    ]);
    run(0, [
      { do: 'image', block: 199, proglen: 5, start: 8, placed: false },
      { do: 'see', word: 3186 },
      { do: 'patch', which: 0, at: 0 },
    ]);
    fc.assert(fc.property(fc.nat(), sequence([]), run), { numRuns: 300 });
  }).timeout(60_000);

  it('are right after a fill of a part of a block', () => {
    const plain = new Plain(1);
    plain.state({ kind: 'filled', to: Address.of(FIRST, 8), length: 8, pattern: TRAP, way: 'poke' });
    plain.actual.fill(0xcc, 8, 16);
    plain.check();
  });

  it('are forgotten with their page', () => {
    const plain = new Plain(1);
    plain.run({ do: 'fill', block: 0, blocks: 64, pattern: TRAP });
    plain.state({ kind: 'forgotten', page: FIRST, pages: 1, why: 'events were lost' });
    const known = knownBytes(plain.memory.memory(), FIRST, TRAP, false);
    expect(known?.known.includes(1) ?? false).to.equal(false);
  });
});
