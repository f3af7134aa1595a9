import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { place, type Place } from './run.js';

interface Report {
  readonly trace: string;
  readonly from: { readonly trace: string; readonly seq: number; readonly root: string };
  readonly kernel: string;
  readonly operations: { readonly begun: number; readonly after: number };
  readonly events: number;
  readonly root: string;
  readonly faults: readonly { readonly fault: string; readonly happened: number }[];
  readonly diff?: { readonly differences: number };
}

describe('pagetrail branch', function () {
  this.timeout(120_000);
  let here: Place;
  let root: string;
  before(async () => {
    here = place();
    const made = await here.run(['simulate', 'pack-basic', '--kernel', '6.1', '--name', 'A', '--json']);
    root = (JSON.parse(made.out) as Report).root;
  });
  after(() => here.remove());

  let n = 0;
  const branched = async (...args: readonly string[]): Promise<{ code: number; report: Report }> => {
    const { code, out, err } = await here.run(['branch', ...args, '--name', `b${++n}`, '--json']);
    if (out === '') throw new Error(err);
    return { code, report: JSON.parse(out) as Report };
  };
  const events = async (trace: string): Promise<string[]> =>
    (await here.run(['events', trace, '--jsonl'])).out.trimEnd().split('\n');

  it('without a change does the same, from any moment', async () => {
    for (const where of ['start', '#loaded8', '200', '301', 'end']) {
      const { code, report } = await branched(`A@${where}`, '--diff');
      expect(code, where).to.equal(0);
      expect(report.diff?.differences).to.equal(0);
    }
  });

  it('holds what was before the moment, and says where it left it', async () => {
    const { code, report } = await branched(
      'A@#loaded8',
      '--fail',
      'bpf_arch_text_invalidate=-EINVAL',
      '--diff',
    );
    expect(code).to.equal(1);
    expect(report.from).to.deep.equal({ trace: 'A', seq: 362, root });
    expect(report.faults).to.deep.equal([{ fault: 'bpf_arch_text_invalidate=-EINVAL', happened: 1 }]);
    const [was, is] = [await events('A'), await events(report.trace)];
    expect(is.slice(0, 362)).to.deep.equal(was.slice(0, 362));
    expect(is).to.not.deep.equal(was);
    const audited = await here.run(['audit', report.trace]);
    expect(audited.out).to.contain('chunks are given back although they could not be filled');
  });

  it('counts calls from the moment on, also in the middle of an operation', async () => {
    const { report } = await branched('A@200', '--fail', 'bpf_arch_text_copy:2=-EINVAL');
    const [was, is] = [await events('A'), await events(report.trace)];
    const first = is.findIndex((line, i) => line !== was[i]);
    const copies = was
      .slice(200, first + 1)
      .filter((line) => line.includes('"fn":"bpf_arch_text_copy"') && line.includes('"entered"'));
    expect(first).to.be.greaterThan(199);
    expect(copies).to.have.length(2);
  });

  it('can be branched from again, with its faults', async () => {
    const first = await branched('A@#loaded8', '--fail', 'kvmalloc=-ENOMEM');
    const second = await branched(`${first.report.trace}@end`, '--diff');
    expect(second.report.diff?.differences).to.equal(0);
    expect(second.report.events).to.equal(first.report.events);
  });

  it('leaves operations out and lets them change places, if they have not begun', async () => {
    const skipped = await branched('A@#loaded8', '--skip', '34');
    expect(skipped.report.operations).to.deep.include({ begun: 10, after: 27 });
    expect((await branched('A@#loaded8', '--swap', '11,12', '--diff')).code).to.equal(1);
    for (const [args, what] of [
      [['--skip', '2'], 'operation 2 has begun by then'],
      [['--skip', '99'], 'there is no operation 99'],
      [['--swap', '11,3'], 'operation 3 has begun by then'],
      [['--swap', '11'], 'are no two operations'],
      [['--skip', '11'], 'is still held'],
      [['--fail', 'kvmaloc=-ENOMEM'], 'cannot be made to fail'],
      [['--kernel', '9.9'], '9.9'],
    ] as const) {
      const { code, err } = await here.run(['branch', 'A@#loaded8', ...args, '--name', 'wrong']);
      expect(code, args.join(' ')).to.equal(2);
      expect(err).to.contain(what);
    }
  });

  it('goes on with another kernel from the next operation', async () => {
    const { report } = await branched('A@#loaded8', '--kernel', '6.12');
    expect(report.kernel).to.equal('6.12');
    const lines = await events(report.trace);
    expect(lines.slice(0, 362).join('\n')).to.not.contain('text_poke_copy_locked');
    expect(lines.slice(362).join('\n')).to.contain('text_poke_copy_locked');
  });

  it('goes on with other operations', async () => {
    const file = here.put(
      'rest.json',
      JSON.stringify({
        pagetrail_workload: 1,
        name: 'rest',
        operations: [{ op: 'close', slot: 0 }, { op: 'settle' }],
      }),
    );
    const { code, report } = await branched('A@#loaded8', '--workload', file);
    expect(code).to.equal(0);
    expect(report.operations).to.deep.include({ begun: 10, after: 2 });
  });

  it('is loud about a failure that never happened, and refuses what is no emulation', async () => {
    expect((await branched('A@#reused', '--fail', 'set_memory_ro=-EINVAL')).code).to.equal(4);
    expect((await here.run(['branch', 'nobody@end'])).code).to.equal(2);
  });

  it('from a recording does what was left to do, and comes to the same memory', async () => {
    const capture = fileURLToPath(
      new URL('../../../traces/bundled/x86_64-6.1-S1-pack-basic', import.meta.url),
    );
    expect((await here.run(['import', capture, '--name', 'R'])).code).to.equal(0);
    for (const where of ['#loaded8', '#freed3', '#reused']) {
      const { code, report } = await branched(`R@${where}`, '--workload', capture);
      expect(code).to.equal(0);
      const compared = await here.run(['diff', 'R@end', `${report.trace}@end`, '--json']);
      expect(compared.code, compared.out.slice(0, 400)).to.equal(0);
    }
    const calls = await branched('R@#loaded8', '--workload', capture, '--diff');
    expect([calls.code, calls.report.diff?.differences]).to.deep.equal([0, 0]);
    const back = await here.run(['diff', calls.report.trace, 'R', '--json']);
    expect(back.code).to.equal(0);
    expect((JSON.parse(back.out) as { compared: number }).compared).to.be.above(20);
    const failed = await branched('R@#freed3', '--workload', capture, '--fail', 'bpf_arch_text_copy=-EINVAL');
    expect(failed.report.faults).to.deep.equal([{ fault: 'bpf_arch_text_copy=-EINVAL', happened: 1 }]);
    expect((await here.run(['audit', failed.report.trace])).out).to.contain(
      'an image is given back with another size than it was given',
    );
    for (const [args, what] of [
      [['R@#loaded8'], 'is a recording'],
      [['R@start', '--workload', capture], 'no operation of the workload has begun'],
      [['R@#loaded8', '--workload', capture, '--skip', '12'], 'name operations of an emulation'],
      [[`${failed.report.trace}@end`], 'went on from a recording'],
    ] as const) {
      const { code, err } = await here.run(['branch', ...args, '--name', 'wrong']);
      expect(code).to.equal(2);
      expect(err).to.contain(what);
    }
  });
});
