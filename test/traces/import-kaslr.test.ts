import { expect } from 'chai';
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { conform } from '../../traces/conform/conform.js';
import { must } from '../store/given.js';
import { moveFolder, SHIFTS } from './moved.js';
import { familyOf, imported, newDesk, recordingsOf, recordingsOfOthers, type Desk } from './recordings.js';

const KERNELS = /^(5\.10-S3|5\.18-rc3-S8|5\.18-rc5-S1|6\.1-S1|6\.1-S3|6\.12-S1|7\.2-S1)$/;
/** Packs of 2M leaves lie at 2M boundaries, wherever the area begins. */
const LARGE = /rc3|7\.2/;

describe('recordings of kernels with other addresses', () => {
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  const others = recordingsOfOthers().filter((folder) => SHIFTS[familyOf(folder)] !== undefined);
  for (const [index, folder] of [...recordingsOf(KERNELS), ...others].entries())
    it(`are followed and conform: ${basename(folder)}`, async () => {
      const copy = join(desk.folder, basename(folder));
      cpSync(folder, copy, { recursive: true, filter: (path) => !path.endsWith('trace.dat') });
      const shift = SHIFTS[familyOf(folder)];
      moveFolder(
        copy,
        shift ?? {
          modules: LARGE.test(folder) ? 512 : 37 + index * 61,
          text: 0x0a600000n,
          direct: 0x1240000000n,
          vmalloc: 0x3c0000000n,
          vmemmap: 0x740000000n,
        },
      );
      const [store, plain] = [desk.store(`moved${index}`), desk.store(`plain${index}`)];
      const { report } = await imported(store, copy);
      const { report: usual } = await imported(plain, folder);
      expect(report.calls).to.deep.equal(usual.calls);
      expect(report.divergences).to.equal(0);
      expect(report.root).not.to.equal(usual.root);
      const { moments } = must(conform(store, report.trace, copy));
      expect(moments.length).to.be.greaterThan(0);
      for (const moment of moments) {
        expect(moment.differences).to.deep.equal([]);
        expect(moment.pages_equal + moment.pages_unknown).to.equal(moment.pages_checked);
        expect(moment.executable_unknown).to.equal(0);
      }
    });
});
