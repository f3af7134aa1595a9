import { basename } from 'node:path';
import { expect } from 'chai';
import type { CallLine, TraceLine } from '../../traces/ftrace/line.js';
import { captures } from '../shared.js';
import { readTrace } from './captures.js';
import { readText } from './ftrace.js';

const tally = (lines: readonly TraceLine[]): Readonly<Record<string, number>> => {
  const by: Record<string, number> = {};
  for (const { kind } of lines) by[kind] = (by[kind] ?? 0) + 1;
  return by;
};

/** What grep counts, independently of the reader. */
function counted(text: string): Readonly<Record<string, number>> {
  const lines = text.trimEnd().split('\n');
  const headers = lines.filter((line) => line.startsWith('#')).length;
  const annotations = lines.filter((line) => line.startsWith(' => ')).length;
  return { lines: lines.length, headers, annotations, events: lines.length - headers - annotations };
}

describe('The recordings of real kernels', () => {
  for (const folder of captures()) {
    const text = (): Buffer => readTrace(folder);

    it(`${basename(folder)}: every line is read, as many events as its header says`, () => {
      const bytes = text();
      const { reader } = readText(bytes);
      expect(reader.counts).to.deep.include(counted(bytes.toString('latin1')));
      expect(reader.counts.events).to.equal(reader.counts.entriesInBuffer);
      expect(reader.counts.skipped).to.deep.equal({});
    });

    it(`${basename(folder)}: names, values and places agree with a regular expression`, function () {
      this.timeout(60_000);
      const bytes = text();
      const source = bytes.toString('utf8').split('\n');
      const calls = readText(bytes).lines.filter((line): line is CallLine => line.kind === 'call');
      expect(calls.length).to.equal(source.filter((line) => /: \([^)]*[+\]]/.test(line)).length);
      for (const call of calls) expect(asText(call)).to.deep.equal(byRegex(source[call.line - 1] ?? ''));
    });

    it(`${basename(folder)}: chunks of 100 bytes give the same`, function () {
      this.timeout(60_000);
      const bytes = text().subarray(0, 400_000);
      const whole = readText(bytes);
      const cut = readText(bytes, 100);
      expect(tally(cut.lines)).to.deep.equal(tally(whole.lines));
      expect(JSON.stringify(cut.lines)).to.equal(JSON.stringify(whole.lines));
      expect(cut.reader.counts).to.deep.equal(whole.reader.counts);
    });
  }
});

const LINE =
  /^ *(.*)-(\d+) +\[(\d+)\] +(\S+) +(\d+)\.(\d{6}): (\S+): \((?:(.*) <- (\S+)|(.*?))\)((?: \w+=(?:"[^"]*"|\S+))*)$/;

/** A line by one regular expression: slow, short and written apart from the reader. */
function byRegex(line: string): unknown {
  const [, task, pid, cpu, flags, , , event, caller, callee, place, fields] = LINE.exec(line) ?? [];
  const values = [...(fields ?? '').matchAll(/ (\w+)=(?:"([^"]*)"|(\S+))/g)].map(
    ([, name, quoted, value]) => [name, quoted ?? String(BigInt.asUintN(64, BigInt(value ?? '')))],
  );
  return {
    task,
    pid: Number(pid),
    cpu: Number(cpu),
    flags,
    event,
    place: caller ?? place,
    callee: callee ?? '',
    values,
  };
}

function asText({
  task,
  pid,
  cpu,
  flags,
  event,
  place,
  callee,
  signature,
  hi,
  lo,
  texts,
}: CallLine): unknown {
  const values = signature.names.map((name, i) => [
    name,
    texts?.[i] ?? String((BigInt(hi[i] ?? 0) << 32n) | BigInt(lo[i] ?? 0)),
  ]);
  return { task, pid, cpu, flags, event, place, callee, values };
}
