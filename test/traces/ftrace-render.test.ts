import { expect } from 'chai';
import * as fc from 'fast-check';
import { readTrace } from './captures.js';
import { readText } from './ftrace.js';
import { captures } from '../shared.js';
import type { CallLine, TraceLine, ValueForm } from '../../traces/ftrace/line.js';
import { type RenderOptions, render, renderHeader } from '../../traces/ftrace/render.js';
import { SignatureTable } from '../../traces/ftrace/signature.js';

const renderAll = (lines: readonly TraceLine[], options?: RenderOptions): string =>
  lines.map((line) => render(line, options) + '\n').join('');

const identifier = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
const symbol = fc.stringMatching(/^[a-z_][a-z0-9_.]{0,20}$/);
const place = fc.oneof(
  symbol.map((name) => `${name}+0x4/0x220`),
  fc.constantFrom("[unknown/kretprobe'd]", '0xffffffffc02010c8', 'f+0x0/0x10 [bpf_testmod]'),
);
const printable = fc.string({
  unit: fc.constantFrom(...Array.from('aZ09 =:;,-_()[]{}<>"\\\'/#.üß→')),
  maxLength: 20,
});
const comm = fc
  .string({ unit: fc.constantFrom(...Array.from('abz09 -_[]():/<>.#=')), maxLength: 15 })
  .map((text) => text.trimStart());

interface RawField {
  readonly name: string;
  readonly form: ValueForm;
  readonly bits: bigint;
  readonly text: string | null;
}

const bits = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.bigInt({ min: 0n, max: 4096n }));
const rawField: fc.Arbitrary<RawField> = fc.oneof(
  fc.record({ name: identifier, form: fc.constantFrom('hex', 'decimal'), bits, text: fc.constant(null) }),
  fc.record({
    name: identifier,
    form: fc.constant('quoted'),
    bits: fc.constant(0n),
    text: printable.filter((text) => !text.includes('"')),
  }),
  fc.record({
    name: identifier,
    form: fc.constant('bare'),
    bits: fc.constant(0n),
    text: fc.constantFrom(
      '(fault)',
      '',
      '{0x1,0x2}',
      "'x'",
      'vfree+0x0/0x40',
      'f+0x0/0x10 [mod]',
      '{"a b","c"}',
    ),
  }),
) as fc.Arbitrary<RawField>;

interface Shape {
  readonly head: {
    readonly task: string;
    readonly pid: number;
    readonly cpu: number;
    readonly flags: string;
  };
  readonly after: number;
  readonly make: (
    head: Pick<CallLine, 'line' | 'task' | 'pid' | 'cpu' | 'flags' | 'time'>,
    known: SignatureTable,
  ) => TraceLine;
}

const callShape = fc
  .record({
    name: symbol,
    isReturn: fc.boolean(),
    place,
    callee: symbol,
    fields: fc.array(rawField, { maxLength: 6 }),
  })
  .map(({ name, isReturn, fields, ...rest }): Shape['make'] => (head, known) => {
    const signature = known.of(
      fields.map((field) => field.name),
      fields.map((field) => field.form),
    );
    if (signature === null) throw new Error('full');
    return {
      kind: 'call',
      ...head,
      event: isReturn ? `${name}_ret` : name,
      fn: name,
      isReturn,
      place: rest.place,
      callee: isReturn ? rest.callee : '',
      signature,
      hi: fields.map((field) => Number(field.bits >> 32n)),
      lo: fields.map((field) => Number(field.bits & 0xffffffffn)),
      texts: signature.text.includes(true) ? fields.map((field) => field.text) : null,
    };
  });

const otherShape: fc.Arbitrary<Shape['make']> = fc.oneof(
  printable.map((text): Shape['make'] => (head) => ({ kind: 'marker', ...head, text })),
  fc
    .tuple(symbol, symbol)
    .map(([callee, caller]): Shape['make'] => (head) => ({ kind: 'function', ...head, callee, caller })),
  fc
    .tuple(
      identifier,
      printable.map((text) => `b${text}`),
    )
    .map(([event, body]): Shape['make'] => (head) => ({ kind: 'event', ...head, event, body })),
  fc
    .constantFrom('<stack trace>', '<user stack trace>')
    .map((event): Shape['make'] => (head) => ({ kind: 'event', ...head, event, body: '' })),
  fc
    .tuple(fc.nat(999), fc.nat(1e9))
    .map(([cpu, count]): Shape['make'] => ({ line }) => ({ kind: 'lost', line, cpu, count })),
  fc.nat(999).map((cpu): Shape['make'] => ({ line }) => ({ kind: 'buffer-started', line, cpu })),
);

const shape: fc.Arbitrary<Shape> = fc.record({
  head: fc.record({
    task: comm,
    pid: fc.nat(4194304),
    cpu: fc.nat(1023),
    flags: fc.constantFrom('.....', 'd..1.', 'dNh2.', '....', ''),
  }),
  after: fc.integer({ min: -5, max: 2_000_000 }),
  make: fc.oneof({ weight: 3, arbitrary: callShape }, { weight: 2, arbitrary: otherShape }),
});

/** Lines with times in whole microseconds, the first event at 0. */
function build(shapes: readonly Shape[], unit: number): readonly TraceLine[] {
  const known = new SignatureTable();
  let time = 0;
  let started = false;
  return shapes.map(({ head, after, make }, i) => {
    const line = make({ line: i + 1, ...head, time }, known);
    if (!('time' in line)) return line;
    time = started ? time + after * unit : 0;
    started = true;
    return { ...line, time };
  });
}

describe('A rendered line', () => {
  it('is the line as the kernel prints it', () => {
    for (const text of [
      '        workload-85      [000] .....     7.342590: bpf_prog_pack_alloc: (bpf_prog_pack_alloc+0x0/0x2d0) size=128 fill=0xffffffff8108be90',
      '     kworker/0:2-51      [001] d..1. 12345.345000: vfree_ret: ([unknown/kretprobe\'d] <- vfree.part.0) ret=-12 name="a b"',
      '        workload-140     [001] .....    15.429124: tracing_mark_write: phase: start',
      '        workload-140     [001] .....    16.581772: bpf_int_jit_compile <-bpf_prog_select_runtime',
      '        workload-85      [000] .....     7.344991: <stack trace>',
      '            bash-1       [000] .....     7.344991: alloc_vmap_area: va_start: 18446744072637906944 size=8192',
      'CPU:1 [LOST 7 EVENTS]',
      'CPU:1 [LOST EVENTS]',
      '##### CPU 3 buffer started ####',
    ]) {
      const { lines, reader } = readText(text + '\n');
      expect(renderAll(lines, { origin: reader.origin })).to.equal(text + '\n');
    }
  });

  it('has its time in the unit of the trace', () => {
    const [line] = readText('a-1 [000] . 1.000000: x: y\n').lines as [TraceLine];
    const at = (time: number, options: RenderOptions): string => {
      const text = render({ ...line, time } as TraceLine, options);
      return text.slice(text.indexOf('.') + 2, text.indexOf(': '));
    };
    expect(at(1_234_567_890, {})).to.equal('    1.234568');
    expect(at(1_234_567_890, { timeDigits: 9, origin: 10n ** 18n })).to.equal('1000000001.234567890');
    expect(at(17, { timeDigits: 0, origin: 100n })).to.equal('         117');
  });

  it('comes with a header that agrees with it', () => {
    const { reader } = readText(renderHeader(0, 2) + renderHeader(3, 2));
    expect(reader.counts).to.include({ headers: 8, entriesInBuffer: 3, entriesWritten: 3 });
  });

  it('is read as the line that it was made from', () => {
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 20 }), fc.constantFrom(6, 9, 0), (shapes, timeDigits) => {
        const lines = build(shapes, timeDigits === 6 ? 1000 : 1);
        const origin = timeDigits === 0 ? 987_654_321_987n : 7_342_590_000n;
        expect(readText(renderAll(lines, { origin, timeDigits })).lines).to.deep.equal(lines);
      }),
      { numRuns: 200 },
    );
  });

  for (const folder of captures()) {
    it(`is the very line of ${folder.slice(folder.lastIndexOf('/') + 1)}`, function () {
      this.timeout(60_000);
      const bytes = readTrace(folder);
      const { lines, reader } = readText(bytes);
      const text = bytes.toString('utf8').split('\n');
      const { origin, timeDigits } = reader;
      const different = lines.filter((line) => render(line, { origin, timeDigits }) !== text[line.line - 1]);
      expect(different).to.deep.equal([]);
      const again = text.map(() => '');
      for (const line of lines) again[line.line - 1] = render(line, { origin, timeDigits });
      expect(readText(again.join('\n')).lines).to.deep.equal(lines);
    });
  }
});
