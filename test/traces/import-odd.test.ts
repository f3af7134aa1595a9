import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importTrace } from '../../traces/import/import.js';
import { must } from '../store/given.js';
import { newDesk } from './recordings.js';

const head = (i: number): string => ` work-7 [000] ..... ${(1 + i / 1e6).toFixed(6)}: `;
const VFREE = 'vfree: (vfree+0x0/0x40) addr=0xffffffffc0000000\n';

describe('import of odd values', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();
  const run = async (name: string, text: string) => {
    const path = join(desk.folder, `${name}.txt`);
    writeFileSync(path, text);
    return must(await importTrace(store, path, { name })).report;
  };

  for (const [name, body] of [
    ['pages', 'set_memory_ro: (set_memory_ro+0x0/0x40) addr=0xffffffffc0000000 numpages=40000000'],
    ['size', 'module_alloc: (module_alloc+0x0/0x40) size=0xffffffffffffffff'],
  ] as const)
    it(`keeps a line of more memory than there is as it stands: ${name}`, async () => {
      const report = await run(name, `${head(0)}${body}\n${head(1)}${VFREE}`);
      expect(report.calls.unmodelled).to.equal(1);
      expect(report.calls.foreign).to.equal(1);
    });
});
