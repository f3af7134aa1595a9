import { expect } from 'chai';
import * as fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Counts } from '../../traces/ftrace/counts.js';
import type { EventLine } from '../../traces/ftrace/line.js';
import { FtraceReader } from '../../traces/ftrace/reader.js';
import { type ReadTrace, readText } from './ftrace.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const HEADER = `# tracer: nop
#
# entries-in-buffer/entries-written: 9/12   #P:2
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`;
const EVENTS = `        workload-85      [000] .....     7.342574: bpf_jit_charge_modmem_ret: (bpf_jit_binary_pack_alloc+0x5d/0x150 <- bpf_jit_charge_modmem) ret=0
        workload-85      [000] .....     7.342590: bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=128 bpf_fill_ill_insns=0xffffffff8108be90
        workload-85      [000] .....     7.344991: <stack trace>
 => kprobe_trace_func
 => bpf_prog_pack_alloc
##### CPU 1 buffer started ####
        workload-85      [000] d..1.     7.344992: bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=128 bpf_fill_ill_insns=(fault)
        workload-85      [000] .....     7.344993: bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=-1 bpf_fill_ill_insns=0x0
CPU:1 [LOST 3 EVENTS]
     kworker/0:2-51      [001] .....     7.345000: bpf_ksym_del: (bpf_ksym_del+0x0/0xa0) ksym=0xffff888003df48d0 name="a b=c"
     kworker/0:2-51      [001] .....     7.345001: bpf_ksym_del: (bpf_ksym_del+0x0/0xa0) ksym=0xffff888003df48d0 name="é"
        workload-85      [000] .....     7.345002: tracing_mark_write: phase: end
        workload-85      [000] .....     7.345003: vfree <-bpf_prog_free
`;
const SAMPLE = HEADER + EVENTS;

const result = ({ lines, reader }: ReadTrace): unknown => ({
  lines,
  counts: reader.counts,
  origin: reader.origin,
  digits: reader.timeDigits,
  format: reader.format,
  cutShort: reader.cutShort,
});

function expectComplete(counts: Counts): void {
  const skipped = Object.values(counts.skipped).reduce((sum, n) => sum + n, 0);
  expect(counts.lines).to.equal(counts.events + counts.annotations + counts.headers + skipped);
}

/** A line unlike all others. */
const another = (i: number): string =>
  `t${i}-${i} [000] . 1.000000: e${i}: (s${i}+0x0/0x1 <- c${i}) n${i % 1000}=1\n`;

const lineCount = (bytes: Buffer): number =>
  bytes.toString('latin1').split('\n').length - (bytes.length === 0 || bytes.at(-1) === 10 ? 1 : 0);

/** Events that begin alike and end otherwise. */
const ALIKE = SAMPLE.split('\n')
  .flatMap((line) => [
    line,
    `${line} `,
    `${line}x`,
    `${line} x`,
    `${line} c=1`,
    line.slice(0, -2),
    line.slice(0, 110),
  ])
  .filter((line) => readText(line).reader.counts.events === 1);

describe('The reader of ftrace text', () => {
  it('accounts for every line', () => {
    const { lines, reader } = readText(SAMPLE);
    expect(reader.counts).to.deep.equal({
      lines: 19,
      events: 9,
      annotations: 4,
      headers: 6,
      skipped: {},
      lost: 3,
      entriesInBuffer: 9,
      entriesWritten: 12,
    });
    expect(lines.map(({ line }) => line)).to.deep.equal([7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(reader.origin).to.equal(7_342_574_000n);
    expect(reader.cutShort).to.equal(false);
  });

  it('says why lines were left out, and which', () => {
    const seen: string[] = [];
    const junk = [
      '',
      '   ',
      'hello',
      'a-1 [000] . 1.000000: ',
      'a-1 [000] . 1.000000: cut',
      'a\0b',
      'a-1 [000]',
      '{}',
    ];
    const { reader } = readText(junk.join('\n') + '\n', Infinity, {
      onSkipped: (why, line) => seen.push(`${line} ${why}`),
    });
    expect(reader.counts.skipped).to.deep.equal({
      'blank line': 2,
      'not a trace line': 3,
      'no event name': 2,
      'NUL bytes': 1,
    });
    expect(seen).to.include.members(['1 blank line', '3 not a trace line', '5 no event name', '6 NUL bytes']);
    expectComplete(reader.counts);
  });

  it('reads CR LF as LF, and a last line without an end', () => {
    const crlf = readText(SAMPLE.replaceAll('\n', '\r\n'));
    expect(result(crlf)).to.deep.equal(result(readText(SAMPLE)));
    const open = readText(SAMPLE.trimEnd());
    expect(open.lines).to.deep.equal(readText(SAMPLE).lines);
    expect(open.reader.cutShort).to.equal(true);
  });

  it('reads nothing from nothing', () => {
    const { lines, reader } = readText('');
    expect(lines).to.deep.equal([]);
    expect(reader.counts).to.include({ lines: 0, entriesInBuffer: null });
    expect(reader.origin).to.equal(0n);
  });

  it('adds up the headers of traces put one after the other', () => {
    expect(readText(SAMPLE + SAMPLE).reader.counts).to.include({
      entriesInBuffer: 18,
      entriesWritten: 24,
      events: 18,
    });
  });

  it('leaves out lines that are too long, wherever chunks are cut', () => {
    const long = `${'a'.repeat(70)}\n`;
    const text = `${long}a-1 [000] . 1.000000: x: y\n${long}${'b'.repeat(64)}\n${'c'.repeat(65)}`;
    for (const size of [1, 7, 63, 64, 65, 71, 100, Infinity]) {
      const { lines, reader } = readText(text, size, { longestLine: 64 });
      expect(lines.map(({ line }) => line)).to.deep.equal([2]);
      expect(reader.counts.skipped).to.deep.equal({ 'line too long': 3, 'not a trace line': 1 });
      expect(reader.counts.lines).to.equal(5);
    }
  });

  it('passes over a line of 1 GB in bounded memory', function () {
    this.timeout(60_000);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const lines: unknown[] = [];
    const reader = new FtraceReader((line) => lines.push(line));
    reader.push(Buffer.from('a-1 [000] . 1.000000: x: y\n'));
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    for (let i = 0; i < 1024; i++) reader.push(chunk);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - arrayBuffers).to.be.below(8e6);
    expect(after.heapUsed - heapUsed).to.be.below(64e6);
    reader.push(Buffer.from('\na-1 [000] . 2.000000: x: y\n'));
    reader.end();
    expect(lines).to.have.length(2);
    expect(lines[1]).to.include({ line: 3, time: 1e9 });
    expect(reader.counts.skipped).to.deep.equal({ 'line too long': 1 });
  });

  it('takes time in proportion to the line, whatever stands in it', function () {
    this.timeout(60_000);
    const half = 500_000;
    const head = 'a-1 [000] . 1.000000: x: ';
    for (const nasty of [
      '[0',
      ' [0] ',
      '-1 [0] ',
      ' ',
      '"',
      '" ',
      '(',
      '{ ',
      ' a',
      '=',
      ' <',
      ')',
      '0',
      '-1 (',
    ]) {
      for (const before of [
        '',
        head,
        `${head}(f+0x0/0x1) a=`,
        `${head}(f+0x0/0x1) a="`,
        `${head}(f+0x0/0x1) a={`,
      ]) {
        const text = before + nasty.repeat(half / nasty.length) + '\n';
        // A reader that went back over a line would take minutes: mocha's limit would end it.
        readText(text);
      }
    }
  });

  it('holds a bounded number of texts, however many different ones come', function () {
    this.timeout(60_000);
    const reader = new FtraceReader(() => {});
    const push = (from: number, to: number): void => {
      for (let i = from; i < to; i++) reader.push(Buffer.from(another(i)));
      gc();
    };
    push(0, 50_000);
    const { heapUsed, external } = process.memoryUsage();
    push(50_000, 150_000);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - heapUsed - external).to.be.below(40e6);
    expect(reader.counts.events).to.equal(150_000);
  });

  it('keeps a call as text when there are more sets of names than any probes have', () => {
    const reader = new FtraceReader((line) => kinds.push(line.kind));
    const kinds: string[] = [];
    for (let i = 0; i <= 65_536; i++) reader.push(Buffer.from(`a-1 [000] . 1.0: f: (f+0x0/0x1) n${i}=1\n`));
    expect([kinds.at(-2), kinds.at(-1)]).to.deep.equal(['call', 'event']);
    reader.push(Buffer.from('a-1 [000] . 1.0: f: (f+0x0/0x1) n7=1\n'));
    expect(kinds.at(-1)).to.equal('call');
  });

  it('gives the same for any cut into chunks', () => {
    for (const size of [1, 7, 100]) {
      expect(result(readText(SAMPLE, size))).to.deep.equal(result(readText(SAMPLE)));
    }
  });

  const soup = fc
    .array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.constantFrom(...SAMPLE.split('\n')).map((line) => Buffer.from(line + '\n')),
        },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom('cpus=2\n', '\r\n', '\n', '#', ' => ', '\0', 'CPU:')
            .map((t) => Buffer.from(t)),
        },
      ),
      { maxLength: 30 },
    )
    .map((parts) => Buffer.concat(parts));

  it('gives the same for any cut of anything, and accounts for every line of it', () => {
    fc.assert(
      fc.property(soup, fc.integer({ min: 1, max: 200 }), fc.boolean(), (bytes, size, short) => {
        const options = short ? { longestLine: 100 } : {};
        const whole = readText(bytes, Infinity, options);
        for (const cut of [1, 7, 100, size]) {
          expect(result(readText(bytes, cut, options))).to.deep.equal(result(whole));
        }
        expectComplete(whole.reader.counts);
        expect(whole.reader.counts.lines).to.equal(lineCount(bytes));
      }),
      { numRuns: 150 },
    );
  });

  it('loses no other line to garbage between lines', () => {
    const noise = fc.uint8Array({ maxLength: 60 }).filter((bytes) => !bytes.includes(10));
    const lines = EVENTS.trimEnd().split('\n');
    fc.assert(
      fc.property(fc.array(noise, { minLength: lines.length, maxLength: lines.length }), (junk) => {
        const parts = lines.flatMap((line, i) => [Buffer.from(junk[i] ?? []), Buffer.from(`\n${line}\n`)]);
        const { reader } = readText(Buffer.concat(parts));
        expect(reader.counts.events).to.equal(9);
        expectComplete(reader.counts);
      }),
      { numRuns: 100 },
    );
  });

  it('lets the column of the dash decide, whatever shorter head came before', () => {
    const short = 'a-1 [000] . 5: x: yyyyyyyyyyyyyyyyyyyyyy';
    const long = 'a-1 [000] . 1: x-5 [000] . 2: y: z';
    const tasks = readText(`${short}\n${long}\n${short}\n${long}\n`).lines.map(
      (line) => (line as EventLine).task,
    );
    expect(tasks).to.deep.equal(['a', 'a-1 [000] . 1: x', 'a', 'a-1 [000] . 1: x']);
  });

  it('reads a line the same whatever came before it', () => {
    const all = ALIKE;
    const alone = new Map(all.map((line) => [line, withoutPosition(readText(line + '\n').lines[0])]));
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...all), { maxLength: 40 }), (order) => {
        const { lines } = readText(order.map((line) => line + '\n').join(''));
        expect(lines.map(withoutPosition)).to.deep.equal(order.map((line) => alone.get(line)));
      }),
      { numRuns: 100 },
    );
  });
});

/** A line without what depends on where it stands. */
function withoutPosition(line: unknown): unknown {
  const { signature, ...rest } = line as { signature?: { id: number } };
  return { ...rest, line: 0, time: 0, ...(signature ? { signature: { ...signature, id: 0 } } : {}) };
}
