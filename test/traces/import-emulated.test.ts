import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event } from '../../core/event/event.js';
import { Memory } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { Address } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { inModules } from './callTree.js';
import { imported, newDesk } from './recordings.js';
import { churn, traceOf } from './synthetic.js';

/** The module area and what lives there, as text. */
const sceneOf = (memory: Memory): object => ({
  pages: [...PageTable.pages(memory.virtual)]
    .filter(([page]) => inModules(page))
    .map(
      ([page, node, slot]) =>
        `${page.toString(16)} ${Prot.toText(node.prot[slot] as number)} ${node.shift[slot]}`,
    ),
  areas: [...Memory.areas(memory)]
    .filter(({ state, start }) => state === 'live' && inModules(start))
    .map(({ start, pages }) => `${start.toString(16)} ${pages}`),
  packs: memory.packs.map(({ start, bytes, usedChunks }) => `${start.toString(16)} ${bytes} ${usedChunks}`),
  programs: [...Memory.programs(memory)]
    .map(
      ({ chunk, bytes, start, length }) =>
        `${Address.toText(chunk)} ${bytes} ${start && Address.toText(start)} ${length}`,
    )
    .sort(),
});

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
        writeFileSync(path, traceOf(events));
        const { report, result, divergences } = await imported(desk.store(name), path, {
          profile: profile.name,
        });
        expect(divergences.slice(0, 3), name).to.deep.equal([]);
        expect(report.calls.unmodelled, name).to.equal(0);
        expect(report.calls.adopted, name).to.equal(0);
        expect(report.lost).to.equal(0);
        expect(sceneOf(result.memory), name).to.deep.equal(sceneOf(memory));
      }
    });
});
