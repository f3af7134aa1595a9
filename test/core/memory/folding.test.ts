import { expect } from 'chai';
import * as fc from 'fast-check';
import type { Event, EventOf } from '../../../core/event/event.js';
import { ContentClass } from '../../../core/memory/content.js';
import { evolve, evolveAll, folder } from '../../../core/memory/evolve.js';
import { nothing, type Memory } from '../../../core/memory/memory.js';
import { dumpMemory } from '../../models/dumpMemory.js';
import { FramePool } from '../../models/framePool.js';
import { Scene } from '../../models/scene.js';
import { anyStream } from './arbitrary.js';

/** What a kernel does when programs of these lengths come and go (0: the oldest goes), frames named late or not. */
const kernelStream = (
  kernel: string,
  seed: number,
  lengths: readonly number[],
  late: boolean,
): readonly Event[] => {
  const pool = new FramePool(seed, false, 8);
  const scene = new Scene(kernel, {
    record: true,
    answers: {
      frames: ({ pages, huge }) => (late ? null : pool.take(pages, huge)),
      frame: ({ page }) => 0x8000 + (page % 0x10000),
    },
  });
  const programs = [];
  for (const length of lengths) {
    const oldest = length === 0 ? programs.shift() : undefined;
    if (oldest !== undefined) scene.free(oldest);
    else programs.push(scene.load(Math.max(20, length)));
  }
  return scene.driver.events();
};

const streams = fc.oneof(
  anyStream(80),
  // Kernels with packs of one page: short streams with every kind of event in them.
  fc
    .tuple(
      fc.constantFrom('5.10', '5.18-rc5', '5.18-rc5-packv2'),
      fc.nat(),
      fc.array(fc.constantFrom(0, 0, 60, 1000, 3000, 4072), { maxLength: 12, size: 'max' }),
      fc.boolean(),
    )
    .map(([kernel, seed, lengths, late]) => kernelStream(kernel, seed, lengths, late)),
);
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

const batchesOf = (events: readonly Event[], lengths: readonly number[]): Event[][] => {
  const batches: Event[][] = [];
  for (let from = 0, i = 0; from < events.length; i++) {
    const size = lengths[i % lengths.length] as number;
    batches.push(events.slice(from, from + size));
    from += size;
  }
  return batches;
};

describe('folding a log', () => {
  it('gives the same memory event by event, in any batches, and in place', () => {
    fc.assert(
      fc.property(streams, sizes, (events, lengths) => {
        const whole = dumpMemory(evolveAll(nothing, events));
        expect(dumpMemory(events.reduce(evolve, nothing))).to.deep.equal(whole);
        expect(dumpMemory(batchesOf(events, lengths).reduce(evolveAll, nothing))).to.deep.equal(whole);
        const inPlace = folder(nothing);
        for (const event of events) inPlace.apply(event);
        expect(dumpMemory(inPlace.memory())).to.deep.equal(whole);
      }),
      { numRuns: 60 },
    );
  }).timeout(60_000);

  it('leaves every earlier memory as it was', () => {
    fc.assert(
      fc.property(streams, sizes, (events, lengths) => {
        const past: (readonly [Memory, string])[] = [];
        let memory = nothing;
        for (const batch of batchesOf(events, lengths)) {
          past.push([memory, dumpMemory(memory).join('\n')]);
          memory = evolveAll(memory, batch);
        }
        for (const [then, text] of past) expect(dumpMemory(then).join('\n')).to.equal(text);
      }),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('from one memory into two futures: neither sees the other', () => {
    fc.assert(
      fc.property(streams, streams, fc.nat({ max: 80 }), (events, others, at) => {
        const common = evolveAll(nothing, events.slice(0, at));
        const one = evolveAll(common, events.slice(at));
        const text = dumpMemory(one);
        const other = evolveAll(common, others);
        expect(dumpMemory(one)).to.deep.equal(text);
        expect(dumpMemory(evolveAll(evolveAll(nothing, events.slice(0, at)), others))).to.deep.equal(
          dumpMemory(other),
        );
      }),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('in place: what was shared stays as it was', () => {
    fc.assert(
      fc.property(streams, fc.integer({ min: 1, max: 9 }), (events, every) => {
        const past: (readonly [Memory, string])[] = [];
        const inPlace = folder(nothing);
        for (const [i, event] of events.entries()) {
          inPlace.apply(event);
          if (i % every !== 0) continue;
          const memory = inPlace.share();
          past.push([memory, dumpMemory(memory).join('\n')]);
        }
        for (const [then, text] of past) expect(dumpMemory(then).join('\n')).to.equal(text);
      }),
      { numRuns: 25 },
    );
  }).timeout(60_000);

  it('keeps the bytes of a named frame apart from those of its physical page, once it has one', () => {
    const at = { time: 0, cpu: 0, task: '', call: 0, origin: 1 } as const;
    const bytes = (frame: number, fill: number): Omit<EventOf<'content'>, 'seq'> => ({
      ...at,
      kind: 'content',
      frame,
      block: 0,
      blocks: 1,
      class: ContentClass.bytes,
      ref: 0,
      bytes: new Uint8Array(64).fill(fill),
    });
    const mapped = { ...at, kind: 'mapped', page: 500, pages: 1, shift: 12, prot: 3, frame: -2 } as const;
    const before = evolveAll(nothing, [
      { seq: 1, ...bytes(77, 1) },
      { seq: 2, ...mapped },
      { seq: 3, ...bytes(-2, 2) },
    ]);
    const text = dumpMemory(before);
    evolveAll(before, [
      { seq: 4, ...at, kind: 'identified', frame: -2, page: 77, pages: 1 },
      { seq: 5, ...bytes(77, 3) },
    ]);
    expect(dumpMemory(before)).to.deep.equal(text);
  });

  it('of nothing, or of no events, changes nothing', () => {
    const memory = evolveAll(nothing, kernelStream('5.18-rc5', 1, [60], false));
    expect(evolveAll(memory, [])).to.equal(memory);
    expect(dumpMemory(nothing)).to.deep.equal(dumpMemory(evolveAll(nothing, [])));
  });
});
