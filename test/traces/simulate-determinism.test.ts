import { expect } from 'chai';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loggedChoices } from '../../core/driver/emulate/rerun.js';
import { PROFILES } from '../../core/profile/profiles.js';
import type { Workload } from '../../core/workload/workload.js';
import type { Store } from '../../store/index.js';
import { simulate, type SimulateOptions } from '../../traces/simulate/simulate.js';
import { workloadFromCapture } from '../../traces/workload/fromCapture.js';
import { formatWorkload } from '../../traces/workload/schema.js';
import { must, readAll } from '../store/given.js';
import { importing, rootOf } from './importing.js';
import { bundled, captureOf, eventsOf, imported, newDesk } from './recordings.js';
import { churn } from './synthetic.js';

const NAME = 'same';

/** Places in which the same must come out. */
const PLACES = [
  { LC_ALL: 'C', LANG: 'C', TZ: 'UTC' },
  { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Kathmandu' },
  { LC_ALL: '', LANG: 'de_DE.ISO-8859-1', TZ: 'America/St_Johns' },
];

describe('the same seed', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  let n = 0;
  const simulated = (
    workload: Workload,
    options: SimulateOptions,
  ): { root: string; store: Store; bytes: Buffer } => {
    const store = desk.store(`s${n++}`);
    const { report, log } = must(simulate(store, workload, { name: NAME, ...options }));
    const bytes = Buffer.concat(readAll(log).map((segment) => segment.bytes));
    return { root: report.root, store, bytes };
  };

  it('gives the same bytes and root again, another one others', () => {
    const workload = churn(60);
    for (const kernel of ['5.10', '5.18-rc3', '6.1', '7.2']) {
      const first = simulated(workload, { kernel, seed: 5 });
      const second = simulated(workload, { kernel, seed: 5 });
      const other = simulated(workload, { kernel, seed: 6 });
      expect(second.root).to.equal(first.root);
      expect(second.bytes.equals(first.bytes)).to.equal(true);
      expect(other.bytes.equals(first.bytes), `${kernel}: bytes of another seed`).to.equal(false);
      expect(other.root).to.not.equal(first.root);
    }
  });

  it('gives the same root in another directory, locale and time zone; so does an import', async () => {
    const folder = bundled().find((path) => path.endsWith('6.1-S3-subprogs-classic')) as string;
    const workload = churn(40);
    const simulation = { name: NAME, workload: formatWorkload(workload), kernel: '6.12', seed: 9 };
    const here = simulated(workload, { kernel: '6.12', seed: 9 }).root;
    const recorded = (await imported(desk.store('here'), folder, { name: NAME })).report.root;
    await Promise.all(
      PLACES.map(async (env, i) => {
        const cwd = join(desk.folder, `place ${i} ü`);
        mkdirSync(cwd);
        const emulated = await importing({ ...simulation, file: join(cwd, 'log.db') }, { cwd, env }).ended;
        expect(rootOf(emulated), JSON.stringify(env)).to.equal(here);
        const followed = await importing({ name: NAME, path: folder, file: 'other.db' }, { cwd, env }).ended;
        expect(rootOf(followed), JSON.stringify(env)).to.equal(recorded);
      }),
    );
  });
});

describe("an emulation run again from its own log's choices", function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);

  for (const profile of PROFILES)
    it(`gives the same events, byte for byte: ${profile.name}`, async () => {
      const workloads: Workload[] = [churn(60)];
      for (const folder of bundled().filter((path) => /6\.1-S3|rc3-S8/.test(basename(path))))
        workloads.push(must(await workloadFromCapture(captureOf(folder))).workload);
      for (const [i, workload] of workloads.entries()) {
        const options = { kernel: profile.name, seed: 3 };
        const first = must(
          simulate(desk.store(`${profile.name}-${i}`), workload, { name: NAME, ...options }),
        );
        const source = loggedChoices(eventsOf(first.log));
        const again = must(
          simulate(desk.store(`${profile.name}-${i}-again`), workload, { name: NAME, ...options, source }),
        );
        expect(again.report.root).to.equal(first.report.root);
        // The choices, not the seed, decide; but for the frames of what was there at boot.
        if (workload.boot !== undefined) continue;
        const store = desk.store(`${profile.name}-${i}-other`);
        const choices = loggedChoices(eventsOf(first.log));
        const other = must(simulate(store, workload, { name: NAME, ...options, seed: 4, source: choices }));
        const [a, b] = [first.log, other.log].map((log) => Buffer.concat(readAll(log).map((s) => s.bytes)));
        expect(b?.equals(a ?? b), 'events under another seed').to.equal(true);
      }
    });

  it('fails where the choices are of another run', () => {
    const first = must(simulate(desk.store('a'), churn(10), { name: NAME, kernel: '6.1' }));
    const source = loggedChoices(
      eventsOf(first.log).filter((e) => e.kind !== 'chosen' || e.what !== 'placement'),
    );
    expect(() => simulate(desk.store('b'), churn(10), { name: NAME, kernel: '6.1', source })).to.throw(
      'the run asks for placement',
    );
  });
});
