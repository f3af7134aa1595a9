import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { auditTrace } from '../../../replay/audit/audit.js';
import { probesOf } from '../../../replay/audit/probes.js';
import { openLog } from '../../../replay/log.js';
import { openStore } from '../../../store/index.js';
import { importTrace } from '../../../traces/import/import.js';
import { ABSENT, REFUSED } from '../../../traces/probes/told.js';
import { recording } from '../../cli/recording.js';
import { must } from '../../store/given.js';

const MARKER = '            sh-95      [001] .....     0.000001: tracing_mark_write: ';

/** The recording with markers before its first event; their number is added to the header's. */
const marked = (...markers: readonly string[]): string =>
  recording
    .replace('43/43', `${43 + markers.length}/${43 + markers.length}`)
    .replace(/^(?!#)/m, markers.map((text) => `${MARKER}${text}\n`).join(''));

describe('What a recording says of its probes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-told-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  let number = 0;
  const imported = async (text: string) => {
    const path = join(folder, 'trace.txt');
    writeFileSync(path, text);
    const file = join(folder, `${++number}.db`);
    const store = must(openStore(file));
    return { file, store, done: must(await importTrace(store, path, { name: 'told' })) };
  };

  it('is kept with the trace, for its audit', async () => {
    const { file, store, done } = await imported(
      marked(
        'pagetrail: probed vfree bpf_jit_free',
        'pagetrail: probed bpf_int_jit_compile',
        `pagetrail: probe vunmap_range: ${REFUSED}`,
        `pagetrail: probe set_memory_rox: ${ABSENT}`,
        'pagetrail: probes are fine',
      ),
    );
    const probes = {
      set: ['bpf_int_jit_compile', 'bpf_jit_free', 'vfree'],
      absent: ['set_memory_rox'],
      failed: ['vunmap_range'],
      missed: {},
    };
    expect(done.result.probes).to.deep.equal(probes);
    const trace = must(must(openLog(file)).trace('told'));
    expect(probesOf(trace)).to.deep.equal(probes);
    store.close();
  });

  it('is nothing where there is no such marker', async () => {
    const { store, done } = await imported(marked('pagetrail: hello'));
    expect(done.result.probes).to.equal(null);
    store.close();
  });

  it('counts the calls that a probe missed as lost', async () => {
    const { file, store, done } = await imported(marked('pagetrail: missed vfree 3'));
    expect(done.report.lost).to.equal(3);
    const trace = must(must(openLog(file)).trace('told'));
    expect(must(auditTrace(trace)).coverage.gaps.map(({ lost, why }) => `${lost}: ${why}`)).to.deep.equal([
      '3: the probe vfree missed 3 calls',
    ]);
    store.close();
  });
});
