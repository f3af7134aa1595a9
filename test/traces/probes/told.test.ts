import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { auditTrace } from '../../../replay/audit/audit.js';
import { openLog } from '../../../replay/log.js';
import { openStore } from '../../../store/index.js';
import { importTrace } from '../../../traces/import/import.js';
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

  it('is kept with the trace, and opens its audit', async () => {
    const { file, store, done } = await imported(
      marked('pagetrail: probe vunmap_range: the kernel refused the probe', 'pagetrail: probes are fine'),
    );
    const told = [{ fn: 'vunmap_range', why: 'the kernel refused the probe' }];
    expect(done.result.notProbed).to.deep.equal(told);
    expect(done.result.log.info.summary).to.deep.include({ not_probed: told });
    const trace = must(must(openLog(file)).trace('told'));
    expect(must(auditTrace(trace)).coverage.notProbed).to.deep.equal(told);
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
