import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { auditTrace } from '../../../replay/audit/audit.js';
import { logOn } from '../../../replay/log.js';
import { UNKNOWN_SHIFT } from '../../../core/memory/pageTable.js';
import { v6_1 } from '../../../core/profile/profile.js';
import { Address } from '../../../core/value/address.js';
import { Prot } from '../../../core/value/prot.js';
import { openStore } from '../../../store/index.js';
import { openCapture } from '../../../traces/capture/capture.js';
import { readDump } from '../../../traces/capture/dump.js';
import { looseDump, type LooseFile } from '../../../traces/capture/looseDump.js';
import type { DumpedRange } from '../../../traces/capture/pagetable.js';
import { conform } from '../../../traces/conform/conform.js';
import { givenFacts } from '../../../traces/import/given.js';
import { importTrace } from '../../../traces/import/import.js';
import { recording } from '../../cli/recording.js';
import { place } from '../../cli/run.js';
import { captures } from '../../shared.js';
import { must } from '../../store/given.js';

const codeOf = (...texts: readonly string[]): string => {
  const dump = looseDump(texts.map((text, i) => ({ path: `file${i}`, text })));
  return dump.ok ? `read, without ${dump.value.absent.join(' ')}` : `${dump.error.code}: ${dump.error.what}`;
};

const TLB = 'ffffffffc0000000: 0000000003f5b000 -GP-A----\n';
const AREA =
  '0xffffffffc0000000-0xffffffffc0201000 2101248 bpf_prog_pack_alloc+0x164/0x2d0 pages=512 vmalloc N0=512\n';
const SYMBOL = 'ffffffffc000065c t bpf_prog_db73f85724b15e57_p1_23\t[bpf]\n';

/** Pages by address: frame, size of the leaf, what is allowed. */
const pagesOf = (ranges: readonly DumpedRange[]): ReadonlyMap<number, string> => {
  const pages = new Map<number, string>();
  const mapped = ranges.filter(({ present }) => present);
  for (const { start, end, phys, leaf, writable, executable, dirty } of mapped)
    for (let page: number = start.page; page < end.page; page++)
      pages.set(
        page,
        `${phys === null ? '?' : phys + page - start.page} ${leaf} ${writable} ${executable} ${dirty}`,
      );
  return pages;
};

const PTDUMP = `---[ User Space ]---
0x0000000000000000-0xffff800000000000    16777088T                                              pgd
---[ Low Kernel Mapping ]---
0xffff888000000000-0xffff888000200000           2M     RW                 PSE         GLB NX pmd
0xffff888000200000-0xffff888000201000           4K                                           pte
0xffff888000201000-0xffff888000202000           4K     ro                             GLB NX pte
0xffff888000202000-0xffff888000400000        2040K                                           pmd
---[ High Kernel Mapping ]---
0xffffffffa5000000-0xffffffffa5200000           2M     ro                 PSE         GLB x  pmd
---[ Modules ]---
0xffffffffc0000000-0xffffffffc0200000           2M     ro                 PSE         GLB x  pmd
0xffffffffc0200000-0xffffffffc0201000           4K                                           pte
0xffffffffc0201000-0xffffffffc0202000           4K     RW                             GLB NX pte
---[ End Modules ]---
0xffffffffff000000-0xffffffffff200000           2M                                           pmd
`;

const mapped = (start: string, pages: number, shift: number, prot: number, frame: number) => ({
  kind: 'mapped',
  page: Address.parse(start)?.page,
  pages,
  shift,
  prot,
  frame,
});

/** What debugfs prints of a kernel whose page tables a capture holds. */
const ptdumpOf = (ranges: readonly DumpedRange[]): readonly string[] =>
  ranges
    .filter(({ present }) => present)
    .map(
      ({ start, end, leaf, writable, executable }) =>
        `${Address.toText(start)}-${Address.toText(end)} ${String(Address.minus(end, start) / 1024).padStart(12)}K     ${writable ? 'RW' : 'ro'}                 ${leaf > 4096 ? 'PSE' : '   '}         GLB ${executable ? 'x ' : 'NX'} ${leaf > 4096 ? 'pmd' : 'pte'}`,
    );

describe('Files of a dump', () => {
  it('are known by their content', () => {
    expect(codeOf(SYMBOL, AREA, TLB)).to.equal('read, without pack.hex vmstat.txt bpf_jit_limit.txt');
    expect(codeOf(TLB)).to.equal(
      'read, without vmallocinfo.txt kallsyms.txt pack.hex vmstat.txt bpf_jit_limit.txt',
    );
  });

  it('of a whole kernel are read where code lies', () => {
    const other = '0xffffc90000000000-0xffffc90000005000   20480 irq_init_percpu_irqstack+0x114/0x1b0 vmap\n';
    const text = 'ffffffff81000000 T _text\nffffffffc0300000 t nf_hook\t[nf_tables]\n';
    const dump = must(
      looseDump([
        { path: 'a', text: other + AREA },
        { path: 'b', text: text + SYMBOL },
      ]),
    );
    expect(dump.areas.length).to.equal(1);
    expect(dump.symbols.map(({ name }) => name)).to.deep.equal(['bpf_prog_db73f85724b15e57_p1_23']);
    expect(dump.problems).to.deep.equal([]);
  });

  it('are refused when they cannot be a beginning', () => {
    expect(codeOf('hello\n')).to.include('unknown-dump');
    expect(codeOf(AREA, AREA)).to.equal('two-dumps: there are two of vmallocinfo.txt');
    expect(codeOf(TLB, '# executable area\n')).to.include('two-dumps');
    expect(codeOf('---[ Linear Mapping start ]---\n'))
      .to.include('unfit-dump')
      .and.include('another architecture');
    expect(codeOf(TLB, '---[ Modules ]---\n')).to.include('two-dumps');
  });

  it('say the lines that were not understood', () => {
    const dump = must(looseDump([{ path: 'tlb', text: `${TLB}nonsense\n` }]));
    expect(dump.problems).to.deep.equal(['tlb:2: not a line of info tlb: "nonsense"']);
  });

  it('of debugfs give permissions and leaves of code, without frames, and the direct map by its distance', () => {
    const dump = must(looseDump([{ path: 'tables', text: PTDUMP }]));
    expect(dump.problems).to.deep.equal([]);
    expect(dump.absent).to.not.include('pagetable.txt');
    const facts = givenFacts(dump, x86_64, v6_1);
    expect(facts.filter(({ kind }) => kind === 'mapped')).to.deep.equal([
      mapped('ffffffffc0000000', 512, 21, Prot.present | Prot.executable | Prot.unknown(Prot.dirty), -2),
      mapped('ffffffffc0201000', 1, 12, Prot.present | Prot.writable | Prot.unknown(Prot.dirty), -514),
    ]);
    expect(facts.filter(({ kind }) => kind === 'direct-mapped')).to.deep.equal([
      {
        kind: 'direct-mapped',
        page: 0,
        pages: 512,
        shift: 21,
        prot: Prot.present | Prot.writable | Prot.unknown(Prot.dirty),
      },
      {
        kind: 'direct-mapped',
        page: 513,
        pages: 1,
        shift: 12,
        prot: Prot.present | Prot.unknown(Prot.dirty),
      },
      { kind: 'direct-mapped', page: 512, pages: 1, shift: 12, prot: Prot.unknown(Prot.dirty) },
    ]);
    expect(facts.find(({ kind }) => kind === 'state-known')).to.include({ lowestName: -514 });
  });

  it('of debugfs: what is not understood is said, and how much of a large direct map is left out', () => {
    const text = [
      '---[ Low Kernel Mapping ]---',
      '0xffff888000000000-0xffff88c000000000         256G     RW                 PSE         GLB NX pud',
      '---[ Modules ]---',
      '0xffffffffc0000000-0xffffffffc0001000           4K     RW                             GLB ZZ pte',
    ].join('\n');
    const dump = must(looseDump([{ path: 'tables', text }]));
    expect(dump.problems).to.deep.equal([
      'tables:4: not a line of page_tables/kernel: "0xffffffffc0000000-0xffffffffc0001000           4K     RW   …"',
      'tables: 248 GiB of the direct map in large writable pages left out',
    ]);
    expect(dump.directMap.map(({ end }) => Address.toText(end))).to.deep.equal(['0xffff888200000000']);
  });

  it('of info mem say what is mapped and may be written, not what may be executed', () => {
    const text =
      'ffff888000000000-ffff888000100000 0000000000100000 -rw\nffffffffc0000000-ffffffffc0002000 0000000000002000 -r-\n';
    const facts = givenFacts(must(looseDump([{ path: 'mem', text }])), x86_64, v6_1);
    const prot = Prot.present | Prot.unknown(Prot.executable | Prot.dirty);
    expect(facts.filter(({ kind }) => kind === 'mapped')).to.deep.equal([
      mapped('ffffffffc0000000', 2, UNKNOWN_SHIFT, prot, -2),
    ]);
    expect(facts.filter(({ kind }) => kind === 'direct-mapped')).to.deep.equal([]);
  });

  it('of debugfs are read from the folder that the recording script writes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pagetrail-dump-'));
    const path = join(folder, 'page_tables.txt');
    writeFileSync(path, PTDUMP);
    const dump = must(readDump({ index: 0, name: 'start', folder }, 'start'));
    expect(dump.executableArea.length).to.equal(2);
    expect(dump.absent).to.not.include('pagetable.txt');
    writeFileSync(path, '---[ Linear Mapping start ]---\n');
    const other = must(readDump({ index: 0, name: 'start', folder }, 'start'));
    expect(other.absent).to.include('pagetable.txt');
    expect(other.problems).to.deep.equal([
      'start/page_tables.txt: not read: neither "Modules" nor "Low Kernel Mapping" of x86-64 is in it',
    ]);
    rmSync(folder, { recursive: true });
  });

  it('are given on the command line', async () => {
    const at = place();
    const [trace, areas, symbols, tlb] = [
      at.put('trace', recording),
      at.put('areas', AREA),
      at.put('symbols', SYMBOL),
      at.put('tlb', TLB),
    ];
    const ran = await at.run(['import', trace, '--dump', areas, symbols, tlb]);
    expect(ran.err).to.equal('');
    expect(ran.out).to.include('a recording of').and.not.to.include('there was no dump to start from');
    const wrong = await at.run(['import', trace, '--dump', trace]);
    expect(wrong.code).to.equal(2);
    expect(wrong.err).to.include('this is no dump that is known');
    at.remove();
  });

  describe('of real kernels', function () {
    this.timeout(120_000);
    const folders = captures().filter(
      (folder) =>
        basename(folder).startsWith('x86_64-') && existsSync(join(folder, 'phases', '00-start', 'tlb.txt')),
    );
    for (const folder of folders)
      it(basename(folder), async () => {
        const at = (name: string): LooseFile => {
          const path = join(folder, 'phases', '00-start', name);
          return { path, text: readFileSync(path, 'latin1') };
        };
        const loose = must(looseDump([at('tlb.txt'), at('vmallocinfo.txt'), at('kallsyms.txt')]));
        const capture = must(openCapture(folder));
        const phase = capture.phases[0];
        if (phase === undefined) throw new Error(folder);
        const own = must(capture.dump(phase));
        const tables = pagesOf(loose.executableArea);
        expect(tables.size).to.be.greaterThan(0);
        expect(Object.fromEntries(tables)).to.deep.equal(Object.fromEntries(pagesOf(own.executableArea)));
        const direct = pagesOf(loose.directMap);
        for (const [page, said] of pagesOf(own.directMap)) expect(direct.get(page)).to.equal(said);
        const store = must(openStore(':memory:'));
        const { report } = must(await importTrace(store, capture.tracePath, { name: 'bare', dump: loose }));
        expect(report).to.include({ divergences: 0, lost: 0 });
        store.close();
      });
    for (const folder of folders)
      it(`${basename(folder)}, with its page tables as debugfs prints them: followed to the same end`, async () => {
        const capture = must(openCapture(folder));
        const phase = capture.phases[0];
        if (phase === undefined) throw new Error(folder);
        const own = must(capture.dump(phase));
        const at = (name: string): LooseFile => {
          const path = join(folder, 'phases', '00-start', name);
          return { path, text: readFileSync(path, 'latin1') };
        };
        const base = own.directMap.find(({ phys }) => phys !== null);
        const text = [
          '---[ Low Kernel Mapping ]---',
          `${Address.toText(Address.of((base?.start.page ?? 0) - (base?.phys ?? 0)))}-${Address.toText(base?.start as Address)} 4K  pgd`,
          ...ptdumpOf(own.directMap),
          '---[ Modules ]---',
          ...ptdumpOf(own.executableArea),
        ].join('\n');
        const loose = must(looseDump([{ path: 'ptdump', text }, at('vmallocinfo.txt'), at('kallsyms.txt')]));
        expect(loose.problems).to.deep.equal([]);
        const store = must(openStore(':memory:'));
        const { report } = must(await importTrace(store, capture.tracePath, { name: 'bare', dump: loose }));
        expect(report).to.include({ divergences: 0, lost: 0 });
        const { moments } = must(conform(store, 'bare', folder));
        for (const { moment, differences } of moments) expect(differences, moment).to.deep.equal([]);
        expect(moments.length).to.be.above(0);
        const { judged } = must(auditTrace(must(logOn(store).trace('bare'))));
        // Neither bytes nor the dirty bit nor the frames of pages older than the trace were said.
        for (const id of ['I1', 'I2', 'F40']) {
          const verdict = judged.find(({ rule }) => rule.id === id)?.verdict;
          expect(verdict, id).to.be.oneOf(['unknown', 'broken']);
        }
        store.close();
      });
    if (folders.length === 0) it('(no recordings here)');
  });
});
