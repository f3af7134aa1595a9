/** What kernel-model.md §1.5 says a run shows to each sentence of the message that began it all. */
import { expect } from 'chai';
import { labs } from '../../../cli/claims/lab.js';
import type { Fact } from '../../../core/event/event.js';
import { Space } from '../../../core/event/pages.js';
import { Memory } from '../../../core/memory/memory.js';
import { Prot } from '../../../core/value/prot.js';
import type { Lab } from '../../../replay/claims/claim.js';
import {
  aliasesOf,
  broken,
  brokenRules,
  callsOf,
  markerOf,
  memoryAt,
  pagesWith,
  readOnlyDirect,
  resultsOf,
} from '../../../replay/claims/looking.js';
import { runEmulation, type EmulationRun } from '../../../replay/emulation.js';
import { kernelOf } from '../../../traces/simulate/simulate.js';
import { openWorkload } from '../../../traces/workload/open.js';
import type { WorkloadBoot } from '../../../core/workload/workload.js';
import { Twin } from '../../models/twin.js';

const PACK = 2 ** 21;
const PAGE = 4096;
const SIZE = 448;
const OTHERS = ['arm64', 'ppc64le', 'riscv64', 's390x'] as const;

const kinds = (run: EmulationRun, kind: string): number =>
  run.events.filter((event) => event.kind === kind).length;
const loaded = (run: EmulationRun): Memory => memoryAt(run, markerOf(run, 'loaded'));
const warnings = (run: EmulationRun): readonly string[] =>
  run.events.flatMap((event) => (event.kind === 'warned' ? [event.text] : []));

/** Splits of the leaf and of the direct map, and flushes of everything, of set_memory_ro. */
const seen = (pages: number, leaf: number): readonly [number, number, number] => {
  const twin = new Twin({ kernel: '5.18-rc3', seed: 1, whole: true, leaf: () => leaf });
  const start = twin.moduleAlloc(512);
  const facts: Fact[] = [];
  twin.driver.onFact((fact) => facts.push(fact));
  expect(twin.setMemory('ro', start, pages)).to.equal(0);
  const splits = (space: number): number =>
    facts.filter((fact) => fact.kind === 'split' && fact.space === space).length;
  return [
    splits(Space.virtual),
    splits(Space.direct),
    facts.filter((fact) => fact.kind === 'tlb-flushed' && fact.pages === 0).length,
  ];
};

describe('The demonstrations', () => {
  let lab: Lab;
  before(async () => {
    lab = (await labs())();
  });

  const never = (kernel: string): number =>
    lab.run({ kernel, workload: 'one-program' }).figures.never_written;

  it('not ready for this merge window: all of a new pack but the image is leftover and executable, until 5.18.2', () => {
    expect(never('5.18-rc1')).to.equal(PACK - SIZE);
    expect(never('5.18-rc4')).to.equal(PAGE - SIZE);
    expect(never('5.18.2')).to.equal(0);
  });

  it('does it work with small pages: fewer areas, fewer permission calls, the same programs', () => {
    for (const [kernel, areas, calls, pages] of [
      ['5.17', 40, 80, 40],
      ['5.18-rc4', 5, 10, 5],
      ['6.1', 1, 2, 512],
    ] as const) {
      const run = lab.run({ kernel, workload: 'forty-programs' });
      expect(run.figures.areas.most, kernel).to.equal(areas);
      expect(run.figures.permission_calls, kernel).to.equal(calls);
      // Splits themselves depend on where the frames lie; pages that the direct map keeps apart do not.
      expect(run.figures.direct_map.read_only, kernel).to.equal(pages);
      expect(kinds(run, 'published'), kernel).to.equal(40);
      expect([...Memory.programs(loaded(run))], kernel).to.have.length(40);
    }
  });

  it('set_memory_* on powerpc: a warning, -EINVAL for both, and the large leaf as it was', () => {
    const run = lab.run({
      kernel: '5.18-rc5',
      arch: 'ppc64le',
      workload: 'one-program',
      pack: true,
      huge: true,
      force: true,
    });
    for (const fn of ['set_memory_ro', 'set_memory_x']) expect(resultsOf(run, fn), fn).to.deep.equal([-22]);
    expect(new Set(warnings(run))).to.include('change_memory_attr: the area has huge pages');
    const [pack] = run.events.flatMap((event) => (event.kind === 'pack-created' ? [event.start] : []));
    const entry = Memory.page(loaded(run), pack as number);
    expect([Prot.toText(entry?.prot ?? 0), entry?.shift]).to.deep.equal(['rw-', 21]);
    expect(kinds(run, 'permission')).to.equal(0);
  });

  for (const arch of OTHERS)
    it(`generic code works on x86 only, ${arch}: as it was no pack at all; forced, finalize is what fails`, () => {
      const stock = lab.run({ kernel: '5.18-rc5', arch, workload: 'one-program' });
      expect(callsOf(stock, 'bpf_jit_binary_pack_alloc')).to.have.length(0);
      expect(kinds(stock, 'pack-created')).to.equal(0);
      expect(kinds(stock, 'published')).to.equal(1);
      const forced = lab.run({ kernel: '5.18-rc5', arch, workload: 'one-program', pack: true, force: true });
      const wanted = [
        'bpf_jit_charge_modmem',
        'alloc_new_pack',
        'set_memory_ro',
        'set_memory_x',
        'do_jit',
        'bpf_jit_binary_pack_finalize',
        'bpf_arch_text_copy',
        'bpf_prog_pack_free',
      ];
      const order = forced.events.flatMap((event) =>
        event.kind === 'entered' && wanted.includes(event.fn) ? [event.fn] : [],
      );
      expect(order).to.deep.equal(wanted);
      expect(resultsOf(forced, 'bpf_jit_binary_pack_finalize')).to.deep.equal([-524]);
      expect(warnings(forced)).to.deep.equal(['bpf_jit_binary_pack_finalize failed']);
      expect(kinds(forced, 'published')).to.equal(0);
      expect(forced.memory.charged).to.equal(SIZE);
      expect(broken(forced, 'I6')).to.be.greaterThan(0);
    });

  it('one of two callers does not check: finalize reports; the path of the buffer frees by what it never wrote', () => {
    const reported = lab.run({
      kernel: '6.1',
      workload: 'two-programs',
      fail: ['bpf_arch_text_copy:2=-EINVAL'],
    });
    expect(resultsOf(reported, 'bpf_jit_binary_pack_finalize')).to.include(-22);
    const path = (nth: number): EmulationRun =>
      lab.run({
        kernel: '6.1',
        workload: 'two-programs',
        fail: [`kvmalloc:${nth}=-ENOMEM`, `bpf_arch_text_copy:${nth}=-EINVAL`],
      });
    // The size is the fill: larger than a pack. The first chunk is where the pack begins: all of it goes.
    const first = path(1);
    expect(kinds(first, 'pack-removed')).to.equal(0);
    expect(kinds(first, 'area-freed')).to.equal(1);
    expect(brokenRules(first)).to.include.members(['I5', 'I7', 'I19']);
    // Any other chunk is no beginning of an area.
    const second = path(2);
    expect(warnings(second).some((text) => text.startsWith('Trying to vfree() bad address'))).to.equal(true);
    expect(brokenRules(second)).to.include.members(['I5', 'I7']);
    // 6.8 gives back the size it knows.
    const later = lab.run({ kernel: '6.8', workload: 'two-programs', fail: ['kvmalloc:2=-ENOMEM'] });
    expect(brokenRules(later)).to.not.include('I5');
  });

  it('set_vm_flush_reset_perms does not work: where page tables run out the page goes back read-only', () => {
    const all = lab.run({
      kernel: '5.18-rc1',
      workload: 'one-program',
      fail: ['alloc_pages:*@loaded=-ENOMEM'],
    });
    expect(readOnlyDirect(all.memory)).to.have.length(512);
    expect(broken(all, 'I3')).to.be.greaterThan(0);
    // Only the first split fails: the next call has its page table, and the second round reaches every page.
    const one = lab.run({
      kernel: '5.18-rc1',
      workload: 'one-program',
      fail: ['alloc_pages@loaded=-ENOMEM'],
    });
    expect(resultsOf(one, 'set_direct_map_invalid_noflush').filter((result) => result !== 0)).to.have.length(
      1,
    );
    expect(readOnlyDirect(one.memory)).to.have.length(0);
    const none = lab.run({ kernel: '5.18-rc1', workload: 'one-program' });
    expect(readOnlyDirect(none.memory)).to.have.length(0);
    expect(broken(none, 'I3')).to.equal(0);
  });

  describe('huge vmalloc in set_memory.c: splits and flushes of a 2M leaf', () => {
    for (const [leaf, name, whole, part] of [
      [12, '4K', [0, 0], [1, 0]],
      [21, '2M', [0, 0], [1, 1]],
      [30, '1G', [0, 1], [1, 2]],
    ] as const)
      it(`an alias on ${name} leaves`, () => {
        for (const [pages, splits] of [
          [512, whole],
          [100, part],
        ] as const) {
          const [primary, direct, flushes] = seen(pages, leaf);
          expect([primary, direct], `${pages} pages`).to.deep.equal([...splits]);
          // One for each split, one at the end: an alias was changed.
          expect(flushes, `${pages} pages`).to.equal(splits[0] + splits[1] + 1);
        }
      });
  });

  it('even on x86: 7.2 maps a pack by accident with a 2M leaf where its address is aligned, its alias stays small', async () => {
    const opened = await openWorkload('one-program');
    const found = kernelOf({ kernel: '7.2' });
    if (!opened.ok || !found.ok) throw new Error('no such run');
    const on = (boot: WorkloadBoot): EmulationRun =>
      runEmulation({ workload: { ...opened.value.workload, boot }, ...found.value });
    const empty = { jit_charged: 0, packs: [] };
    const first = { start: '0xffffffffc0000000', end: '0xffffffffc0003000', caller: '' };
    for (const [areas, leaf, merges] of [
      [[], 21, 1],
      [[first], 12, 0],
    ] as const) {
      const run = on({ ...empty, areas });
      const memory = loaded(run);
      const [pack = 0] = run.events.flatMap((event) => (event.kind === 'pack-created' ? [event.start] : []));
      const pages = pagesWith(memory, Prot.executable).filter((page) => page >= pack);
      expect(pages).to.have.length(512);
      expect(pack % 512 === 0).to.equal(leaf === 21);
      expect(new Set(pages.map((page) => Memory.page(memory, page)?.shift))).to.deep.equal(new Set([leaf]));
      expect(new Set(aliasesOf(memory, pages).map(({ shift }) => shift))).to.deep.equal(new Set([12]));
      expect(run.figures.collapses).to.equal(merges);
      expect(brokenRules(run).filter((rule) => rule.startsWith('I'))).to.deep.equal([]);
    }
  });
});
