import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { place, type Place } from './run.js';

const S1 = fileURLToPath(new URL('../../../traces/bundled/workloads/S1-pack-basic.json', import.meta.url));

describe('pagetrail simulate --fail', function () {
  this.timeout(60_000);
  let here: Place;
  before(() => {
    here = place();
  });
  after(() => here.remove());

  it('makes calls fail, and says how often each did', async () => {
    const { code, out } = await here.run([
      'simulate',
      '--fail',
      'bpf_arch_text_copy:2=-EINVAL',
      S1,
      '--kernel',
      '6.1',
      '--fail',
      'kvmalloc:*@loaded8=-ENOMEM',
      '--json',
    ]);
    expect(code).to.equal(0);
    expect((JSON.parse(out) as { faults: unknown }).faults).to.deep.equal([
      { fault: 'bpf_arch_text_copy:2=-EINVAL', happened: 1 },
      { fault: 'kvmalloc:*@10=-ENOMEM', happened: 2 },
    ]);
  });

  it('is loud about a failure that never happened', async () => {
    const args = ['simulate', S1, '--kernel', '6.1', '--fail', 'set_memory_ro:2=-EINVAL', '--name', 'never'];
    const { code, out, err } = await here.run(args);
    expect(code).to.equal(4);
    expect(out).to.contain('set_memory_ro:2=-EINVAL, 0 times');
    expect(err).to.contain('warning: --fail set_memory_ro:2=-EINVAL never happened');
  });

  it('takes nothing that it does not understand', async () => {
    const { code, err } = await here.run(['simulate', S1, '--kernel', '6.1', '--fail', 'kvmaloc=-ENOMEM']);
    expect(code).to.equal(2);
    expect(err).to.equal(
      'pagetrail: kvmaloc cannot be made to fail (--fail kvmaloc=-ENOMEM). Did you mean kvmalloc?\n',
    );
    const file = here.put('w.json', '{}');
    expect((await here.run(['simulate', file, '--kernel', '6.1', '--fail', 'x'])).code).to.equal(2);
  });
});
