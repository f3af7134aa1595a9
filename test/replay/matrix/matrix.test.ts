import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { ContentClass, PageContent } from '../../../core/memory/content.js';
import { Memory } from '../../../core/memory/memory.js';
import type { Event } from '../../../core/event/event.js';
import { evolveAll } from '../../../core/memory/evolve.js';
import { nothing } from '../../../core/memory/memory.js';
import { PROFILES, profileNamed } from '../../../core/profile/profiles.js';
import type { Profile } from '../../../core/profile/profile.js';
import { Prot } from '../../../core/value/prot.js';
import { PageTable } from '../../../core/memory/pageTable.js';
import { runEmulation } from '../../../replay/emulation.js';
import { matrixOf } from '../../../replay/matrix/matrix.js';
import { openWorkload } from '../../../traces/workload/open.js';
import type { Workload } from '../../../core/workload/workload.js';

const opened = async (name: string): Promise<Workload> => {
  const found = await openWorkload(name);
  if (!found.ok) throw new Error(found.error.what);
  return found.value.workload;
};

const kernel = (name: string): Profile => profileNamed(name) as Profile;

/** Counts of an event list, told again without the measure. */
const counted = (events: readonly Event[]): Record<string, number> => ({
  permission_calls: events.filter((e) => e.kind === 'entered' && e.fn.startsWith('set_memory_')).length,
  direct: events.filter((e) => e.kind === 'split' && e.space === 1).length,
  primary: events.filter((e) => e.kind === 'split' && e.space === 0).length,
  global: events.filter((e) => e.kind === 'tlb-flushed' && e.pages === 0).length,
  ranged: events.filter((e) => e.kind === 'tlb-flushed' && e.pages > 0).length,
  areas: events.filter((e) => e.kind === 'area-allocated').length,
});

/** Executable bytes of a memory whose class is one of these, block by block. */
const executableOf = (memory: Memory, wanted: (cls: number, ref: number) => boolean): number => {
  let bytes = 0;
  for (const [page, node, slot] of PageTable.pages(memory.virtual)) {
    const prot = node.prot[slot] as number;
    if (!Prot.has(prot, Prot.present) || !Prot.has(prot, Prot.executable)) continue;
    const content = Memory.contentOf(memory, Memory.page(memory, page)?.frame ?? -1);
    if (content === null) continue;
    for (let block = 0; block < 64; block++)
      if (wanted(PageContent.classAt(content, block), PageContent.refAt(content, block))) bytes += 64;
  }
  return bytes;
};

describe('The matrix', () => {
  let workload: Workload;
  before(async () => {
    workload = await opened('leftover-dirty');
  });

  for (const profile of PROFILES)
    it(`counts on ${profile.name} what the events of the run say`, () => {
      const run = runEmulation({ workload, profile, arch: x86_64 });
      const { figures } = run;
      expect({
        permission_calls: figures.permission_calls,
        direct: figures.splits.direct_map,
        primary: figures.splits.primary,
        global: figures.tlb_flushes.global,
        ranged: figures.tlb_flushes.ranged,
        areas: figures.areas.allocated,
      }).to.deep.equal(counted(run.events));
      let never = 0;
      let most = 0;
      let memory = evolveAll(nothing, run.given);
      for (const event of run.events) {
        if (event.kind === 'operation') {
          never = Math.max(
            never,
            executableOf(memory, (cls, ref) => cls === ContentClass.leftover && ref === 0),
          );
          let used = 0;
          for (const program of Memory.programs(memory)) used += program.proglen;
          most = Math.max(most, used);
        }
        memory = evolveAll(memory, [event]);
      }
      expect(figures.never_written).to.equal(never);
      expect(figures.memory.used).to.equal(most);
      expect(figures.memory.held).to.be.at.least(most);
    });

  it('shows what the series of April 2022 changes, and nothing else of it', () => {
    const cells = ['5.18-rc3', '5.18-rc3-packv2'].map((name) => ({
      kernel: name,
      arch: 'x86_64',
      run: { profile: kernel(name), arch: x86_64 },
      missing: null,
    }));
    const [without, series] = matrixOf(workload, cells);
    expect(without?.figures?.never_written).to.be.greaterThan(2_000_000);
    expect(without?.figures?.of_freed).to.be.greaterThan(0);
    expect(series?.figures?.never_written).to.equal(0);
    expect(series?.figures?.of_freed).to.equal(0);
    expect(Object.keys(without?.broken ?? {})).to.include('I1');
    expect(Object.keys(series?.broken ?? {})).to.not.include('I1');
    for (const name of ['memory', 'areas', 'pages', 'permission_calls', 'splits', 'itlb_entries'] as const)
      expect(series?.figures?.[name]).to.deep.equal(without?.figures?.[name]);
  });

  it('keeps a kernel that never existed, with the reason, and runs none', () => {
    const [cell] = matrixOf(workload, [
      { kernel: '5.10', arch: 'none', run: null, missing: 'there was none' },
    ]);
    expect(cell).to.deep.equal({
      kernel: '5.10',
      arch: 'none',
      grade: null,
      missing: 'there was none',
      figures: null,
      broken: {},
    });
  });
});
