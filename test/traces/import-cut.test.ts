import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { conform } from '../../traces/conform/conform.js';
import { must } from '../store/given.js';
import { linesOf } from './damage.js';
import { imported, newDesk, recordingsOf } from './recordings.js';

const COUNTS = 'entries-in-buffer';
const CUTS = [0.3, 0.55, 0.8] as const;
/** Cut between the first and the extra pass of multi-function programs, or behind a pack on 2M pages. */
const WITHOUT_DIVERGENCE =
  /-(?:5\.10-S3-.* 0\.3|6\.1-S3-.* 0\.3|5\.18-rc3-S8-.* 0\.55|5\.18-rc5-packv2-huge-S1-.*)$/;

describe('a trace that begins in the middle of a run, without any dump', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();

  for (const folder of recordingsOf(/-S[1368]$/))
    for (const cut of CUTS) {
      const name = `${basename(folder)} ${cut}`;

      it(`is right in all it knows: ${name}`, async () => {
        const lines = linesOf(folder);
        const kept = lines.filter((line, i) =>
          line.startsWith('#') ? !line.includes(COUNTS) : i >= cut * lines.length,
        );
        const path = join(desk.folder, `${name}.txt`);
        writeFileSync(path, kept.join('\n'), 'latin1');
        const { report, divergences } = await imported(store, path, { name });
        if (WITHOUT_DIVERGENCE.test(name)) expect(divergences).to.deep.equal([]);
        expect(report.calls.predicted).to.be.above(0);
        const { given, moments } = must(conform(store, name, folder));
        expect(given).to.equal(null);
        expect(moments.length).to.be.above(0);
        for (const moment of moments) {
          expect(moment.differences, moment.moment).to.deep.equal([]);
          expect(moment.differences_total).to.equal(0);
        }
      });
    }
});
