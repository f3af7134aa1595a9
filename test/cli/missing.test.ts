import { mkdtempSync } from 'node:fs';
import { expect } from 'chai';
import { bundledRecording } from '../../traces/bundledRecordings.js';
import { captureWith, linesOf } from '../traces/damage.js';
import { recording } from './recording.js';
import { place, type Place } from './run.js';

const COUNTED = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/m;

/** The recording under a header that counts other events than it has. */
const counting = (text: string, more: number): string =>
  text.replace(
    COUNTED,
    (_, inBuffer: string, written: string) =>
      `# entries-in-buffer/entries-written: ${Number(inBuffer) + more}/${Number(written) + more}`,
  );

interface Audited {
  readonly rules: readonly { readonly verdict: string; readonly why: readonly string[] }[];
}

describe('A recording whose header counts other events than it has', () => {
  let at: Place;
  before(async () => {
    at = place();
    for (const [name, more] of [
      ['whole', 0],
      ['fewer', 3],
      ['more', -2],
    ] as const) {
      at.put(`${name}.txt`, counting(recording, more));
      await at.run(['import', `${name}.txt`]);
    }
  });
  after(() => at.remove());

  const lostOf = async (name: string): Promise<unknown> => {
    const { out } = await at.run(['traces', '--json']);
    const { traces } = JSON.parse(out) as { readonly traces: readonly Record<string, unknown>[] };
    return traces.find((trace) => trace['trace'] === name)?.['lost'];
  };

  const auditOf = async (moment: string): Promise<{ readonly code: number } & Audited> => {
    const { code, out } = await at.run(['audit', moment, '--json']);
    return { code, ...(JSON.parse(out) as Audited) };
  };

  it('has lost events: how many where it says so, one at least where it has too many', async () => {
    expect(await lostOf('whole')).to.equal(0);
    expect(await lostOf('fewer')).to.equal(3);
    expect(await lostOf('more')).to.equal(1);
  });

  it('is audited as incomplete from its first event on', async () => {
    const whole = await auditOf('whole@#loaded');
    const held = whole.rules.filter(({ verdict }) => verdict === 'holds').length;
    expect(held, 'rules that hold').to.be.above(0);
    for (const name of ['fewer', 'more']) {
      const { code, rules } = await auditOf(`${name}@#loaded`);
      expect(code, name).to.equal(4);
      expect(rules.filter(({ verdict }) => verdict === 'holds')).to.deep.equal([]);
      const unknown = rules.filter(({ verdict }) => verdict === 'unknown');
      expect(unknown.length).to.be.at.least(held);
      for (const { why } of unknown)
        expect(why.join()).to.match(/lines are missing somewhere: the header counts \d+ events/);
    }
  });

  it('neither conforms nor has equal moments for certain', async () => {
    const folder = bundledRecording('x86_64-6.1-S1-pack-basic');
    const text = linesOf(folder).join('\n');
    for (const [name, more, expected] of [
      ['conforms', 0, 0],
      ['more than counted', -2, 4],
    ] as const) {
      const { code } = await at.run([
        'import',
        captureWith(folder, counting(text, more).split('\n'), mkdtempSync(at.path('copy-'))),
        '--name',
        name,
      ]);
      expect(code).to.equal(0);
      expect((await at.run(['conform', name, folder])).code, name).to.equal(expected);
      expect((await at.run(['diff', `${name}@#loaded8`, `${name}@#loaded8`])).code, name).to.equal(expected);
    }
  });
});
