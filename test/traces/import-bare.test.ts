import { expect } from 'chai';
import { basename } from 'node:path';
import { archNamed } from '../../core/arch/arches.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { Prot } from '../../core/value/prot.js';
import { conform } from '../../traces/conform/conform.js';
import { importTrace } from '../../traces/import/import.js';
import { captures } from '../shared.js';
import { must } from '../store/given.js';
import { tracePath } from './captures.js';
import { inModules } from './callTree.js';
import {
  archOf,
  captureOf,
  familyOf,
  eventsOf,
  imported,
  kernelOf,
  newDesk,
  recordings,
  recordingsOfOthers,
} from './recordings.js';

describe('a trace alone, without any dump', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();

  for (const folder of [...recordings(), ...recordingsOfOthers()]) {
    const name = basename(folder);

    it(`is right in all it knows, and knows what the trace shows: ${name}`, async () => {
      const { report, divergences, result } = await imported(store, tracePath(folder), { name });
      expect(report.arch).to.equal(familyOf(folder));
      expect(result.arch.name).to.equal(archOf(folder));
      // Without its release, a kernel with other permission calls than x86-64's is one of several.
      if (archOf(folder) === 'x86_64') expect(report.profile).to.equal(kernelOf(folder));
      expect(report.profiles_possible).to.include(kernelOf(folder));
      expect(divergences).to.deep.equal([]);
      expect(report.calls.unmodelled).to.equal(0);
      const { given, moments } = must(conform(store, name, folder));
      expect(given).to.equal(null);
      for (const moment of moments) {
        expect(moment.differences, moment.moment).to.deep.equal([]);
        expect(moment.pages_equal + moment.pages_unknown).to.equal(moment.pages_checked);
        expect(moment.areas_equal + moment.areas_unknown).to.equal(moment.areas_checked);
      }
      // What was mapped while it was recorded is known; what was there before is not, and no more is said of it.
      const { memory } = result;
      const mapped = eventsOf(must(store.trace(name))).some(
        (event) => event.kind === 'mapped' && event.pages > 1,
      );
      if (mapped)
        expect(Math.max(...moments.map((moment) => moment.pages_equal)), 'pages known').to.be.above(0);
      const unknown = moments.reduce((sum, moment) => sum + moment.executable_unknown, 0);
      const capture = captureOf(folder);
      const [first] = capture.phases;
      const { executableArea } = must(capture.dump(first as (typeof capture.phases)[number]));
      if (executableArea.some(({ executable }) => executable))
        expect(unknown, 'pages of the boot-time areas').to.be.above(0);
      expect(memory.limit === null || memory.charged === null, 'the charge so far').to.equal(true);
    });
  }

  for (const folder of captures().filter((path) => archNamed(archOf(path)) === null))
    it(`of another architecture is refused, or nothing is known: ${basename(folder)}`, async () => {
      for (const profile of [undefined, '6.1', '6.12']) {
        const options = {
          name: `${basename(folder)} ${profile ?? ''}`.trim(),
          ...(profile === undefined ? {} : { profile }),
        };
        const run = await importTrace(store, tracePath(folder), options);
        if (!run.ok) {
          expect(['arch-not-modelled', 'nothing-to-follow']).to.include(run.error.code);
          continue;
        }
        for (const [page, node, slot] of PageTable.pages(run.value.result.memory.virtual))
          expect(inModules(page) && !Prot.toText(node.prot[slot] as number).includes('?')).to.equal(false);
        expect(run.value.report.calls.predicted).to.equal(0);
      }
    });
});
