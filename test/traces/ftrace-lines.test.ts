import { expect } from 'chai';
import type { CallLine, TraceEvent } from '../../traces/ftrace/line.js';
import { field, fields, readCall, readLine, readText } from './ftrace.js';

const HEAD = '        workload-85      [000] .....     7.342590: ';
const ENTRY = `${HEAD}bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=128 bpf_fill_ill_insns=0xffffffff8108be90`;

/** ` a0=1 a1=1 …` */
const many = (n: number): string => Array.from({ length: n }, (_, i) => ` a${i}=1`).join('');

/** The event with this head. */
const withHead = (head: string): TraceEvent =>
  readLine(`${head}vfree: (vfree+0x0/0x40) addr=0x0`) as TraceEvent;

/** The times of events printed with these. */
const times = (...stamps: string[]): readonly number[] =>
  readText(stamps.map((at) => `a-1 [000] ..... ${at}: x: y\n`).join('')).lines.map(
    (line) => (line as TraceEvent).time,
  );

/** The call with this after its place. */
const withFields = (body: string): CallLine => readCall(`${HEAD}f: (f+0x0/0x10)${body}`);

describe('A line of ftrace', () => {
  it('is read as a call where the body begins with a place', () => {
    const { signature, ...call } = readCall(ENTRY);
    expect(call).to.deep.equal({
      kind: 'call',
      line: 1,
      task: 'workload',
      pid: 85,
      cpu: 0,
      flags: '.....',
      time: 0,
      event: 'bpf_prog_pack_alloc',
      fn: 'bpf_prog_pack_alloc',
      isReturn: false,
      place: 'bpf_prog_pack_alloc+0x0/0x2d0',
      callee: '',
      hi: [0, 0xffffffff],
      lo: [128, 0x8108be90],
      texts: null,
    });
    expect(signature).to.deep.equal({
      id: 0,
      names: ['size', 'bpf_fill_ill_insns'],
      forms: ['decimal', 'hex'],
      text: [false, false],
    });
  });

  it('is a return where the place holds an arrow: caller, callee, and the function without _ret', () => {
    const call = readCall(`${HEAD}vfree_ret: (bpf_prog_pack_free+0x45/0x120 <- vfree.part.0) ret=0x0 n=-12`);
    expect(call).to.include({
      event: 'vfree_ret',
      fn: 'vfree',
      isReturn: true,
      place: 'bpf_prog_pack_free+0x45/0x120',
      callee: 'vfree.part.0',
    });
    expect(fields(call)).to.deep.equal({ ret: 0n, n: 0xfffffffffffffff4n });
  });

  it('keeps a place that the kernel could not name', () => {
    expect(readCall(`${HEAD}bpf_ksym_add_ret: ([unknown/kretprobe'd] <- bpf_ksym_add)`)).to.include({
      isReturn: true,
      place: "[unknown/kretprobe'd]",
      fn: 'bpf_ksym_add',
    });
    expect(readCall(`${HEAD}vfree: (0xffffffffc02010c8)`)).to.include({ place: '0xffffffffc02010c8' });
    expect(readCall(`${HEAD}x: (f+0x4/0x10 [bpf_testmod]) a=1`).place).to.equal('f+0x4/0x10 [bpf_testmod]');
  });

  it('keeps a function whose own name ends in _ret', () => {
    expect(readCall(`${HEAD}do_ret: (do_ret+0x0/0x10)`)).to.include({ fn: 'do_ret', isReturn: false });
  });

  it('is a marker, with its spaces', () => {
    const line = readLine(`${HEAD}tracing_mark_write:   op 1: (load) slot=0 `);
    expect(line).to.include({ kind: 'marker', text: '  op 1: (load) slot=0 ', flags: '.....' });
    expect(readLine(`${HEAD}tracing_mark_write: `)).to.include({ kind: 'marker', text: '' });
  });

  it('is a function line with the function tracer', () => {
    expect(readLine(`${HEAD}execmem_alloc <-bpf_jit_alloc_exec`)).to.deep.equal({
      kind: 'function',
      line: 1,
      task: 'workload',
      pid: 85,
      cpu: 0,
      flags: '.....',
      time: 0,
      callee: 'execmem_alloc',
      caller: 'bpf_jit_alloc_exec',
    });
  });

  it('is an event with its body as text where the body is no call', () => {
    const body = 'va_start: 18446744072637906944 size=8192 failed=0';
    expect(readLine(`${HEAD}alloc_vmap_area: ${body}`)).to.include({
      kind: 'event',
      event: 'alloc_vmap_area',
      body,
    });
    expect(readLine(`${HEAD}x: (f+0x0/0x1 size=1`)).to.include({ kind: 'event', body: '(f+0x0/0x1 size=1' });
    expect(readLine(`${HEAD}x: (f+0x0/0x1) and more`)).to.include({ kind: 'event' });
    expect(readLine(`${HEAD}x: () a=1`)).to.include({ kind: 'event' });
    expect(readLine(`${HEAD}sys_write(fd: 1, count: 5)`)).to.include({ kind: 'event', event: 'sys_write' });
    expect(readLine(`${HEAD}sys_write -> 0x5`)).to.include({ kind: 'event', event: 'sys_write' });
  });

  it('is no call with more fields than a probe can have', () => {
    expect(readLine(`${HEAD}x: (f+0x0/0x1)${many(128)}`)).to.include({ kind: 'call' });
    expect(readLine(`${HEAD}x: (f+0x0/0x1)${many(129)}`)).to.include({ kind: 'event' });
  });

  it('tells of lost events and of buffers that started late', () => {
    const { lines, reader } = readText(
      'CPU:1 [LOST 7 EVENTS]\nCPU:12 [LOST EVENTS]\n##### CPU 3 buffer started ####\n',
    );
    expect(lines).to.deep.equal([
      { kind: 'lost', line: 1, cpu: 1, count: 7 },
      { kind: 'lost', line: 2, cpu: 12, count: 0 },
      { kind: 'buffer-started', line: 3, cpu: 3 },
    ]);
    expect(reader.counts).to.include({ lines: 3, annotations: 3, events: 0, lost: 8 });
  });

  it('gives stack frames apart, behind the event that they belong to', () => {
    const seen: string[] = [];
    const text = `${HEAD}<stack trace>\n => kprobe_trace_func\n => 0xffffffffc02010c8\n${HEAD}<user stack trace>\n =>  <00007f>\n`;
    const { lines, reader } = readText(text, Infinity, {
      onStackFrame: (frame, line) => seen.push(`${line} ${frame}`),
    });
    expect(lines.map((line) => [line.kind, (line as { event?: string }).event])).to.deep.equal([
      ['event', '<stack trace>'],
      ['event', '<user stack trace>'],
    ]);
    expect(seen).to.deep.equal(['2 kprobe_trace_func', '3 0xffffffffc02010c8', '5 <00007f>']);
    expect(reader.counts).to.include({ lines: 5, events: 2, annotations: 3 });
  });
});

describe('The head of a line', () => {
  for (const task of [
    'kworker/0:2',
    'a b-c',
    '<...>',
    '[x]',
    '<idle>',
    'a-1 [000] ..',
    'a-1 [000] 1.0:',
    'x-5',
    ']:[',
    '-',
    '',
  ]) {
    it(`gives the task ${JSON.stringify(task)} as it is, whatever it holds`, () => {
      expect(withHead(`${task.padStart(16)}-51      [011] d..1.     7.342590: `)).to.include({
        task,
        pid: 51,
        cpu: 11,
        flags: 'd..1.',
      });
    });
  }

  it('needs no columns where the name allows it', () => {
    expect(withHead('workload-103 [001] ..... 48.178826: ')).to.include({
      task: 'workload',
      pid: 103,
      cpu: 1,
    });
    expect(withHead('a b-c-12 [001] ..... 48.178826: ')).to.include({ task: 'a b-c', pid: 12 });
    expect(withHead('[x]-5 [001] ..... 48.178826: ')).to.include({ task: '[x]', pid: 5 });
    expect(withHead('kworker/u8:0-flush-9 [0] . 1.000001: ')).to.include({
      task: 'kworker/u8:0-flush',
      cpu: 0,
    });
  });

  it('takes flags of any width, or none', () => {
    expect(withHead('        workload-77      [000] d.h2    8.466701: ')).to.include({
      flags: 'd.h2',
      kind: 'call',
    });
    expect(withHead('        workload-77      [000] d..1.b. 8.466701: ')).to.include({ flags: 'd..1.b.' });
    expect(withHead('        workload-77      [000]     8.466701: ')).to.include({ flags: '', pid: 77 });
    expect(withHead('        workload-77      [000] 8123: ')).to.include({ flags: '', pid: 77 });
  });

  it('passes over a column of thread group ids', () => {
    expect(withHead('        workload-77      (     77) [000] .....     8.466701: ')).to.include({
      pid: 77,
      cpu: 0,
    });
    expect(withHead('          <idle>-0       (-------) [001] d..2.     8.466701: ')).to.include({
      task: '<idle>',
      cpu: 1,
    });
    expect(withHead('workload-77 (  123) [000] ..... 8.466701: ')).to.include({ task: 'workload', pid: 77 });
  });

  it('decodes a name as UTF-8, by bytes in its column', () => {
    expect(withHead(`${' '.repeat(16 - 6)}zürï-9       [000] .....     1.000000: `)).to.include({
      task: 'zürï',
    });
  });
});

describe('The time of a line', () => {
  it('is in nanoseconds since the first event', () => {
    expect(times('6.228219', '6.228220', '7.228219')).to.deep.equal([0, 1000, 1e9]);
  });

  it('may be printed with nanoseconds, with any number of digits, or as a count', () => {
    expect(times('6.228219000', '6.228219001')).to.deep.equal([0, 1]);
    expect(times('6.5', '6.500001')).to.deep.equal([0, 1000]);
    expect(times('17', '18', '1000000018')).to.deep.equal([0, 1, 1000000001]);
  });

  it('stays exact far from zero', () => {
    expect(times('1754000000.000001', '1754000000.000002')).to.deep.equal([0, 1000]);
    expect(times('18446744073709551614', '18446744073709551615')).to.deep.equal([0, 1]);
    const { reader } = readText('a-1 [000] ..... 18446744073709551614: x: y\n');
    expect(reader.origin).to.equal(18446744073709551614n);
    expect(reader.timeDigits).to.equal(0);
  });

  it('is negative where the CPUs come out of order: nothing is sorted', () => {
    expect(times('6.000002', '6.000001', '6.000003')).to.deep.equal([0, -1000, 1000]);
  });

  it('leaves out lines further than 104 days from the first', () => {
    const { lines, reader } = readText('a-1 [000] . 1.000000: x: y\na-1 [000] . 99999999.000000: x: y\n');
    expect(lines).to.have.length(1);
    expect(reader.counts.skipped).to.deep.equal({ 'time out of range': 1 });
  });

  it('counts from the first line that is an event', () => {
    const { lines, reader } = readText('a-1 [000] . 1.000000: junk\na-1 [000] . 2.000000: x: y\n');
    expect(lines.map((line) => (line as TraceEvent).time)).to.deep.equal([0]);
    expect(reader.origin).to.equal(2_000_000_000n);
  });
});

describe('The values of a call', () => {
  it('are exact in 64 bits', () => {
    for (const digits of [
      '0',
      '1',
      '1234567',
      '12345678',
      '123456789',
      'ffffffffc0000640',
      '8000000000000000',
      'c008000000000100f'.slice(0, 16),
    ]) {
      expect(field(withFields(` a=0x${digits}`), 'a')).to.equal(BigInt(`0x${digits}`));
    }
    for (const n of [
      0n,
      1n,
      -1n,
      4294967296n,
      -4294967296n,
      999999999999999n,
      -999999999999999n,
      1n << 62n,
      -(1n << 63n),
      (1n << 64n) - 1n,
    ]) {
      expect(field(withFields(` a=${n}`), 'a')).to.equal(BigInt.asUintN(64, n));
    }
  });

  it('are text where they are no 64-bit number', () => {
    for (const text of [
      '(fault)',
      '{0x1,0x2}',
      "'c'",
      'cafe',
      '0x',
      '0x12345678901234567',
      '18446744073709551616',
      '1e5',
      'vfree+0x0/0x40',
      'f [mod]',
      '-',
      '5 (five)',
      '',
    ]) {
      const read = withFields(` a=${text} b=1`);
      expect(fields(read)).to.deep.equal({ a: text, b: 1n });
      expect(read.signature).to.deep.include({ text: [true, false], forms: ['bare', 'decimal'] });
      expect(read.texts).to.deep.equal([text, null]);
    }
  });

  it('are quoted up to a quote before the next name', () => {
    for (const text of [
      'bpf_prog_ffc7_p1',
      '',
      'two words',
      'a="b',
      'say "hi" twice',
      'C:\\',
      'x\\"y',
      "'",
      'ü',
    ]) {
      expect(fields(withFields(` a="${text}" b=0x1`))).to.deep.equal({ a: text, b: 1n });
      expect(fields(withFields(` b=0x1 a="${text}"`))).to.deep.equal({ a: text, b: 1n });
    }
    expect(fields(withFields(' a="open b=1'))).to.deep.equal({ a: '"open', b: 1n });
  });

  it('may be arrays of strings', () => {
    expect(fields(withFields(' a={"x y=","z"} b=1'))).to.deep.equal({ a: '{"x y=","z"}', b: 1n });
    expect(fields(withFields(' a={1,2 b=1'))).to.deep.equal({ a: '{1,2', b: 1n });
  });

  it('share their signature with calls of the same names and forms, in any event', () => {
    const { lines } = readText(
      [' a=1 b=0x2', ' a=3 b=0x4', ' b=0x4 a=3', ' a=1 b=(fault)', '']
        .map((body) => `${HEAD}f: (f+0x0/0x10)${body}\n`)
        .join('') + `${HEAD}g: (g+0x0/0x10) a=1 b=0x2\n`,
    );
    const signatures = lines.map((line) => (line as CallLine).signature);
    expect(signatures.map(({ id }) => id)).to.deep.equal([0, 0, 1, 2, 3, 0]);
    expect(signatures[5]).to.equal(signatures[0]);
    expect((lines[4] as CallLine).hi).to.deep.equal([]);
  });

  it('stand in objects of their own', () => {
    const { lines } = readText(`${ENTRY}\n${ENTRY}\n${ENTRY}\n`);
    const [, second, third] = lines as readonly CallLine[];
    expect(second).to.not.equal(third);
    expect(second?.hi).to.not.equal(third?.hi);
    expect(second?.lo).to.not.equal(third?.lo);
    expect({ ...third, line: 2 }).to.deep.equal(second);
  });
});
