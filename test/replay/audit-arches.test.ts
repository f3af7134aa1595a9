/** What the audit finds in emulations of other architectures: kernel-model.md §3 says what each leaves open. */
import { expect } from 'chai';
import { auditTrace } from '../../replay/audit/audit.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { newDesk } from '../traces/recordings.js';
import { randomWorkload } from '../traces/randomWorkload.js';

const ALIAS_WRITABLE = 'I2 the direct-map alias of an executable page is writable';
const ALIAS_EXECUTABLE = 'I14 the direct-map alias of a page is executable';
const WRITABLE_EXECUTABLE = 'I2 a page is writable and executable';
const UNWRITTEN = 'I1 memory became executable without being written for it';
const SPLIT = 'F39 a large page of the direct map stays split';

const FOUND: readonly (readonly [arch: string, kernel: string, found: readonly string[]])[] = [
  // The dispatcher's page, as on x86-64 (F16).
  ['arm64', '5.17', [UNWRITTEN, WRITABLE_EXECUTABLE]],
  ['arm64', '6.1', []],
  ['arm64', '6.12', []],
  ['arm64', '7.2', []],
  ['arm64-64k', '6.12', []],
  ['arm64-bbml2', '7.2', [SPLIT]],
  // The direct map does not follow yet (F18).
  ['riscv64', '6.1', [ALIAS_WRITABLE]],
  ['riscv64', '6.6', [ALIAS_WRITABLE]],
  ['riscv64', '6.12', [ALIAS_EXECUTABLE, SPLIT]],
  // New areas are executable, the direct map is a window, and copies open the page (F38).
  ['loongarch64', '6.1', [UNWRITTEN, WRITABLE_EXECUTABLE]],
  ['loongarch64', '6.12', [UNWRITTEN, WRITABLE_EXECUTABLE, ALIAS_WRITABLE]],
  ['loongarch64', '7.2', [UNWRITTEN, ALIAS_WRITABLE, WRITABLE_EXECUTABLE]],
];

describe('the audit of an emulation on another architecture', function () {
  this.timeout(120_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();

  for (const [arch, kernel, expected] of FOUND)
    it(`finds what ${kernel} on ${arch} leaves open, and nothing else`, () => {
      const name = `${arch}-${kernel}`;
      must(simulate(store, randomWorkload(3, 40), { kernel, arch, name }));
      const { patterns } = must(auditTrace(must(logOn(store).trace(name))));
      expect(patterns.map(({ rule, pattern }) => `${rule} ${pattern}`).sort()).to.deep.equal(
        [...expected].sort(),
      );
    });
});
