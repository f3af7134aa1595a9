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
import { lookedAt } from '../../../core/kernel/looked.js';
import { matrixOf, type MatrixCell } from '../../../replay/matrix/matrix.js';
import { kernelOf } from '../../../traces/simulate/simulate.js';
import { openWorkload } from '../../../traces/workload/open.js';
import type { Workload } from '../../../core/workload/workload.js';

const opened = async (name: string): Promise<Workload> => {
  const found = await openWorkload(name);
  if (!found.ok) throw new Error(found.error.what);
  return found.value.workload;
};

const kernel = (name: string): Profile => profileNamed(name) as Profile;

const figuresOn = async (name: string, on: string, arch: string): Promise<MatrixCell> => {
  const found = kernelOf({ kernel: on, arch });
  if (!found.ok) throw new Error(found.error.what);
  const [cell] = matrixOf(await opened(name), [{ kernel: on, arch, run: found.value, missing: null }]);
  return cell as MatrixCell;
};

const mirrorsOn = async (on: string, arch: string): Promise<unknown> =>
  (await figuresOn('one-program', on, arch)).figures?.direct_map;

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

  it('counts a permission call that is made of two as one, whose result is looked at once', async () => {
    for (const [on, how] of [
      ['6.9', 'ignored'],
      ['6.12', 'checked'],
    ] as const) {
      const arm = (await figuresOn('one-program', on, 'arm64')).figures;
      const x86 = (await figuresOn('one-program', on, 'x86_64')).figures;
      expect(arm?.permission_calls, on).to.equal(1);
      expect(arm?.results[how], on).to.equal(x86?.results[how]);
    }
  });

  it('looks at the result of a copy of a trampoline as its caller does', () => {
    for (const caller of ['bpf_trampoline_update', 'bpf_jit_binary_pack_finalize'])
      expect(lookedAt(kernel('6.12'), 'bpf_arch_text_copy', caller)).to.equal('checked');
    for (const caller of ['bpf_jit_binary_pack_alloc', 'bpf_int_jit_compile'])
      expect(lookedAt(kernel('6.1'), 'bpf_arch_text_copy', caller)).to.equal('ignored');
  });

  it('tells what the direct map allows of code: nothing on x86-64, writing on powerpc, executing on riscv64', async () => {
    expect(await mirrorsOn('6.12', 'x86_64')).to.deep.equal({ writable: 0, executable: 0, read_only: 512 });
    expect(await mirrorsOn('5.18-rc5', 'x86_64')).to.deep.equal({ writable: 0, executable: 0, read_only: 1 });
    expect(await mirrorsOn('6.12', 'arm64')).to.deep.equal({ writable: 0, executable: 0, read_only: 512 });
    expect(await mirrorsOn('6.12', 'ppc64le')).to.deep.equal({ writable: 512, executable: 0, read_only: 0 });
    expect(await mirrorsOn('6.6', 'riscv64')).to.deep.equal({ writable: 512, executable: 0, read_only: 0 });
    expect(await mirrorsOn('6.12', 'riscv64')).to.deep.equal({
      writable: 0,
      executable: 512,
      read_only: 512,
    });
  });

  it('counts no alias of memory that is not executable', async () => {
    // The writable image of the dispatcher is a page that is never executable.
    const found = await figuresOn('subprogs-classic', '6.12', 'x86_64');
    expect(found.figures?.areas.most).to.equal(2);
    expect(found.figures?.direct_map).to.deep.equal({ writable: 0, executable: 0, read_only: 512 });
  });

  it('breaks no rule about ranges where pages are larger than 4 KiB', async () => {
    for (const [on, arch] of [
      ['5.17', 'arm64-16k'],
      ['6.12', 'arm64-64k'],
      ['6.12', 'ppc64le-64k'],
      ['7.1', 'loongarch64'],
    ] as const) {
      const { broken } = await figuresOn('one-program', on, arch);
      expect(Object.keys(broken), `${on} on ${arch}`).to.not.include('I11');
    }
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
