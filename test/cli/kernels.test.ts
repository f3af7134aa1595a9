import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { place, type Place } from './run.js';

const ONE = fileURLToPath(new URL('../../../traces/bundled/workloads/one-program.json', import.meta.url));

const gradeIn = async (here: Place, ...more: readonly string[]): Promise<unknown> => {
  const { out } = await here.run(['simulate', ONE, '--json', ...more]);
  return (JSON.parse(out) as { grade: unknown }).grade;
};

describe('a kernel on the command line', function () {
  this.timeout(60_000);
  let here: Place;
  before(() => {
    here = place();
  });
  after(() => here.remove());

  it('is named by a version: the profile that covers it is taken, and what is not certain is said', async () => {
    const { code, out, err } = await here.run(['simulate', ONE, '--kernel', '6.7', '--name', 'inferred']);
    expect(code).to.equal(0);
    expect(out).to.match(/^kernel +6\.6 on x86_64/m);
    expect(out + err).to.include('note: 6.7 was not looked at: profile 6.6 rests on 6.6.9, 6.6.17');
  });

  it('has a grade, which is worse where a call failed or the kernel never existed', async () => {
    expect(await gradeIn(here, '--kernel', '6.1', '--name', 'a')).to.equal('recorded');
    expect(await gradeIn(here, '--kernel', '6.8', '--name', 'b')).to.equal('read in source');
    const fault = ['--fail', 'bpf_arch_text_copy:1=-EINVAL'];
    expect(await gradeIn(here, '--kernel', '6.1', '--name', 'c', ...fault)).to.equal('inferred');
    const forced = ['--arch', 's390x', '--pack', '--force'];
    expect(await gradeIn(here, '--kernel', '6.1', '--name', 'd', ...forced)).to.equal('inferred');
  });

  it('that no profile covers is refused with those before and after it', async () => {
    const { code, err } = await here.run(['simulate', ONE, '--kernel', '6.1.50']);
    expect(code).to.equal(2);
    expect(err).to.include('kernel 6.1.50 is not modelled');
    expect(err).to.match(/Near it: 6\.1\.0 \([^)]*\),\s+6\.1\s+\(/);
  });
});
