import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { openStore } from '../../../store/index.js';
import { openCapture } from '../../../traces/capture/capture.js';
import { readDump } from '../../../traces/capture/dump.js';
import { looseDump, type LooseFile } from '../../../traces/capture/looseDump.js';
import type { DumpedRange } from '../../../traces/capture/pagetable.js';
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
    expect(codeOf('---[ Modules ]---\n')).to.include('unfit-dump').and.include('which frames');
    expect(codeOf('ffffffffa0600000-ffffffffa0800000 0000000000200000 -r-\n')).to.include('unfit-dump');
  });

  it('say the lines that were not understood', () => {
    const dump = must(looseDump([{ path: 'tlb', text: `${TLB}nonsense\n` }]));
    expect(dump.problems).to.deep.equal(['tlb:2: not a line of info tlb: "nonsense"']);
  });

  it('are said to be left out where a folder has one that cannot be read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pagetrail-dump-'));
    writeFileSync(join(folder, 'page_tables.txt'), '---[ Modules ]---\n');
    const dump = must(readDump({ index: 0, name: 'start', folder }, 'start'));
    expect(dump.problems).to.deep.equal([
      'start/page_tables.txt: not read: page tables of debugfs do not say which frames they map',
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
    if (folders.length === 0) it('(no recordings here)');
  });
});
