import { row, run, type Connection } from './connection.js';
import { select } from './query.js';

const SELECT = select(
  { segments: 'integer', events: 'integer', size: 'integer', bytes: 'integer', root: 'hash' },
  'SELECT segments, events, size, bytes, root FROM heads WHERE trace = ?',
);

/** Where a trace ends now. Kept in the transaction that appends, so never behind; can be derived from the segments. */
export interface Head {
  readonly segments: number;
  readonly events: number;
  /** Bytes before compression. */
  readonly size: number;
  /** Bytes as kept. */
  readonly bytes: number;
  readonly root: Buffer;
}

/** Undefined when the trace has been removed. */
export const readHead = (c: Connection, trace: number): Head | undefined => row(c, SELECT, trace);

export const writeHead = (c: Connection, trace: number, h: Head): number =>
  run(c, REPLACE, trace, h.segments, h.events, h.size, h.bytes, h.root);

const REPLACE = 'REPLACE INTO heads (trace, segments, events, size, bytes, root) VALUES (?, ?, ?, ?, ?, ?)';
