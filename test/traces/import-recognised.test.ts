import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILES } from '../../core/profile/profiles.js';
import { imported, newDesk } from './recordings.js';
import { churn, emulation, traceOf } from './synthetic.js';

/** Kernels whose calls look the same in a trace like this one: what tells them apart is no line, or one that it does not have. */
const ALIKE: readonly (readonly string[])[] = [
  ['5.10', '5.17'],
  ['5.18-rc5-packv2', '5.19', '5.19.2', '6.0', '6.1.0'],
  ['5.18.2', '5.18.18'],
  ['6.2', '6.3', '6.5'],
  ['6.8', '6.9'],
  ['6.11', '6.12.0', '6.13'],
  ['6.15', '6.16', '6.19'],
  ['7.1', '7.2'],
];

describe('the kernel of a trace that does not say it', function () {
  this.timeout(120_000);
  const desk = newDesk();
  after(desk.end);

  for (const { name } of PROFILES)
    it(`${name}: is found by its release among those that are alike`, async () => {
      const path = join(desk.folder, `${name}.txt`);
      writeFileSync(path, traceOf(emulation(churn(60), name), name));
      const { report } = await imported(desk.store(name), path, { release: name });
      expect(report.profiles_possible).to.deep.equal(ALIKE.find((names) => names.includes(name)) ?? [name]);
      expect(report.contradiction).to.equal(undefined);
      expect(report.profile).to.equal(name);
    });
});
