import { expect } from 'chai';
import { oopsPath, oopsText } from '../traces/oops/fixtures.js';
import { bundledTrace } from '../traces/oops/scenarios.js';
import { bundledRecording } from '../../traces/bundledRecordings.js';
import { place, type Place } from './run.js';

const RC5 = 'x86_64-5.18-rc5-S1-pack-basic';

describe('pagetrail postmortem', () => {
  let here: Place;
  beforeEach(() => {
    here = place();
  });
  afterEach(() => {
    here.remove();
  });

  it('explains a console log alone by the trace dumped in it, and leaves nothing behind', async () => {
    const ran = await here.run(['postmortem', oopsPath('x86-console-with-ftrace-dump'), '--json']);
    expect(ran).to.include({ code: 1, err: '' });
    const said = JSON.parse(ran.out) as {
      verdict: string;
      explanations: { id: string; fit: string; evidence: { verdict: string; events: number[] }[] }[];
      oops: { address: string; access: string; pc: { address: string } };
      traced: { trace: string; profile: string; place: { space: string } };
    };
    expect(said.verdict).to.equal('explained');
    expect(said.explanations[0]).to.include({ id: 'F2', fit: 'fits' });
    expect(said.oops).to.include({ address: '0x0000000000000024', access: 'read' });
    expect(said.oops.pc.address).to.equal('0xffffffffa02031d2');
    expect(said.traced).to.include({ trace: 'dump', profile: '5.18-rc5' });
    expect(await here.run(['traces'])).to.include({ code: 2 });
  });

  it('keeps the dumped trace under a name', async () => {
    const ran = await here.run(['postmortem', '-', '--name', 'crash'], {
      stdin: oopsText('x86-console-with-ftrace-dump'),
    });
    expect(ran.code).to.equal(1);
    expect(ran.out).to.match(/1\. F2: the code of a freed program stays executable\n\s+fits/);
    expect((await here.run(['traces'])).out).to.match(/^crash /m);
    expect((await here.run(['why', '0xffffffffa02031d2', 'crash'])).code).to.equal(0);
  });

  it('takes a trace of the log, a moment in it, a trace file or a capture folder', async () => {
    const oops = oopsPath('x86-fetch-freed-program');
    expect((await here.run(['import', bundledRecording(RC5), '--name', 'host'])).code).to.equal(0);
    const file = here.put('trace.txt', bundledTrace(RC5));
    for (const trace of ['host', file, bundledRecording(RC5)]) {
      const ran = await here.run(['postmortem', oops, trace]);
      expect(ran).to.include({ code: 1, err: '' });
      expect(ran.out).to.match(/1\. an instruction fetch in a program that had been freed/);
    }
    const earlier = await here.run(['postmortem', oops, 'host@#loaded8', '--json']);
    const said = JSON.parse(earlier.out) as {
      explanations: unknown[];
      compared: { equal: boolean }[];
      traced: { seq: number };
    };
    expect(said.traced.seq).to.equal(340);
    expect(said.compared[0]?.equal).to.equal(false);
    expect(said.explanations).to.deep.equal([]);
  });

  it('says that too little is known where there is no trace', async () => {
    const ran = await here.run(['postmortem', oopsPath('x86-fetch-freed-program')]);
    expect(ran).to.include({ code: 4, err: '' });
    expect(ran.out).to.include('there is no trace: what happened before is not known');
    expect(ran.out).to.include('this text holds no dumped trace: name a trace for more');
  });

  it('says that too little is known after lost events', async () => {
    const lost = here.put(
      'trace.txt',
      `${bundledTrace(RC5).split('phase: freed3')[0]}phase: freed3\nCPU:0 [LOST 12 EVENTS]\n`,
    );
    const ran = await here.run(['postmortem', oopsPath('x86-leftover-code-of-freed-program'), lost]);
    expect(ran.code).to.equal(4);
    expect(ran.out).to.match(/1\. F2: .*\n\s+possible/);
    expect(ran.out).to.match(/Not known\n[^]*events were lost at event/);
  });

  it('refuses what it cannot use, in one line', async () => {
    const text = here.put('boot.txt', '[    1.000000] all is well\n');
    const oops = oopsPath('x86-fetch-freed-program');
    await here.run(['import', bundledRecording(RC5), '--name', 'host']);
    for (const [args, says] of [
      [['postmortem', text], /there is no oops in this text/],
      [['postmortem', here.path('nothing.txt')], /there is no such file/],
      [['postmortem', oops, 'nowhere'], /nowhere/],
      [['postmortem', oops, 'host', '--name', 'x'], /--name goes with the trace dumped in the text/],
      [['postmortem', oops, '--name', 'x'], /holds no dumped trace/],
      [['postmortem', oops, '--nth', '2'], /there is no oops 2/],
      [['postmortem', oops, '--nth', '0'], /nth is not at least 1/],
      [['postmortem', oopsPath('arm64-nx-fetch'), 'host'], /the oops is of arm64, trace host of x86_64/],
    ] as const) {
      const ran = await here.run(args);
      expect(ran, args.join(' ')).to.include({ code: 2, out: '' });
      expect(ran.err).to.match(says);
      expect(ran.err.trimEnd().split('\n')).to.have.length(1);
    }
  });
});
