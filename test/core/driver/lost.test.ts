import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
      i % every === every - 1 ? [line, ...Array.from({ length: 400 }, () => 'CPU:0 [LOST 3 EVENTS]')] : [line],
    );
    writeFileSync(path, lossy.join('\n'), 'latin1');
    const store = desk.store();
    const { report, result } = await imported(store, path);
    expect(report.lost).to.be.above(10_000);
    const events = eventsOf(must(store.trace(report.trace)));
    const forgotten = events.filter(({ kind }) => kind === 'forgotten').length;
    expect(forgotten).to.be.above(0);
    expect(forgotten).to.be.below(lines.length);
    const ranges = result.memory.unknown.map(({ page, pages }) => `${page} ${pages}`);
    expect(new Set(ranges).size).to.equal(ranges.length);
  });
});
