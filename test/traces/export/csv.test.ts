import { expect } from 'chai';
import * as fc from 'fast-check';
import { COLUMNS } from '../../../traces/export/columns.js';
import { csv } from '../../../traces/export/csv.js';
import { copied, entered, event, marker, written } from './exported.js';

/** A reader of RFC 4180, character by character. */
function read(text: string): string[][] {
  const rows: string[][] = [[]];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') field += text[++i];
      else quoted = false;
    } else if (c === '"') {
      if (field !== '') throw new Error(`a quote within a field at ${i}`);
      quoted = true;
    } else if (c === ',' || c === '\r') {
      rows.at(-1)?.push(field);
      field = '';
      if (c === '\r') {
        if (text[++i] !== '\n') throw new Error(`a bare CR at ${i}`);
        rows.push([]);
      }
    } else if (c === '\n') throw new Error(`a bare LF at ${i}`);
    else field += c;
  }
  if (quoted || field !== '' || rows.pop()?.length !== 0) throw new Error('the last line does not end');
  return rows;
}

describe('CSV', () => {
  it('has a line of names and a line an event, with addresses as they are written', () => {
    const events = [
      event({ seq: 1, task: 'a,b-7' }, entered('vfree', 0x40)),
      event({ seq: 2, call: 1 }, copied()),
      event({ seq: 3 }, { kind: 'charged', bytes: -64 }),
    ];
    const [names, ...rows] = read(written(csv(), events).toString());
    expect(names).to.deep.equal([...COLUMNS]);
    expect(rows.map((row) => row.slice(0, -1))).to.deep.equal([
      ['1', '1000', '0', 'a,b-7', '0', 'observed', 'entered', 'vfree', '', ''],
      ['2', '2000', '0', 'workload-1', '1', 'observed', 'published', '', '0xffffffffc0000640', '64'],
      ['3', '3000', '0', 'workload-1', '0', 'observed', 'charged', '', '', ''],
    ]);
    expect(JSON.parse(rows[1]?.at(-1) as string)).to.include({ name: 'bpf_prog_"quoted",\r\nbroken' });
    expect(JSON.parse(rows[2]?.at(-1) as string)).to.deep.equal({ bytes: -64 });
  });

  it('gives back every text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (task, text) => {
        const [, row] = read(written(csv(), [event({ seq: 1, task }, marker(text))]).toString());
        // What is half a character is replaced wherever text becomes bytes.
        expect(row?.[3]).to.equal(Buffer.from(task).toString());
        expect(JSON.parse(row?.at(-1) as string)).to.deep.equal({ text });
      }),
    );
  });

  it('is the same however events come in batches', () => {
    const events = Array.from({ length: 50 }, (_, i) => event({ seq: i + 1 }, marker(`m ${i}`)));
    const whole = written(csv(), events);
    expect(written(csv(), ...events.map((one) => [one]))).to.deep.equal(whole);
  });
});
