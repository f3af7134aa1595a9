import { expect } from 'chai';
import type { TraceLine } from '../../traces/ftrace/line.js';
import { FtraceReader } from '../../traces/ftrace/reader.js';
import { sniff } from '../../traces/sniff.js';
import { recording } from '../cli/recording.js';

const read = (text: string): { readonly lines: readonly TraceLine[]; readonly reader: FtraceReader } => {
  const lines: TraceLine[] = [];
  const reader = new FtraceReader((line) => lines.push(line));
  reader.push(Buffer.from(text));
  reader.end();
  return { lines, reader };
};

const EVENT = /^\s*(\S+)-(\d+)\s+\[(\d+)\] \S+\s+(\d+\.\d+): (\w+): (.*)$/gm;
const ENTRY = /^\([^)<]*\)/;
const RETURN = /^\([^)]* <- [^)]*\)/;
const ADDRESS = 'ffffffff811f2c90';
const OTHER = 'ffffffff811f6fcd';

/** The recording in another program's words: `line` gives a line for the parts of one of ftrace's. */
const said = (
  line: (task: string, pid: string, cpu: string, time: string, event: string, body: string) => string,
): string =>
  recording
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(EVENT, (_, ...parts: string[]) => line(...(parts.slice(0, 6) as Parameters<typeof line>)));

/** What a line says, without the places of calls, which other programs print as addresses. */
const meaning = (line: TraceLine): object => {
  if (line.kind !== 'call') return { ...line, line: 0, flags: '' };
  const { event, fn, isReturn, task, pid, cpu, time, hi, lo, texts, signature } = line;
  return { event, fn, isReturn, task, pid, cpu, time, hi, lo, texts, names: signature.names };
};

const shown = (line: object): string => JSON.stringify(line);

const own = read(recording.replaceAll(/^#.*\n/gm, '')).lines.map(meaning);
const addresses = (body: string): string =>
  body.replace(RETURN, `(${ADDRESS} <- ${OTHER})`).replace(ENTRY, `(${ADDRESS})`);

describe('Traces of other programs', () => {
  it('perf script, of events that the recording script set', () => {
    const text = said(
      (task, pid, cpu, time, event, body) =>
        `${task.padStart(15)} ${pid.padStart(5)} [${cpu}] ${time.padStart(12)}: ${
          event === 'tracing_mark_write'
            ? `ftrace:print: tracing_mark_write: ${body}`
            : `pagetrail:${event}: ${addresses(body)}`
        }`,
    );
    expect(sniff(Buffer.from(text))).to.equal('perf script');
    const { lines, reader } = read(text);
    expect(reader.counts.skipped).to.deep.equal({});
    expect(lines.map(meaning).map(shown)).to.deep.equal(own.map(shown));
    expect(reader.format).to.equal('perf script');
    expect(reader.counts.skipped).to.deep.equal({});
  });

  it('perf script, of probes that perf probe set, with threads, spaces in names, call chains and losses', () => {
    const { lines, reader } = read(
      [
        '# ========',
        '    my load  1134/1135  [001]    38.008855:          1 probe:vfree: (ffffffff811f2c90) addr=0xffffffffc0000000',
        '\tffffffff811f2c90 vfree+0x0 ([kernel.kallsyms])',
        '\t    7f00deadbeef [unknown] (/bin/load)',
        '',
        '    my load  1134/1135  [001]    38.008860: probe:vfree__return: (ffffffff811f2c90 <- ffffffff811f6fcd) ret=-22',
        '    my load  1134/1135  [000]    38.008870: PERF_RECORD_LOST lost 12',
        '    my load  1134/1135  [001]    38.008880: PERF_RECORD_KSYMBOL addr ffffffffc0204ae8 len 100 type 1 flags 0x0 name bpf_prog_a',
        '    my load  1134/1135  [001]    38.008880: PERF_RECORD_TEXT_POKE addr [x]+0x0 old len 5 new len 5',
        'something else',
        '',
      ].join('\n'),
    );
    expect(lines.map((line) => line.kind)).to.deep.equal(['call', 'call', 'lost', 'event', 'event']);
    expect(lines[0]).to.include({ task: 'my load', pid: 1135, cpu: 1, fn: 'vfree', isReturn: false });
    expect(lines[1]).to.include({ event: 'vfree_ret', fn: 'vfree', isReturn: true, callee: ADDRESS });
    expect(lines[2]).to.deep.equal({ kind: 'lost', line: 7, cpu: 0, count: 12 });
    expect(lines[3]).to.include({ event: 'PERF_RECORD_KSYMBOL' });
    expect(reader.counts).to.deep.include({ lines: 10, events: 4, annotations: 3, headers: 1, lost: 12 });
    expect(reader.counts.skipped).to.deep.equal({ 'blank line': 1, 'not a trace line': 1 });
  });

  it('trace-cmd report -R', () => {
    const text = said((task, pid, cpu, time, event, body) => {
      const raw = body
        .replace(RETURN, `__probe_func=0x${ADDRESS} __probe_ret_ip=0x${OTHER}`)
        .replace(ENTRY, `__probe_ip=0x${ADDRESS}`);
      return `${task.padStart(16)}-${pid.padEnd(5)} [${cpu}] ${time.padStart(12)}: ${`${event}:`.padEnd(20)} ${raw}`;
    });
    const { lines, reader } = read(`cpus=2\n${text.replaceAll('tracing_mark_write:', 'print:')}`);
    expect(reader.counts.skipped).to.deep.equal({});
    expect(lines.map(meaning).map(shown)).to.deep.equal(own.map(shown));
    expect(reader.format).to.equal('trace-cmd report');
    expect(reader.counts.skipped).to.deep.equal({});
  });

  it('bpftrace, by the pattern of docs/formats.md', () => {
    const text = said(
      (task, pid, cpu, time, event, body) =>
        `${task}-${pid} [${cpu}] ${time}000: ${event}: ${body
          .replace(RETURN, `(${ADDRESS} <- ${OTHER})`)
          .replace(ENTRY, '(0)')}`,
    );
    const { lines, reader } = read(`Attaching 12 probes...\n${text}Lost 7 events\n`);
    expect(lines.slice(0, -1).map(meaning)).to.deep.equal(own);
    expect(lines.at(-1)).to.include({ kind: 'lost', count: 7 });
    expect(reader.counts).to.deep.include({ headers: 1, lost: 7 });
  });

  it('a long line that is of none costs no more than its length', () => {
    const { reader } = read(`${'1 '.repeat(100_000)}\n${' '.repeat(200_000)}x\n`);
    expect(reader.counts.skipped).to.deep.equal({ 'not a trace line': 2 });
  });
});
