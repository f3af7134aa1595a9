/** Kernels without a fault: the audit finds in them what they are known for, whatever they are asked to do. */
import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { auditor } from '../../../core/audit/audit.js';
import { RULES } from '../../../core/audit/rules.js';
import { emulate } from '../../../core/driver/emulate/emulate.js';
import type { Event } from '../../../core/event/event.js';
import { randomWorkload } from '../../traces/randomWorkload.js';
import { profileOf } from './injected.js';

const SEED = Number(process.env['PAGETRAIL_SEED'] ?? 1);
const WORKLOADS = 8;
const OPERATIONS = 60;

/** What breaks on each kernel as it is. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  '5.10': ['I1', 'I2', 'F39', 'F40'],
  '6.1': ['F39', 'F40'],
  '6.12': ['F39'],
  '7.2': ['F39'],
};

describe(`the audit of kernels without a fault (seed ${SEED})`, function () {
  this.timeout(120_000);

  for (const [kernel, known] of Object.entries(KNOWN))
    it(`${kernel}: nothing but ${known.join(', ')} breaks, in ${WORKLOADS} random workloads on one node and on two`, () => {
      const profile = profileOf({ kernel });
      const broken = new Set<string>();
      for (let seed = SEED; seed < SEED + WORKLOADS; seed++) {
        const nodes = 1 + (seed % 2);
        const audit: Event[] = [];
        const { given } = emulate({
          workload: randomWorkload(seed, OPERATIONS),
          profile,
          arch: x86_64,
          seed,
          nodes,
          flushesPredictors: seed % 3 === 0,
          emit: (event) => audit.push(event),
        });
        const one = auditor({ profile, arch: x86_64, kernel: null, source: 'emulation' }, given, RULES);
        one.feed(audit);
        for (const { rule, verdict, patterns } of one.finish().judged)
          if (verdict === 'broken') {
            broken.add(rule.id);
            if (!known.includes(rule.id))
              expect.fail(`workload ${seed}: ${rule.id}: ${patterns[0]?.findings[0]?.message ?? ''}`);
          }
      }
      expect([...broken].filter((id) => !known.includes(id))).to.deep.equal([]);
    });
});
