/** Programs and packs over their lives, as tables: found by number, id, tag, name, symbol or address without reading the log. */
import { decodeSegment } from '../codec/decode.js';
import type { Event, EventOf } from '../event/event.js';
import type { Batch } from './projection.js';
import { signed, signedAddress } from './signed.js';
import { DERIVED } from './versions.js';

const KINDS = ['program-allocated', 'published', 'program-freed', 'pack-created', 'pack-removed'] as const;

/** What begins, names or ends a life. */
export type LifeEvent = EventOf<(typeof KINDS)[number]>;

const isLife = (event: Event): event is LifeEvent => (KINDS as readonly string[]).includes(event.kind);

export const livesOf = (events: readonly Event[]): readonly LifeEvent[] => events.filter(isLife);

const SYMBOL = /^bpf_prog_([0-9a-f]{16})(?:_(.*))?$/s;

/** Tag and name in a symbol `bpf_prog_TAG_NAME`; functions without a name of their own are called `F` by the kernel. */
export const symbolParts = (
  symbol: string | null,
): { readonly name: string | null; readonly tag: string | null } => {
  const parts = symbol === null ? null : SYMBOL.exec(symbol);
  if (parts === null) return { name: symbol, tag: null };
  const [, tag = null, name = ''] = parts;
  return { name: name === '' ? null : name, tag };
};

/** What the projection needs of the store: SQL, with constant texts. */
interface Rows {
  run(sql: string, ...values: readonly (bigint | number | string | null)[]): void;
}

const PROGRAM =
  'REPLACE INTO lives_programs (trace, number, chunk, bytes, from_seq, to_seq, id, symbol) VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)';
const SYMBOL_OF = 'UPDATE lives_programs SET symbol = ? WHERE trace = ? AND number = ?';
const ID_OF = 'UPDATE lives_programs SET id = ? WHERE trace = ? AND number = ?';
const NAME =
  'INSERT OR IGNORE INTO lives_names (trace, name, number) SELECT trace, ?, number FROM lives_programs WHERE trace = ? AND number = ?';
const FREED = 'UPDATE lives_programs SET to_seq = ? WHERE trace = ? AND number = ?';
const PACK =
  'INSERT INTO lives_packs (trace, nth, start, bytes, from_seq, to_seq) SELECT ?, 1 + coalesce(max(nth), 0), ?, ?, ?, NULL FROM lives_packs WHERE trace = ?';
const REMOVED =
  'UPDATE lives_packs SET to_seq = ? WHERE trace = ? AND nth = (SELECT max(nth) FROM lives_packs WHERE trace = ? AND start = ? AND to_seq IS NULL)';

const write = (rows: Rows, trace: number, events: readonly LifeEvent[]): void => {
  for (const event of events)
    switch (event.kind) {
      case 'program-allocated':
        rows.run(PROGRAM, trace, event.program, signed(event.chunk), event.bytes, event.seq);
        break;
      case 'published': {
        rows.run(SYMBOL_OF, event.name, trace, event.program);
        if (event.id !== 0) rows.run(ID_OF, event.id, trace, event.program);
        const { tag, name } = symbolParts(event.name);
        for (const text of new Set([event.name, tag, name]))
          if (text !== null) rows.run(NAME, text, trace, event.program);
        break;
      }
      case 'program-freed':
        rows.run(FREED, event.seq, trace, event.program);
        break;
      case 'pack-created':
        rows.run(PACK, trace, signedAddress(event.start), event.bytes, event.seq, trace);
        break;
      default:
        rows.run(REMOVED, event.seq, trace, trace, signedAddress(event.start));
        break;
    }
};

/** Projection `lives`: one row for each program, each name of one, and each pack. */
export const livesProjection = () => ({
  ...DERIVED.lives,
  ddl: [
    `CREATE TABLE lives_programs (
  trace INTEGER NOT NULL,
  number INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER,
  id INTEGER,
  symbol TEXT,
  PRIMARY KEY (trace, number)) WITHOUT ROWID`,
    'CREATE INDEX lives_ids ON lives_programs (trace, id) WHERE id IS NOT NULL',
    `CREATE TABLE lives_names (
  trace INTEGER NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (trace, name, number)) WITHOUT ROWID`,
    `CREATE TABLE lives_packs (
  trace INTEGER NOT NULL,
  nth INTEGER NOT NULL,
  start INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER,
  PRIMARY KEY (trace, nth)) WITHOUT ROWID`,
    'CREATE INDEX lives_packs_by_start ON lives_packs (trace, start)',
  ],
  start(genesis: Uint8Array, rows: Rows, trace: { readonly id: number }): void {
    if (genesis.length === 0) return;
    const given = decodeSegment(genesis);
    if (!given.ok) throw new Error(given.error.what);
    write(rows, trace.id, livesOf(given.value));
  },
  apply(batch: Batch, rows: Rows, trace: { readonly id: number }): void {
    write(rows, trace.id, 'lives' in batch ? batch.lives : livesOf(batch.events));
  },
});
