import { expect } from 'chai';
import * as fc from 'fast-check';
import { eventJson } from '../../../core/codec/json.js';
import { EVENT_COLUMNS, eventRow } from '../../../core/codec/sql.js';
import type { Event } from '../../../core/event/event.js';
import { Address } from '../../../core/value/address.js';
import { anyEvent } from './arbitrary.js';
import { event } from './given.js';

const copied = event(
  'copied',
  { to: Address.of(0xffffffffc0000, 0x640), length: 1088, what: 'image', way: 'poke' },
  { seq: 12, time: 2 ** 53 - 1, cpu: 1, call: 9, origin: 1 },
);

const line = (names: string, hi: number[], lo: number[], texts: (string | null)[] | null = null): Event =>
  event('entered', { fn: 'bpf_ksym_add', place: 'bpf_ksym_add+0x0/0x170', names, values: { hi, lo, texts } });

const valuesOf = (own: Event): unknown => eventJson(own)['values'];

describe('an event in JSON', () => {
  it('has addresses of 16 digits, sizes as numbers, the time as text', () => {
    expect(eventJson(copied)).to.deep.equal({
      seq: 12,
      time_ns: '9007199254740991',
      cpu: 1,
      task: 'workload-84',
      call: 9,
      origin: 'derived',
      kind: 'copied',
      to: '0xffffffffc0000640',
      length: 1088,
      what: 'image',
      way: 'poke',
    });
  });

  it('has pages as the address of their first byte', () => {
    const mapped = { page: 0xffffffffc0000, pages: 2, shift: 12, prot: 11, frame: -3 };
    expect(eventJson(event('mapped', mapped))).to.include({
      page: '0xffffffffc0000000',
      pages: 2,
      frame: -3,
    });
  });

  it('has words without leading zeros, bytes as hex', () => {
    expect(eventJson(event('program-joined', { program: 3, pointer: { hi: 0, lo: 0 } }))).to.include({
      pointer: '0x0',
    });
    const bytes = Uint8Array.of(0xcc, 0, 0x0f);
    expect(
      eventJson(event('content', { frame: 1, block: 0, blocks: 1, class: 2, ref: 0, bytes })),
    ).to.include({ bytes: 'cc000f' });
  });

  it('has the values of a call line by name, and not the names', () => {
    const own = line('ksym,name', [0xffff8880, 0], [0x3df00d0, 0], [null, 'bpf_prog_1']);
    expect(valuesOf(own)).to.deep.equal({ ksym: '0xffff888003df00d0', name: 'bpf_prog_1' });
    expect(eventJson(own))
      .to.include({ fn: 'bpf_ksym_add', place: 'bpf_ksym_add+0x0/0x170' })
      .and.not.have.property('names');
  });

  it('numbers values whose name is missing or was there before', () => {
    expect(valuesOf(line('a,,a', [0, 0, 0, 0], [1, 2, 3, 4]))).to.deep.equal({
      a: '0x1',
      '#1': '0x2',
      '#2': '0x3',
      '#3': '0x4',
    });
    expect(valuesOf(line('', [], []))).to.deep.equal({});
  });

  it('keeps a value named like something of every object', () => {
    expect(Object.entries(valuesOf(line('__proto__', [0], [7])) as object)).to.deep.equal([
      ['__proto__', '0x7'],
    ]);
  });

  it('loses nothing in JSON', () => {
    fc.assert(
      fc.property(anyEvent, (own) => {
        const json = eventJson(own);
        expect(JSON.parse(JSON.stringify(json))).to.deep.equal(json);
      }),
    );
  });
});

const rowOf = (own: Event): Record<string, unknown> => {
  const row = eventRow(own);
  return Object.fromEntries(EVENT_COLUMNS.map(({ name }, k) => [name, row[k]]));
};

describe('an event as a row of SQL', () => {
  it('has integers, its first address as a signed one, and its fields as JSON', () => {
    expect(rowOf(copied)).to.deep.equal({
      seq: 12n,
      time_ns: 9007199254740991n,
      cpu: 1n,
      task: 'workload-84',
      call: 9n,
      origin: 'derived',
      kind: 'copied',
      fn: null,
      address: -0x3ffff9c0n,
      bytes: 1088n,
      detail: '{"to":"0xffffffffc0000640","length":1088,"what":"image","way":"poke"}',
    });
  });

  it('names the function of a call', () => {
    expect(rowOf(line('', [], []))).to.include({ fn: 'bpf_ksym_add', address: null, bytes: null });
  });

  it('takes no frame for a virtual address', () => {
    const permission = { page: 5, pages: 2, set: 4, clear: 2 };
    expect(rowOf(event('permission', { space: 0, ...permission }))).to.include({
      address: 0x5000n,
      bytes: 0x2000n,
    });
    expect(rowOf(event('permission', { space: 1, ...permission }))).to.include({
      address: null,
      bytes: null,
    });
    expect(rowOf(event('tlb-flushed', { page: 0, pages: 0, why: 'purge' }))).to.include({ address: null });
  });

  it('is made of any event', () => {
    fc.assert(
      fc.property(anyEvent, (own) => {
        const row = eventRow(own);
        expect(row).to.have.length(EVENT_COLUMNS.length);
        for (const value of row)
          if (typeof value === 'bigint') expect(BigInt.asIntN(64, value)).to.equal(value);
      }),
    );
  });
});
