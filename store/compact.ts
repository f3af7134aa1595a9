import { fail, ok, type Result } from '../core/value/failure.js';
import { reading, type Connection } from './connection.js';

/**
 * Writes the whole file anew without what is free, so that nothing of a removed trace is left in it. Freed pages were
 * overwritten when they became free (secure_delete), but pages that were divided before keep copies of rows that moved away.
 */
export function compact(c: Connection): Result<void> {
  return reading(c, () => {
    c.db.exec('VACUUM');
    const [state] = c.db.pragma('wal_checkpoint(TRUNCATE)') as readonly { readonly busy: number }[];
    return state?.busy === 0 ? ok(undefined) : beingRead(c);
  });
}

const beingRead = (c: Connection): Result<never> =>
  fail(
    'busy',
    'another process is reading this file: what it may still need stays in the write-ahead log',
    c.file,
    'compact the log again when it is done',
  );
