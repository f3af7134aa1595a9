/** A finding keeps its fingerprint when the same work is recorded again: addresses, processes, times and what is left to chance are others. */
import { expect } from 'chai';
import { basename, join } from 'node:path';
import { auditTrace } from '../../replay/audit/audit.js';
import { baselineOf } from '../../replay/audit/baseline.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import type { Store } from '../../store/index.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { workloadFromCapture } from '../../traces/workload/fromCapture.js';
import { captureWith, linesOf } from '../traces/damage.js';
import { moveFolder, rebootedLine } from '../traces/moved.js';
import { captureOf, imported, kernelOf, newDesk, recordingsOf, type Desk } from '../traces/recordings.js';

const KERNELS = /^(?:5\.10-S3|5\.18-rc3-S8|5\.18-rc5-S8|6\.1-S3|7\.2-S1)$/;

/** How often each fingerprint was found. */
const countsOf = (store: Store, name: string): Readonly<Record<string, number>> => {
  const { patterns, open } = must(auditTrace(must(logOn(store).trace(name))));
  const { findings } = baselineOf(patterns, open, null);
  return Object.fromEntries(findings.map(({ fingerprint, count }) => [fingerprint, count]));
};

describe('fingerprints of findings', function () {
  this.timeout(120_000);
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  for (const folder of recordingsOf(KERNELS))
    it(`stay the same on another boot of the kernel: ${basename(folder)}`, async () => {
      const store = desk.store(basename(folder));
      await imported(store, folder, { name: 'first' });
      const again = captureWith(folder, linesOf(folder).map(rebootedLine), join(desk.folder, 'again'));
      moveFolder(again, {
        modules: 512,
        text: 0x0a600000n,
        direct: 0x1240000000n,
        vmalloc: 0x3c0000000n,
        vmemmap: 0x740000000n,
      });
      await imported(store, again, { name: 'again' });
      const first = countsOf(store, 'first');
      expect(countsOf(store, 'again')).to.deep.equal(first);
      if (!folder.includes('7.2')) expect(first).to.not.deep.equal({});
    });

  for (const folder of recordingsOf(/^5\.18-rc[35]-S8$/))
    it(`do not depend on frames, code offsets and addresses: ${basename(folder)}, emulated with three seeds`, async () => {
      const store = desk.store(`${basename(folder)} emulated`);
      const { workload } = must(await workloadFromCapture(captureOf(folder)));
      const kernel = kernelOf(folder);
      const found = [1, 2, 3].map((seed) => {
        must(simulate(store, workload, { kernel, seed, name: `seed${seed}` }));
        return countsOf(store, `seed${seed}`);
      });
      expect(found[1]).to.deep.equal(found[0]);
      expect(found[2]).to.deep.equal(found[0]);
      expect(Object.keys(found[0] ?? {}).length).to.be.above(10);
    });
});
