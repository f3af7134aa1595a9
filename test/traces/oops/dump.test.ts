import { expect } from 'chai';
import { consoleLines } from '../../../traces/oops/console.js';
import { ftraceDump, traceLine, type FtraceDump } from '../../../traces/oops/dump.js';
import { readConsole } from '../../../traces/oops/read.js';
import { readLine, readText } from '../ftrace.js';
import { oopsText } from './fixtures.js';
import { bundledTrace } from './scenarios.js';

const dumpOf = (text: string): FtraceDump | null => ftraceDump(consoleLines(text));
const RULE = '---------------------------------';

describe('a line of a dumped trace', () => {
  it('becomes one of the trace file', () => {
    const text = traceLine(
      'workload-85        0..... 7341731us : bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000',
    );
    expect(text).to.equal(
      '        workload-85      [000] .....     7.341731: bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000',
    );
    expect(readLine(text as string)).to.include({
      kind: 'call',
      task: 'workload',
      pid: 85,
      cpu: 0,
      flags: '.....',
    });
  });

  for (const [what, line, cpu, flags] of [
    ['with few digits', '  <idle>-0         3dN.2   14us : sched_wakeup: comm=a', 3, 'dN.2'],
    ['with a mark of delay', 'kworker/-51      12d..1. 46us!: vfree: (vfree+0x0/0x30) addr=0x1', 12, 'd..1.'],
    [
      'with spaces in the name',
      ' a b-c d-51       0.N... 46us+: vfree: (vfree+0x0/0x30) addr=0x1',
      0,
      '.N...',
    ],
  ] as const)
    it(`${what} is read`, () => {
      expect(readLine(traceLine(line) as string)).to.include({ cpu, flags });
    });

  it('of a clock that counts has no unit', () => {
    const text = traceLine('workload-85        0.....   4711: vfree: (vfree+0x0/0x30) addr=0x1');
    expect(readLine(text as string)).to.include({ kind: 'call', cpu: 0 });
    expect(text).to.include(' 4711: vfree');
  });

  it('in the verbose form (trace_options verbose) is read', () => {
    const text = traceLine(
      '        workload      85   0 0 00000000 00000017 [0070067d] 7341.731ms (+0.012ms): bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000',
    );
    expect(text).to.equal(
      '        workload-85      [000] .....     7.341731: bpf_jit_free: (bpf_jit_free+0x0/0x90) prog=0xffffc90000045000',
    );
    expect(
      traceLine(
        '     kworker/0:1      14  12 1 00000002 00000001 [00000007] 0.007ms (+1.250ms): vfree: (vfree+0x0/0x30) addr=0x1',
      ),
    ).to.include('[012] .....     0.000007: vfree');
    expect(
      traceLine(
        '     a b c      14   1 1 00000002 00000001 [0000000000001267] 4711 (+3): vfree: (vfree+0x0/0x30) addr=0x1',
      ),
    ).to.include(' 4711: vfree');
  });

  it('that is none is refused', () => {
    expect(traceLine('e1000 0000:00:03.0 eth0: Reset adapter')).to.equal(null);
    expect(traceLine('workload-85 [000] ..... 7.341731: vfree: x')).to.equal(null);
    expect(traceLine(' => do_syscall_64')).to.equal(' => do_syscall_64');
  });
});

/** Calls as texts: who, when, what. */
const callsIn = (text: string): readonly string[] =>
  readText(text).lines.flatMap((line) =>
    line.kind === 'call' ? [`${line.pid} ${line.time} ${line.event} ${line.place} ${line.lo.join()}`] : [],
  );

describe('a dumped trace', () => {
  it('holds the lines of the recording it was made of', () => {
    const dump = readConsole(oopsText('x86-console-with-ftrace-dump')).dump as FtraceDump;
    expect(dump).to.include({ complete: true, empty: false });
    expect(dump.foreign).to.have.length(1);
    const recorded = callsIn(bundledTrace('x86_64-5.18-rc5-S1-pack-basic'));
    const dumped = callsIn(dump.text);
    expect(dumped).to.have.length.above(200);
    expect(dumped).to.deep.equal(recorded.slice(0, dumped.length));
  });

  it('in the verbose form holds the same', () => {
    const text = oopsText('x86-console-with-ftrace-dump');
    let number = 0;
    const verbose = text.replaceAll(
      /(\S+)-(\d+) +(\d+)[dDbX.][A-Za-z.][A-Za-z.][0-9a-f.]{0,4} +(\d+)us[ $@*#!+]?: /g,
      (_, task: string, pid: string, cpu: string, time: string) =>
        `${task.padStart(16)} ${pid.padStart(7)} ${cpu.padStart(3)} 0 00000000 ${(number++).toString(16).padStart(8, '0')} [${Number(time).toString(16).padStart(8, '0')}] ${Math.floor(Number(time) / 1000)}.${time.slice(-3).padStart(3, '0')}ms (+0.001ms): `,
    );
    expect(number).to.be.above(200);
    const [plain, said] = [text, verbose].map((one) => readConsole(one).dump as FtraceDump);
    expect(said).to.include({ complete: true, events: plain?.events });
    expect(callsIn(said?.text ?? '')).to.deep.equal(callsIn(plain?.text ?? ''));
  });

  it('that is cut has lost its end', () => {
    const dump = dumpOf(
      `Dumping ftrace buffer:\n${RULE}\n  a-1  0..... 1us : vfree: (vfree+0x0/0x30) addr=0x1\nCR2: 0\n`,
    );
    expect(dump).to.include({ complete: false, events: 1 });
    expect(dump?.foreign).to.deep.equal([]);
    expect(readText(dump?.text ?? '').lines.at(-1)).to.include({ kind: 'lost', count: 0 });
  });

  it('tells of lines that the console dropped', () => {
    const line = '  a-1  0..... 1us : vfree: (vfree+0x0/0x30) addr=0x1';
    const dump = dumpOf(
      ['Dumping ftrace buffer:', RULE, line, '** 17 printk messages dropped **', line, RULE].join('\n'),
    );
    expect(readText(dump?.text ?? '').lines.map(({ kind }) => kind)).to.deep.equal(['call', 'lost', 'call']);
  });

  it('that is empty says so', () => {
    expect(dumpOf('[   46.1] Dumping ftrace buffer:\n[   46.1]    (ftrace buffer empty)\n')).to.include({
      empty: true,
      events: 0,
      complete: true,
    });
  });

  it('of another instance is not taken for the main one', () => {
    expect(dumpOf(`Dumping ftrace instance foo buffer:\n${RULE}\n${RULE}\n`)).to.equal(null);
  });
});
