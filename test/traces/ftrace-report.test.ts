import { expect } from 'chai';
import type { CallLine, EventLine, TraceLine } from '../../traces/ftrace/line.js';
import { fields, readText } from './ftrace.js';

/** The same moments of the 6.1 capture: what trace-cmd 3.1.6 printed of its trace.dat, and what the kernel printed (trace.txt). */
const REPORT = `cpus=2
        workload-85    [000]     6.817776: print:                tracing_mark_write: phase: start
        workload-85    [000]     7.342503: bpf_jit_binary_pack_alloc: (ffffffff811f6f70) proglen=88 image_ptr=0xffffc900003e3bc0 alignment=4
        workload-85    [000]     7.342574: bpf_jit_charge_modmem_ret: (ffffffff811f2c90 <- ffffffff811f6fcd) ret=0
        workload-85    [000]     7.342590: bpf_prog_pack_alloc:  (ffffffff811f29b0) size=128 bpf_fill_ill_insns=0xffffffff8108be90
        workload-85    [000]     7.344991: kernel_stack:         <stack trace >
=> kprobe_trace_func (ffffffff811e3d05)
=> ffffffffc02010c8
     kworker/0:2-51    [000]    11.477953: bpf_jit_free_ret:     (ffffffff8108ffc0 <- ffffffff810b7bd7)
        workload-85    [001]    11.960691: print:                tracing_mark_write: phase: end
`;
const KERNEL = `        workload-85      [000] .....     6.817776: tracing_mark_write: phase: start
        workload-85      [000] .....     7.342503: bpf_jit_binary_pack_alloc: (bpf_jit_binary_pack_alloc+0x0/0x150) proglen=88 image_ptr=0xffffc900003e3bc0 alignment=4
        workload-85      [000] .....     7.342574: bpf_jit_charge_modmem_ret: (bpf_jit_binary_pack_alloc+0x5d/0x150 <- bpf_jit_charge_modmem) ret=0
        workload-85      [000] .....     7.342590: bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=128 bpf_fill_ill_insns=0xffffffff8108be90
        workload-85      [000] .....     7.344991: <stack trace>
 => kprobe_trace_func
 => 0xffffffffc02010c8
     kworker/0:2-51      [000] .....    11.477953: bpf_jit_free_ret: (process_one_work+0x1c7/0x380 <- bpf_jit_free)
        workload-85      [001] .....    11.960691: tracing_mark_write: phase: end
`;

const calls = (text: string): readonly CallLine[] =>
  readText(text).lines.filter((line): line is CallLine => line.kind === 'call');

/** What both producers print of a line. */
function withoutPlace(line: TraceLine): object {
  const values = line.kind === 'call' ? { values: fields(line), signature: null, place: '', callee: '' } : {};
  return Object.assign({}, line, { line: 0, flags: '' }, values);
}

/** A line of task a-1 at the beginning. */
const line = (number: number, kind: string, rest: object): object =>
  Object.assign({ kind, line: number, task: 'a', pid: 1, cpu: 0, flags: '', time: 0 }, rest);

describe('The text of trace-cmd report', () => {
  it('gives the lines that the kernel itself prints, but for flags and symbols', () => {
    const [report, kernel] = [REPORT, KERNEL].map((text) => readText(text).lines.map(withoutPlace));
    expect(report).to.deep.equal(kernel);
  });

  it('is told by its first line, which is a header', () => {
    const { reader } = readText(REPORT);
    expect(reader.format).to.equal('trace-cmd report');
    expect(reader.counts).to.include({ lines: 10, headers: 1, annotations: 2, events: 7 });
    expect(readText(KERNEL).reader.format).to.equal('ftrace');
    expect(readText('version = 7\ncpus=4\nCPU 3 is empty\n').reader.counts).to.include({ headers: 3 });
  });

  it('has the function of a return first: it is turned round', () => {
    const returned = calls(REPORT).filter((call) => call.isReturn);
    expect(returned.map(({ place, callee, fn }) => [place, callee, fn])).to.deep.equal([
      ['ffffffff811f6fcd', 'ffffffff811f2c90', 'bpf_jit_charge_modmem'],
      ['ffffffff810b7bd7', 'ffffffff8108ffc0', 'bpf_jit_free'],
    ]);
    const symbols = 'a-1 [000] 1.000000: f_ret: (f <- g) ret=0\n';
    expect(calls(`cpus=1\n${symbols}`)[0]).to.include({ place: 'g', callee: 'f' });
    expect(calls(`cpus=1\n${symbols}${symbols}`)[1]).to.include({ place: 'g', callee: 'f' });
    expect(calls(`${symbols}cpus=1\n${symbols}`)[1]).to.include({ place: 'g', callee: 'f' });
    expect(calls(symbols)[0]).to.include({ place: 'f', callee: 'g' });
  });

  it('is turned round where its first line was cut off, too', () => {
    expect(calls(REPORT.replace('cpus=2', 'lost'))).to.deep.equal(calls(REPORT));
  });

  it('may have flags, nanoseconds or ticks', () => {
    const body = 'vfree:                (ffffffff8133cd10) addr=0xffffc90000045000';
    const read = (head: string): CallLine | undefined => calls(`cpus=2\nworkload-103 ${head} ${body}\n`)[0];
    expect(read('[001] .....    48.178826:')).to.include({ flags: '.....', pid: 103, cpu: 1 });
    expect(read('[001] d..1.    48.178826123:')).to.include({ flags: 'd..1.' });
    expect(read('[001]  6817775850:')).to.include({ flags: '' });
  });

  it('tells of dropped events', () => {
    const { lines, reader } = readText('cpus=8\nCPU:7 [204600 EVENTS DROPPED]\nCPU:6 [EVENTS DROPPED]\n');
    expect(lines).to.deep.equal([
      { kind: 'lost', line: 2, cpu: 7, count: 204600 },
      { kind: 'lost', line: 3, cpu: 6, count: 0 },
    ]);
    expect(reader.counts.lost).to.equal(204601);
  });

  it('prints functions, stacks and markers in its own way', () => {
    const head = 'a-1 [000] 1.000000:';
    const { lines } = readText(
      `cpus=1
${head} function:             do_mmap
${head} function:             do_mmap <-- vm_mmap_pgoff
${head} user_stack:           <user stack trace>
${head} bprint:               __schedule: Pick userspin:973:120
${head} print:                ffffffff811e3d05: phase: end
${head} print:                (odd) a=1
${head} sched_switch:         prev_comm=a ==> next_comm=b
`,
    );
    expect(lines).to.deep.equal([
      line(2, 'function', { callee: 'do_mmap', caller: '' }),
      line(3, 'function', { callee: 'do_mmap', caller: 'vm_mmap_pgoff' }),
      line(4, 'event', { event: '<user stack trace>', body: '' }),
      line(5, 'marker', { text: '__schedule: Pick userspin:973:120' }),
      line(6, 'marker', { text: 'phase: end' }),
      line(7, 'marker', { text: '(odd) a=1' }),
      line(8, 'event', { event: 'sched_switch', body: 'prev_comm=a ==> next_comm=b' }),
    ]);
  });

  it('leaves the event named function to ftrace where ftrace prints it', () => {
    const { lines } = readText('a-1 [000] 1.000000: function: x=1\n');
    expect((lines[0] as EventLine).kind).to.equal('event');
  });
});
