import { expect } from 'chai';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { payloadJson } from '../../../core/codec/json.js';
import type { Event } from '../../../core/event/event.js';
import { COLUMNS } from '../../../traces/export/columns.js';
import { parquet } from '../../../traces/export/parquet.js';
import { copied, entered, event, marker, TRACE, written } from './exported.js';

const fileOf = (...batches: readonly (readonly Event[])[]): ArrayBuffer => {
  const bytes = written(parquet(TRACE), ...batches);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
};

describe('Parquet', () => {
  it('gives back every event, 64-bit values exact, what is not said as null', async () => {
    const events = [
      event({ seq: 1, time: 2 ** 52, cpu: 3 }, entered('vfree', 0x40)),
      event({ seq: 2, call: 1 }, copied()),
      event({ seq: 3 }, { kind: 'charged', bytes: -64 }),
    ];
    const rows = await parquetReadObjects({ file: fileOf(events) });
    const common = { cpu: 0, task: 'workload-1', origin: 'observed', fn: null, address: null, bytes: null };
    expect(rows).to.deep.equal([
      {
        ...common,
        seq: 1n,
        time_ns: 2n ** 52n,
        cpu: 3,
        call: 0n,
        kind: 'entered',
        fn: 'vfree',
        detail: JSON.stringify(payloadJson(events[0] as Event)),
      },
      {
        ...common,
        seq: 2n,
        time_ns: 2000n,
        call: 1n,
        kind: 'published',
        address: 0xffff_ffff_c000_0640n,
        bytes: 64n,
        detail: JSON.stringify(payloadJson(events[1] as Event)),
      },
      { ...common, seq: 3n, time_ns: 3000n, call: 0n, kind: 'charged', detail: '{"bytes":-64}' },
    ]);
  });

  it('has row groups, so that no more than one is kept in memory, and says what trace it is', async () => {
    const batches = Array.from({ length: 20 }, (_, k) =>
      Array.from({ length: 4096 }, (__, i) => event({ seq: k * 4096 + i + 1 }, marker(`m ${i % 7}`))),
    );
    const writer = parquet(TRACE);
    const parts = batches.map((batch) => [...writer.add(batch)].length);
    // 16 batches of 4096 are a group.
    expect(parts).to.deep.equal(batches.map((_, k) => (k === 15 ? 1 : 0)));
    const file = fileOf(...batches);
    const metadata = parquetMetadata(file);
    expect(metadata.row_groups.map(({ num_rows }) => num_rows)).to.deep.equal([65536n, 16384n]);
    expect(metadata.schema.slice(1).map(({ name }) => name)).to.deep.equal([...COLUMNS]);
    expect(metadata.key_value_metadata).to.deep.include({ key: 'pagetrail.root', value: TRACE.root });
    const seqs = await parquetReadObjects({ file, columns: ['seq'] });
    expect(seqs.map(({ seq }) => Number(seq))).to.deep.equal(Array.from({ length: 81920 }, (_, i) => i + 1));
  });

  it('of a trace without events is a file with no rows', async () => {
    expect(await parquetReadObjects({ file: fileOf() })).to.deep.equal([]);
  });
});
