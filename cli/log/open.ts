import { ok, type Failure, type Result } from '../../core/value/failure.js';
import { logOn, type Log } from '../../replay/log.js';
import { openStore, type OpenOptions, type Store } from '../../store/index.js';
import type { Context } from '../console/context.js';

/** The store's failures speak to programs; these are their hints for the command line. */
const HINTS: Readonly<Record<string, string>> = {
  'no-such-file': 'import something first (pagetrail import PATH), or name the log with --db FILE',
  'not-a-log': 'name a log with --db FILE',
  'not-sqlite': 'name a log with --db FILE',
};

const hinted = (error: Failure): Failure => {
  const hint = HINTS[error.code];
  return hint === undefined ? error : { ...error, hint };
};

type Use<From, T> = (from: From) => Promise<Result<T>> | Result<T>;

/** What follows the log when it is written, and what SQL is asked through: loaded when needed, start-up stays fast. */
const derivedTables = async () => (await import('../../replay/tables.js')).derivedTables();

/**
 * Opens the log for reading, runs `use` and closes it. A log of an older schema is migrated first: that is the one write a
 * reading command does.
 */
async function opening<T>(context: Context, options: OpenOptions, use: Use<Store, T>): Promise<Result<T>> {
  const { db } = context.settings;
  const readonly: OpenOptions = { ...options, readonly: true };
  const first = openStore(db, readonly);
  if (first.ok || first.error.code !== 'older-schema') return using(first, use);
  const migrated = await writing(context, () => ok(null), { create: false });
  return migrated.ok ? using(openStore(db, readonly), use) : migrated;
}

/** The log and its tables, for reading. */
export async function reading<T>(context: Context, use: Use<Store, T>): Promise<Result<T>> {
  const { eventTable } = await import('./eventTable.js');
  return opening(context, { events: eventTable, ...(await derivedTables()) }, use);
}

/** The log as traces with moments and memory, for reading. */
export const readingLog = <T>(context: Context, use: Use<Log, T>): Promise<Result<T>> =>
  opening(context, {}, (store) => use(logOn(store)));

/** Opens the log for writing, makes it when there is none (unless told not to), runs `use` and closes it. */
export async function writing<T>(
  context: Context,
  use: Use<Store, T>,
  options: OpenOptions = {},
): Promise<Result<T>> {
  return using(openStore(context.settings.db, { ...(await derivedTables()), ...options }), use);
}

async function using<T>(opened: Result<Store>, use: Use<Store, T>): Promise<Result<T>> {
  if (!opened.ok) return { ok: false, error: hinted(opened.error) };
  try {
    return await use(opened.value);
  } finally {
    opened.value.close();
  }
}
