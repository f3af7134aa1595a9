import { expect } from 'chai';
import type { Crashpoint } from '../../store/index.js';
import { errandSegment, type Errand } from './appender.js';
import { acknowledged, send } from './child.js';
import { newFile, open } from './files.js';
import { decodeText, must, newTrace, plain, readAll, seen, select } from './given.js';

const RUNS = Number(process.env['PAGETRAIL_CRASHES'] ?? 6);
const SEED = Number(process.env['PAGETRAIL_SEED'] ?? Date.now() % 1e6);

/** The log after a crash: all that was acknowledged, nothing but whole commits, and it can go on. */
function check(errand: Errand, lines: readonly string[]): void {
  const { file, perCommit = 1 } = errand;
  let read = 0;
  const store = open(file, {
    projections: [seen],
    decode: (bytes) => {
      read++;
      return decodeText(bytes);
    },
    // Derived tables are never behind what was committed: where there are some, nothing has to be read for them.
    rebuild: errand.projections === true ? 'at-once' : 'on-demand',
  });
  expect(read, 'segments read to open again').to.equal(0);
  const log = newTrace(store);
  const n = log.info.segments;
  expect(n, 'acknowledged').to.be.at.least(acknowledged(lines));
  expect(n % perCommit, 'segments of a commit that was cut').to.equal(0);
  expect(must(store.verify('a'))).to.include({ intact: true, segments: n });
  expect(readAll(log).map(plain)).to.deep.equal(Array.from({ length: n }, (_, i) => plain(errandSegment(i))));
  if (errand.projections === true && n > 0) {
    expect(select(store, 'SELECT count(*) FROM seen'), 'rows of the projection').to.deep.equal([[n + 1]]);
  }
  const more = Array.from({ length: n + 3 }, (_, i) => errandSegment(i));
  expect(must(log.appendAll(more)).stored.filter((s) => s === 'appended')).to.have.length(3);
  expect(must(store.verify('a'))).to.include({ intact: true, segments: n + 3 });
  store.close();
}

describe('kill -9', function () {
  this.timeout(60_000 + RUNS * 5000);

  const points: readonly Crashpoint[] = ['begun', 'inserted', 'projected', 'committed'];
  for (const at of points) {
    it(`when an append is at '${at}' loses nothing acknowledged and invents nothing`, async () => {
      const file = newFile();
      for (const nth of [1, 4]) {
        const errand: Errand = { file, segments: 60, perCommit: 3, projections: true, crash: { at, nth } };
        const child = send(errand);
        const lines = await child.ended;
        expect(child.process.signalCode).to.equal('SIGKILL');
        check(errand, lines);
      }
    });
  }

  it(`at ${RUNS} random moments loses nothing acknowledged and invents nothing (seed ${SEED})`, async () => {
    let random = SEED;
    const below = (n: number): number => {
      random = (random * 48271 + 11) % 2147483647;
      return random % n;
    };
    for (let i = 0; i < RUNS; i++) {
      const errand: Errand = {
        file: newFile(),
        segments: 100_000,
        perCommit: 1 + below(5),
        projections: below(2) === 0,
      };
      const after = below(120);
      const pause = below(3000);
      const child = send(errand, () => {
        if (child.lines.length === after + 1) spin(pause);
        if (child.lines.length > after) child.process.kill('SIGKILL');
      });
      const lines = await child.ended;
      expect(lines.length).to.be.above(0);
      check(errand, lines);
    }
  });
});

/** Waits some microseconds: the child is to be killed at any moment of a commit, not just after one. */
function spin(microseconds: number): void {
  const until = performance.now() + microseconds / 1000;
  while (performance.now() < until);
}
