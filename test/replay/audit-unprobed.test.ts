/** The audit of recordings that lack probes: a rule holds only where the recording shows what it looks at, and nothing is found that is not so. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { auditTrace } from '../../replay/audit/audit.js';
import type { AuditReport } from '../../replay/audit/report.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import { captureUnprobed, linesOf } from '../traces/damage.js';
import { imported, newDesk, recordingsOf, type Desk } from '../traces/recordings.js';

/** Rules of which something is unknown when functions were not probed on a kernel. */
const LACKING: readonly (readonly [
  kernel: RegExp,
  functions: readonly string[],
  rules: readonly string[],
])[] = [
  [/^6\.1-S3$/, ['bpf_ksym_del'], ['I17']],
  [/^6\.1-S3$/, ['bpf_arch_text_invalidate', 'text_poke_set', '__text_poke'], ['I1', 'I7', 'I16', 'I21']],
  [/^6\.1-S3$/, ['bpf_jit_charge_modmem'], ['I6']],
  [/^6\.1-S3$/, ['set_memory_ro'], ['I7', 'I13']],
  [/^6\.1-S3$/, ['set_direct_map_default_noflush'], ['I7']],
  [/^5\.10-S1$/, ['cpa_flush', 'flush_tlb_kernel_range'], ['I8']],
  [/^5\.10-S1$/, ['vfree', 'remove_vm_area', 'module_memfree'], ['I3', 'I5', 'I20']],
  [
    /^6\.12-S1$/,
    ['set_memory_rox', 'change_page_attr_set_clr', '__change_page_attr_set_clr'],
    ['I2', 'I14', 'I22', 'F40', 'I11', 'F28', 'F39'],
  ],
  [/^7\.2-S1$/, ['__purge_vmap_area_lazy', '_vm_unmap_aliases'], ['I20']],
];

/** What a module loader does on 5.10, as a recording shows it: the calls of the JIT without the JIT. */
const OF_BPF = [
  'bpf_int_jit_compile',
  'bpf_jit_binary_alloc',
  'bpf_jit_alloc_exec',
  'bpf_jit_charge_modmem',
  'bpf_jit_blind_constants',
  'bpf_prog_kallsyms_add',
  'bpf_ksym_add',
  'bpf_ksym_del',
  'bpf_jit_free',
  'bpf_jit_free_exec',
];

const patternsOf = ({ patterns }: AuditReport): string[] =>
  patterns.map(({ rule, pattern }) => `${rule} ${pattern}`);

const verdict = (report: AuditReport, id: string) => report.judged.find(({ rule }) => rule.id === id);

describe('the audit of a recording that lacks probes', function () {
  this.timeout(120_000);
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  const audited = async (path: string): Promise<AuditReport> => {
    const store = desk.store();
    await imported(store, path, { name: path });
    const report = must(auditTrace(must(logOn(store).trace(path))));
    store.close();
    return report;
  };

  for (const [kernel, functions, rules] of LACKING)
    for (const folder of recordingsOf(kernel))
      it(`${kernel.source} without ${functions.join(', ')}: ${rules.join(', ')} not known to hold, and nothing false is found`, async () => {
        const whole = new Set(patternsOf(await audited(folder)));
        const { folder: to } = desk;
        const report = await audited(captureUnprobed(folder, functions, join(to, functions.join('+'))));
        expect(patternsOf(report).filter((one) => !whole.has(one))).to.deep.equal([]);
        for (const id of rules) {
          const one = verdict(report, id);
          if (one?.verdict !== 'broken') expect(one?.verdict, id).to.equal('unknown');
          expect(one?.reasons.join(), id).to.match(/was (?:not )?probed/);
        }
      });

  for (const folder of recordingsOf(/^6\.1-S3$/))
    it('a patch of live code is no overwriting, also where the call that patches was not probed', async () => {
      const report = await audited(captureUnprobed(folder, ['text_poke_bp'], join(desk.folder, 'poke')));
      expect(patternsOf(report).filter((one) => one.startsWith('I17'))).to.deep.equal([]);
    });

  for (const folder of recordingsOf(/^5\.10-S1$/))
    it('what a module loader stores leaves no line: its pages are unknown, no leftovers, and go back as they should', async () => {
      const report = await audited(captureUnprobed(folder, OF_BPF, join(desk.folder, 'modules')));
      expect(patternsOf(report)).to.deep.equal(['F40 a read-only page has the dirty bit set']);
      expect(verdict(report, 'I1')?.verdict).to.equal('unknown');
      expect(verdict(report, 'I1')?.why.join()).to.include(
        'what others store in memory that they asked for leaves no line',
      );
      expect(verdict(report, 'I3')).to.include({ verdict: 'holds', checks: 10 });
    });

  for (const folder of recordingsOf(/^6\.1-S1$/))
    it('a bare trace does not say what was probed: what it shows no line of is unknown', async () => {
      const path = join(desk.folder, 'bare.txt');
      writeFileSync(path, linesOf(folder).join('\n'), 'latin1');
      const report = await audited(path);
      expect(verdict(report, 'I8')?.why.join()).to.include('does not say what was probed');
      expect(report.judged.filter((one) => one.verdict === 'holds' && one.checks === 0)).to.deep.equal([]);
    });

  for (const folder of recordingsOf(/^7\.2-S4$/))
    it('a function is seen by the name that its events have, whatever the symbol was called', async () => {
      const { coverage } = await audited(folder);
      expect(coverage.neverSeen).to.not.include('__vmalloc_node_range_noprof');
    });
});
