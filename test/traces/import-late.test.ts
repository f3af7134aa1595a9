import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importTrace } from '../../traces/import/import.js';
import { must } from '../store/given.js';
import { newDesk } from './recordings.js';

const head = (i: number): string => ` work-7 [000] ..... ${(1 + i / 1e6).toFixed(6)}: `;
const VFREE = 'vfree: (vfree+0x0/0x40) addr=0xffffffffc0000000\n';

describe('import of a trace that begins with other events', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();
  const run = async (name: string, text: string) => {
    const path = join(desk.folder, `${name}.txt`);
    writeFileSync(path, text);
    return must(await importTrace(store, path, { name })).report;
  };

  it('waits for the first call, however many other events come before it', async () => {
    let text = '';
    for (let i = 0; i < 210_000; i++) text += `${head(i)}sched_switch: prev_pid=1 next_pid=2\n`;
    const report = await run('late', text + head(210_000) + VFREE);
    expect(report.events).to.equal(210_001);
    expect(report.calls.foreign).to.equal(1);
    expect(report.skipped).to.deep.equal({ 'other event before the first call': 10_000 });
  });
});
