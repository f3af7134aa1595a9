import type Database from 'better-sqlite3';
import { KINDS, type Event } from '../core/event/event.js';
import type { Words } from '../core/event/kind.js';

/** Columns that every event has, and the texts of a call line by their numbers; `own`: its values, 8 bytes each, or the fields of another kind as JSON. */
export const ROW_TABLES = `
  CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT);
  CREATE TABLE events (trace INTEGER, seq INTEGER, time INTEGER, cpu INTEGER, task INTEGER, kind INTEGER, call INTEGER, origin INTEGER,
    fn INTEGER, place INTEGER, names INTEGER, own BLOB, PRIMARY KEY (trace, seq)) WITHOUT ROWID`;

const TRACE = 1;
const CODES: ReadonlyMap<string, number> = new Map(KINDS.map(({ kind, code }) => [kind, code]));

const valuesOf = ({ hi, lo, texts }: Words): Uint8Array | string => {
  if (texts !== null) return JSON.stringify({ hi, lo, texts });
  const halves = new Uint32Array(2 * hi.length);
  for (let i = 0; i < hi.length; i++) {
    halves[2 * i] = lo[i] as number;
    halves[2 * i + 1] = hi[i] as number;
  }
  return new Uint8Array(halves.buffer);
};

/** The careful plain way: one row an event, in which all of the event is kept, texts once. Found by trace and number. */
export const rowWriter = (db: Database.Database): ((event: Event) => void) => {
  const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertText = db.prepare('INSERT INTO texts VALUES (?, ?)');
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    insertText.run(numbers.size, text);
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  };
  return (event) => {
    const { seq, time, cpu, task, kind, call, origin } = event;
    const code = CODES.get(kind);
    const by = numberOf(task);
    if (event.kind === 'entered' || event.kind === 'returned') {
      const { fn, place, names, values } = event;
      const texts = [numberOf(fn), numberOf(place), numberOf(names)] as const;
      insert.run(TRACE, seq, time, cpu, by, code, call, origin, ...texts, valuesOf(values));
      return;
    }
    const {
      seq: _,
      time: _time,
      cpu: _cpu,
      task: _task,
      kind: _kind,
      call: _call,
      origin: _origin,
      ...own
    } = event;
    insert.run(TRACE, seq, time, cpu, by, code, call, origin, null, null, null, JSON.stringify(own));
  };
};
