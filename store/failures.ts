import Database from 'better-sqlite3';
import { fail, type Result } from '../core/value/failure.js';
import { MalformedRow } from './query.js';

/**
 * What SQLite refuses, as a failure. Codes: `busy`, `disk-full`, `io-error`, `corrupt`, `not-sqlite`, `read-only`,
 * `cannot-open`, `append-only`, `sqlite` (anything else). Null when the error did not come from SQLite: a bug.
 */
export function sqliteFailure(error: unknown, file: string): Result<never> | null {
  if (error instanceof MalformedRow)
    return fail('corrupt', `a row of this file is damaged (${error.message})`, file, VERIFY);
  if (!(error instanceof Database.SqliteError)) return null;
  const { code, message } = error;
  for (const [prefix, ours, what, hint] of MEANINGS) {
    if (code.startsWith(prefix)) return fail(ours, `${what} (${code}: ${message})`, file, hint);
  }
  return fail('sqlite', `SQLite refused: ${message} (${code})`, file);
}

const VERIFY = 'run verify to see what is still readable';

type Meaning = readonly [prefix: string, code: string, what: string, hint?: string];

/** First match wins: the longer prefix stands before the shorter. */
const MEANINGS: readonly Meaning[] = [
  ['SQLITE_BUSY', 'busy', 'another process is writing to this file', 'wait until it is done, or end it'],
  ['SQLITE_LOCKED', 'busy', 'another connection holds this file', 'wait until it is done'],
  [
    'SQLITE_FULL',
    'disk-full',
    'no room left for this write; everything committed before is intact',
    'free some disk space and run the same command again',
  ],
  ['SQLITE_CORRUPT', 'corrupt', 'a page of this file is damaged', VERIFY],
  ['SQLITE_NOTADB', 'not-sqlite', 'this file is not an SQLite database', 'give a file made by pagetrail'],
  ['SQLITE_READONLY', 'read-only', 'this file cannot be written', 'check its permissions'],
  ['SQLITE_CANTOPEN', 'cannot-open', 'this file cannot be opened', 'check the path and its permissions'],
  ['SQLITE_IOERR_READ', 'corrupt', 'a page of this file cannot be read'],
  ['SQLITE_IOERR_SHORT_READ', 'corrupt', 'this file ends in the middle of a page'],
  [
    'SQLITE_IOERR',
    'io-error',
    'the system refused a read or write; everything committed before is intact',
    'check the disk and its free space',
  ],
  ['SQLITE_CONSTRAINT_TRIGGER', 'append-only', 'this part of the file may only be appended to'],
];

/** True for failures that say that bytes of the file are bad, as against busy, full or closed. */
export const meansDamage = (code: string): boolean =>
  code === 'corrupt' || code === 'damaged' || code === 'not-sqlite';
