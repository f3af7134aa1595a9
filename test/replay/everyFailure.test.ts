/** Every call that can fail, failing once: what each kernel makes of it is judged, and nothing of the emulator gives way. */
import { expect } from 'chai';
import { FALLIBLE } from '../../core/driver/emulate/faults.js';
import type { Workload } from '../../core/workload/workload.js';
import { runEmulation, type EmulationRun } from '../../replay/emulation.js';
import { brokenRules } from '../../replay/claims/looking.js';
import { parseFaults } from '../../traces/simulate/faults.js';
import { kernelOf } from '../../traces/simulate/simulate.js';
import { openWorkload } from '../../traces/workload/open.js';
import { must } from '../store/given.js';

const KERNELS = ['5.10', '5.17', '5.18-rc5', '6.1', '6.12', '7.2'] as const;
/** §2.4: after these the size in the header was never written, and the charge stays (F11). */
const KEEPS_THE_CHARGE = new Set([
  'bpf_arch_text_copy',
  'bpf_jit_binary_pack_finalize',
  'text_poke_copy',
  'text_poke_copy_locked',
]);
const PERMISSION = /^(?:set_memory_|change_page_attr|alloc_pages)/;

describe('Every call that can fail', function () {
  this.timeout(240_000);
  let workload: Workload;
  before(async () => {
    const { boot: _boot, ...rest } = must(await openWorkload('pack-basic')).workload;
    workload = rest;
  });

  const failing = (kernel: string, fn: string): EmulationRun =>
    runEmulation({
      workload,
      ...must(kernelOf({ kernel })),
      faults: must(parseFaults([`${fn}=-ENOMEM`], workload)),
    });

  for (const kernel of KERNELS)
    it(`on ${kernel}`, () => {
      const keeps: string[] = [];
      let happened = 0;
      const plain = brokenRules(runEmulation({ workload, ...must(kernelOf({ kernel })) }));
      for (const fn of FALLIBLE) {
        const run = failing(kernel, fn);
        if (run.happened[0] === 0) continue;
        happened++;
        expect(run.happened, fn).to.deep.equal([1]);
        expect(run.audited.judged.length, fn).to.be.greaterThan(20);
        if (run.memory.charged !== 0) keeps.push(fn);
        const more = brokenRules(run).filter((rule) => !plain.includes(rule));
        // 6.10 looks at permission calls: the program is not loaded, and nothing else is amiss.
        if (PERMISSION.test(fn) && ['6.12', '7.2'].includes(kernel)) expect(more, fn).to.deep.equal([]);
        else if (fn.startsWith('set_memory_')) expect(more, fn).to.include('I7');
      }
      expect(happened).to.be.at.least(10);
      expect(keeps.filter((fn) => !KEEPS_THE_CHARGE.has(fn))).to.deep.equal([]);
      expect(keeps.length > 0).to.equal(!['5.10', '5.17'].includes(kernel));
    });
});
