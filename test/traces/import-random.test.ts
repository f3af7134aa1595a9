import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event } from '../../core/event/event.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { interleaved } from './interleave.js';
import { randomWorkload } from './randomWorkload.js';
import { imported, newDesk } from './recordings.js';
import { sceneDifferences, sceneOf } from './sceneOf.js';
import { linesOf, textOf } from './synthetic.js';

const SEEDS = Number(process.env['PAGETRAIL_SEEDS'] ?? 4);
const FIRST = Number(process.env['PAGETRAIL_FIRST_SEED'] ?? 1);

describe('a trace of any workload, as the probes of each kernel would have recorded it', function () {
  this.timeout(600_000);
  const desk = newDesk();
  after(desk.end);

  for (const profile of PROFILES)
    it(`is followed without a divergence to the memory that was emulated: ${profile.name}`, async () => {
      for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
        const name = `${profile.name}-${seed}`;
        const path = join(desk.folder, `${name}.txt`);
        const events: Event[] = [];
        const workload = randomWorkload(seed, 40 + 10 * (seed % 7));
        const emit = (event: Event): void => {
          events.push(event);
        };
        const { memory } = emulate({ workload, profile, arch: x86_64, seed, nodes: 1 + (seed % 2), emit });
        writeFileSync(path, textOf(interleaved(linesOf(events, profile.name), seed)));
        const { report, result, divergences } = await imported(desk.store(name), path, {
          profile: profile.name,
        });
        expect(divergences.slice(0, 3), name).to.deep.equal([]);
        expect(report.profiles_possible, name).to.include(profile.name);
        expect(report.calls.unmodelled, name).to.equal(0);
        expect(report.lost).to.equal(0);
        expect(sceneDifferences(sceneOf(result.memory), sceneOf(memory)), name).to.deep.equal([]);
      }
    });
});
