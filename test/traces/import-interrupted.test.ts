import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeMemory, REDUCER } from '../../core/memory/snapshot.js';
import { evolveAll } from '../../core/memory/evolve.js';
import type { Store } from '../../store/index.js';
import { importTrace } from '../../traces/import/import.js';
import { randomOf, type Random } from '../models/random.js';
import { acknowledged } from '../store/child.js';
import { must, readAll } from '../store/given.js';
import type { ImportErrand } from './importer.js';
import { importing, rootOf } from './importing.js';
import { eventsOf, imported, newDesk, startOf } from './recordings.js';
import { churn, emulation, traceOf } from './synthetic.js';

const KILLS = Number(process.env['PAGETRAIL_KILLS'] ?? 20);
const SEED = Number(process.env['PAGETRAIL_SEED'] ?? Date.now() % 1e6);
const NAME = 'churn';
const POINTS = ['begun', 'inserted', 'projected', 'committed'] as const;

/** Half are killed from outside, a quarter between two batches, a quarter in an append. */
const howToDie = (random: Random): Pick<ImportErrand, 'kill'> => {
  switch (random(4)) {
    case 0:
      return { kill: { batch: 1 + random(10) } };
    case 1:
      return { kill: { at: POINTS[random(POINTS.length)] as (typeof POINTS)[number], nth: 1 + random(4) } };
    default:
      return {};
  }
};

describe('an import that is interrupted', function () {
  this.timeout(60_000 + KILLS * 10_000);
  const desk = newDesk();
  after(desk.end);
  const path = join(desk.folder, 'churn.txt');
  const options = { name: NAME, profile: '6.1' };
  /** Hashes of the segments of an import that nobody interrupted. */
  let hashes: readonly string[] = [];
  let root = '';

  before(async () => {
    writeFileSync(path, traceOf(emulation(churn(650), '6.1'), '6.1'));
    const store = desk.store('whole');
    const { report } = await imported(store, path, options);
    expect(report.calls.unmodelled + report.calls.adopted).to.equal(0);
    hashes = readAll(must(store.trace(NAME))).map((segment) => segment.hash);
    root = report.root;
    expect(hashes.length, 'segments').to.be.above(6);
  });

  /** The log so far is a valid beginning of the whole one, and holds what was acknowledged. */
  const checkPrefix = (store: Store, least: number): number => {
    const trace = store.trace(NAME);
    if (!trace.ok) {
      expect(least).to.equal(0);
      return 0;
    }
    const verified = must(store.verify(NAME));
    expect(verified.firstBad).to.equal(null);
    expect(verified.segments, 'acknowledged segments').to.be.at.least(least);
    const there = readAll(trace.value).map((segment) => segment.hash);
    expect(there).to.deep.equal(hashes.slice(0, there.length));
    expect(verified.segments).to.equal(there.length);
    return there.length;
  };

  const checkWhole = (store: Store): void => {
    const log = must(store.trace(NAME));
    expect(log.info.root).to.equal(root);
    expect(log.info.complete).to.equal(true);
    expect(checkPrefix(store, hashes.length)).to.equal(hashes.length);
    const events = eventsOf(log);
    for (const [i, event] of events.entries()) if (event.seq !== i + 1) expect(event.seq).to.equal(i + 1);
    const kept = must(log.nearestSnapshot(events.length, REDUCER));
    if (kept === null) throw new Error('no snapshot was kept');
    const folded = encodeMemory(evolveAll(startOf(log), events.slice(0, kept.seq)));
    expect(Buffer.compare(folded, kept.bytes), 'snapshot and fold').to.equal(0);
  };

  it('by an exception goes on where it stood when it is run again', async () => {
    for (const after of [1, hashes.length - 1]) {
      const store = desk.store(`thrown${after}`);
      let batches = 0;
      const stop = (): void => {
        if (++batches > after) throw new Error('stop');
      };
      const thrown = await importTrace(store, path, { ...options, onBatch: stop }).then(
        () => 'not stopped',
        (error: unknown) => String(error),
      );
      expect(thrown).to.equal('Error: stop');
      expect(checkPrefix(store, 0)).to.be.at.most(after);
      expect((await imported(store, path, options)).report.root).to.equal(root);
      checkWhole(store);
    }
  });

  it(`by kill -9, ${KILLS} times, loses nothing acknowledged and repeats nothing (seed ${SEED})`, async () => {
    const random = randomOf(SEED);
    // How long a child takes when it is left alone: kills from outside fall at any moment of that.
    const begin = performance.now();
    let ready = 0;
    const alone: ImportErrand = { file: join(desk.folder, 'alone.db'), name: NAME, path, profile: '6.1' };
    const whole = await importing(alone, {}, () => {
      ready ||= performance.now();
    }).ended;
    const lasts = performance.now() - Math.max(begin, ready);
    expect(rootOf(whole)).to.equal(root);

    const seen = new Set<number>();
    let started = 0;
    /** Kills imports of one log after another, until there have been enough. */
    const lane = async (lane_: string): Promise<void> => {
      let there = 0;
      for (let n = 0; started < KILLS;) {
        started++;
        const name = `killed-${lane_}-${n}`;
        const errand = { ...alone, file: join(desk.folder, `${name}.db`), ...howToDie(random) };
        const wait = (random(1000) / 1000) * lasts;
        let timer: NodeJS.Timeout | undefined;
        const child = importing(errand, {}, (line) => {
          if (line !== 'ready' || errand.kill !== undefined) return;
          timer = setTimeout(() => child.process.kill('SIGKILL'), wait);
        });
        const lines = await child.ended;
        clearTimeout(timer);
        const killed = child.process.signalCode === 'SIGKILL';
        if (!killed) {
          started--;
          expect(rootOf(lines)).to.equal(root);
        }
        const store = desk.store(name);
        there = checkPrefix(store, Math.max(there, acknowledged(lines)));
        seen.add(there);
        // Some logs go through several kills before they are whole.
        const over = there === hashes.length || random(4) === 0;
        if (over && killed) expect((await imported(store, path, options)).report.root).to.equal(root);
        if (over) {
          expect(checkPrefix(store, hashes.length)).to.equal(hashes.length);
          expect(must(store.trace(NAME)).info).to.include({ root, complete: true });
          n++;
          there = 0;
        }
        store.close();
      }
    };
    await Promise.all([lane('a'), lane('b')]);
    if (KILLS >= 20) expect(seen.size, 'different places at which it was interrupted').to.be.above(2);
  });
});
