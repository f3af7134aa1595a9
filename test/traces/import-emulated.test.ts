import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event } from '../../core/event/event.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { imported, newDesk } from './recordings.js';
import { sceneDifferences, sceneOf } from './sceneOf.js';
import { churn, traceOf } from './synthetic.js';

describe('a trace written from an emulation', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);

  for (const profile of PROFILES)
    it(`is predicted line by line, and gives the memory that was emulated: ${profile.name}`, async () => {
      for (const nodes of [1, 2]) {
        const name = `${profile.name}-${nodes}`;
        const path = join(desk.folder, `${name}.txt`);
        const events: Event[] = [];
        // Nothing is closed at the end.
        const workload = churn(80, nodes);
        const { memory } = emulate({
          workload,
          profile,
          arch: x86_64,
          seed: 2,
          nodes,
          emit: (e) => events.push(e),
        });
        writeFileSync(path, traceOf(events, profile.name));
        const { report, result, divergences } = await imported(desk.store(name), path, {
          profile: profile.name,
        });
        expect(divergences.slice(0, 3), name).to.deep.equal([]);
        expect(report.calls.unmodelled, name).to.equal(0);
        expect(report.calls.adopted, name).to.equal(0);
        expect(report.lost).to.equal(0);
        expect(sceneDifferences(sceneOf(result.memory), sceneOf(memory)), name).to.deep.equal([]);
      }
    });
});
