import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventOf } from '../../../core/event/event.js';
import { Origin } from '../../../core/event/kind.js';
import { evolveAll } from '../../../core/memory/evolve.js';
import { factsOf } from '../../../core/memory/facts.js';
import { nothing } from '../../../core/memory/memory.js';
import { readTrace } from '../../traces/captures.js';
import { bundled, eventsOf, imported, newDesk } from '../../traces/recordings.js';
import { must } from '../../store/given.js';

describe('following a recording with lost events', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);

  it('forgets at each loss only what was learned since the last one', async () => {
    const folder = bundled().find((name) => name.includes('5.18-rc5-S1'));
    if (folder === undefined) throw new Error('no recording');
    const lines = readTrace(folder).toString('latin1').split('\n');
    const path = join(desk.folder, 'lossy.txt');
    const every = Math.max(1, Math.floor(lines.length / 10));
    const lossy = lines.flatMap((line, i) =>
      i % every === every - 1
        ? [line, ...Array.from({ length: 400 }, () => 'CPU:0 [LOST 3 EVENTS]')]
        : [line],
    );
    writeFileSync(path, lossy.join('\n'), 'latin1');
    const store = desk.store();
    const { report, result } = await imported(store, path);
    expect(report.lost).to.be.above(10_000);
    const events = eventsOf(must(store.trace(report.trace)));
    const forgotten = events.filter(({ kind }) => kind === 'forgotten').length;
    expect(forgotten).to.be.above(0);
    expect(forgotten).to.be.below(lines.length);
    expect(result.memory.charged).to.equal(null);
    const again = evolveAll(nothing, factsOf(result.memory));
    expect(factsOf(again)).to.deep.equal(factsOf(result.memory));
    const ranges = result.memory.unknown.map(({ page, pages }) => `${page} ${pages}`);
    expect(new Set(ranges).size).to.equal(ranges.length);
  });

  it('knows neither the charge nor the bitmaps of packs after a loss', () => {
    const head = { seq: 1, time: 0, cpu: 0, task: '', call: 0, origin: Origin.observed };
    const before = evolveAll(nothing, [
      eventOf(head, { kind: 'pack-created', start: 4096, bytes: 0x200000, partial: 0 }),
    ]);
    expect(before.packs[0]?.partial).to.equal(false);
    const lossy = evolveAll(before, [eventOf({ ...head, seq: 2 }, { kind: 'gap', lost: 3, why: '' })]);
    expect(lossy.packs[0]?.partial).to.equal(true);
    expect(lossy.charged).to.equal(null);
    expect(before.packs[0]?.partial).to.equal(false);
  });
});
