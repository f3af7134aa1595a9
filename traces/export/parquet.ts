/** Apache Parquet, by hyparquet-writer: pure JavaScript, written row group by row group. */
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { Address } from '../../core/value/address.js';
import { rowOf, type Column, type EventRow } from './columns.js';
import type { ExportedTrace, ExportWriter } from './exportWriter.js';

/** Events in a row group: what is kept in memory at a time. */
const GROUP = 65_536;

interface Element {
  readonly type: 'INT32' | 'INT64' | 'BYTE_ARRAY';
  readonly converted_type?: 'UTF8' | 'UINT_64';
  readonly repetition_type: 'REQUIRED' | 'OPTIONAL';
}

interface ColumnPlan {
  /** How the schema has it. */
  readonly element: Element;
  readonly of: (row: EventRow) => unknown;
}

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;
const REQUIRED = { repetition_type: 'REQUIRED' } as const;
const OPTIONAL = { repetition_type: 'OPTIONAL' } as const;

const integer = (of: (row: EventRow) => number): ColumnPlan => ({
  element: { type: 'INT64', ...REQUIRED },
  of: (row) => BigInt(of(row)),
});

const text = (of: (row: EventRow) => string): ColumnPlan => ({ element: { ...TEXT, ...REQUIRED }, of });

const PLAN: Readonly<Record<Column, ColumnPlan>> = {
  seq: integer(({ seq }) => seq),
  time_ns: integer((row) => row.time_ns),
  cpu: { element: { type: 'INT32', ...REQUIRED }, of: ({ cpu }) => cpu },
  task: text(({ task }) => task),
  call: integer(({ call }) => call),
  origin: text(({ origin }) => origin),
  kind: text(({ kind }) => kind),
  fn: { element: { ...TEXT, ...OPTIONAL }, of: ({ fn }) => fn },
  address: {
    element: { type: 'INT64', converted_type: 'UINT_64', ...OPTIONAL },
    of: ({ address }) => (address === null ? null : Address.toBigInt(address)),
  },
  bytes: {
    element: { type: 'INT64', ...OPTIONAL },
    of: ({ bytes }) => (bytes === null ? null : BigInt(bytes)),
  },
  detail: text(({ detail }) => detail),
};

const COLUMNS = Object.entries(PLAN);

const SCHEMA = [
  { name: 'events', num_children: COLUMNS.length },
  ...COLUMNS.map(([name, { element }]) => Object.assign({ name }, element)),
];

const newColumns = (): unknown[][] => COLUMNS.map(() => []);

export function parquet(trace: ExportedTrace): ExportWriter {
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: SCHEMA,
    createdBy: 'pagetrail',
    kvMetadata: Object.entries(trace)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => ({ key: `pagetrail.${key}`, value: String(value) })),
  });
  let columns = newColumns();
  let rows = 0;
  /** What has been written since the last time. */
  const taken = (): Uint8Array => {
    const part = bytes.getBytes().slice();
    bytes.index = 0;
    return part;
  };
  const group = (): Uint8Array => {
    void writer.write({
      columnData: COLUMNS.map(([name], i) => ({
        name,
        data: columns[i] as unknown[],
        // The least and the greatest JSON text tell nothing.
        statistics: name !== 'detail',
      })),
      rowGroupSize: GROUP,
    });
    columns = newColumns();
    rows = 0;
    return taken();
  };
  return {
    begin: () => [],
    *add(events) {
      for (const event of events) {
        const row = rowOf(event);
        for (const [i, [, { of }]] of COLUMNS.entries()) columns[i]?.push(of(row));
        rows++;
        if (rows === GROUP) yield group();
      }
    },
    *end() {
      if (rows > 0) yield group();
      void writer.finish();
      yield taken();
    },
  };
}
