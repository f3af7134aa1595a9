import { expect } from 'chai';
import * as fc from 'fast-check';
import { evolve } from '../../core/memory/evolve.js';
import { cursorOn } from '../../replay/cursor.js';
import { must } from '../../replay/failed.js';
import { anyStream } from '../core/memory/arbitrary.js';
import { logOf } from './given.js';
import { bytes } from './log.test.js';

/** Forward (>0), back (<0) by so many events, or to a place. */
const moves = fc.array(
  fc.oneof(
    fc.integer({ min: -150, max: 150 }).map((count) => ({ kind: 'by' as const, count })),
    fc.constantFrom(-1, 1).map((count) => ({ kind: 'by' as const, count })),
    fc.nat({ max: 300 }).map((count) => ({ kind: 'to' as const, count })),
  ),
  { minLength: 1, maxLength: 25 },
);

describe('a cursor', () => {
  it('shows the memory of the place it is at, however it came there', () => {
    fc.assert(
      fc.property(anyStream(300), fc.integer({ min: 1, max: 150 }), moves, (events, size, path) => {
        const log = logOf(events, { size });
        const trace = must(log.trace('t'));
        const cursor = must(cursorOn(trace));
        let at = 0;
        for (const move of path) {
          at = Math.min(Math.max(move.kind === 'by' ? at + move.count : move.count, 0), events.length);
          const moment = must(
            move.kind === 'to'
              ? cursor.goto(at)
              : move.count < 0
                ? cursor.back(-move.count)
                : cursor.step(move.count),
          );
          expect([moment.seq, moment.event?.seq ?? 0]).to.deep.equal([at, at]);
          const wanted = events.slice(0, at).reduce(evolve, must(trace.start()));
          expect(bytes(moment.memory.state)).to.equal(bytes(wanted));
        }
        log.close();
      }),
      { numRuns: 40 },
    );
  }).timeout(60_000);

  it('is back where it was after a step and a step back', () => {
    fc.assert(
      fc.property(
        anyStream(300),
        fc.integer({ min: 1, max: 150 }),
        fc.nat({ max: 300 }),
        (events, size, to) => {
          const log = logOf(events, { size });
          const cursor = must(cursorOn(must(log.trace('t')), Math.min(to, events.length)));
          const before = bytes(cursor.moment$.value.memory.state);
          const { seq } = cursor.moment$.value;
          if (must(cursor.step()).seq > seq) must(cursor.back());
          expect(bytes(cursor.moment$.value.memory.state)).to.equal(before);
          if (must(cursor.back()).seq < seq) must(cursor.step());
          expect(bytes(cursor.moment$.value.memory.state)).to.equal(before);
          log.close();
        },
      ),
      { numRuns: 60 },
    );
  }).timeout(60_000);

  it('goes back to the very memory it came from', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), (at) => {
        const events = fc
          .sample(anyStream(100), { seed: 7, numRuns: 20 })
          .reduce((a, b) => (a.length > b.length ? a : b));
        const log = logOf(events, { size: 1000 });
        const cursor = must(cursorOn(must(log.trace('t')), Math.min(at, events.length - 1)));
        const { memory } = cursor.moment$.value;
        must(cursor.step());
        if (Math.floor((at - 1) / 64) === Math.floor(at / 64))
          expect(must(cursor.back()).memory.state).to.equal(memory.state);
        log.close();
      }),
      { numRuns: 10 },
    );
  });

  it('tells every move, stays at the ends and where a move fails', () => {
    const events = fc.sample(anyStream(9), { seed: 3, numRuns: 50 }).find((list) => list.length > 4) ?? [];
    const trace = must(logOf(events).trace('t'));
    const cursor = must(cursorOn(trace));
    const told: number[] = [];
    cursor.moment$.subscribe(({ seq }) => told.push(seq));
    must(cursor.back());
    must(cursor.step(2));
    expect(cursor.goto('#nowhere').ok).to.equal(false);
    must(cursor.last());
    must(cursor.step());
    must(cursor.first());
    expect(told).to.deep.equal([0, 2, events.length, 0]);
    expect(cursor.moment$.value.event).to.equal(null);
    expect(cursorOn(trace, 99).ok).to.equal(false);
  });
});
