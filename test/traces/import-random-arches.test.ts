import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arch } from '../../core/arch/arch.js';
import { archNamed } from '../../core/arch/arches.js';
import { portOf } from '../../core/arch/port.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event } from '../../core/event/event.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { interleaved } from './interleave.js';
import { randomWorkload } from './randomWorkload.js';
import { imported, newDesk } from './recordings.js';
import { sceneDifferences, sceneOf } from './sceneOf.js';
import { linesOf, textOf } from './synthetic.js';

const SEEDS = Number(process.env['PAGETRAIL_SEEDS'] ?? 1);
const FIRST = Number(process.env['PAGETRAIL_FIRST_SEED'] ?? 1);
const NAMES = [
  'arm64',
  'arm64-16k',
  'arm64-64k',
  'riscv64',
  'loongarch64',
  'loongarch64-4k',
  'ppc64le',
  'ppc64le-64k',
  's390x',
  'x86_32',
  'arm32',
  'mips',
  'parisc',
  'sparc64',
];

describe('a trace of any workload on another architecture', function () {
  this.timeout(600_000);
  const desk = newDesk();
  after(desk.end);

  for (const arch of NAMES.map((name) => archNamed(name) as Arch))
    for (const profile of PROFILES.filter((one) => arch.missing(one) === null))
      it(`is followed without a divergence to the memory that was emulated: ${arch.name} ${profile.name}`, async () => {
        for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
          const name = `${arch.name}-${profile.name}-${seed}`;
          const path = join(desk.folder, `${name}.txt`);
          const events: Event[] = [];
          const workload = randomWorkload(seed, 30 + 10 * (seed % 5));
          const emit = (event: Event): void => {
            events.push(event);
          };
          const ported = portOf(profile, arch);
          const { memory } = emulate({ workload, profile: ported, arch, seed, emit });
          writeFileSync(path, textOf(interleaved(linesOf(events, profile.name, new Map(), arch), seed)));
          const { report, result, divergences } = await imported(desk.store(name), path, {
            profile: profile.name,
            arch: arch.name,
          });
          expect(divergences.slice(0, 3), name).to.deep.equal([]);
          expect(report.calls.unmodelled, name).to.equal(0);
          expect(report.lost).to.equal(0);
          const scenes = [result.memory, memory].map((one) => sceneOf(one, arch)) as [object, object];
          expect(sceneDifferences(...scenes), name).to.deep.equal([]);
        }
      });
});
