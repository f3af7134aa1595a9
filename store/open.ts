import { readFileSync, statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { fail, ok, type Result } from '../core/value/failure.js';
import { Connection, transact } from './connection.js';
import { sqliteFailure } from './failures.js';
import { migrate } from './migrations.js';
import { APPLICATION_ID, SCHEMA_VERSION, TABLES, TRIGGERS } from './schema.js';

export interface FileOptions {
  /** No write of any kind. */
  readonly readonly?: boolean;
  /** Make the file when there is none; true unless `readonly`. */
  readonly create?: boolean;
  /** How long to wait for another process to finish its write, in milliseconds; 5000. */
  readonly busyTimeout?: number;
  /** The file may not grow beyond this many bytes: a write that would is refused as `disk-full`. */
  readonly maxBytes?: number;
}

const PAGE = 4096;
const BUSY_TIMEOUT = 5000; // milliseconds
const WAL_PAGES = 4096; // checkpoint when the write-ahead log has 16 MiB
const MEMORY = ':memory:';

/** Opens a log, making or migrating it where that is allowed. `:memory:` is a log that lives as long as the connection. */
export function openFile(name: string, options: FileOptions): Result<Connection> {
  const readonly = options.readonly ?? false;
  if (name === MEMORY)
    return readonly ? noMemory() : connect(MEMORY, options, null, () => new Database(MEMORY));
  const file = resolve(name);
  const impossible = whyNot(file, options.create ?? !readonly);
  if (impossible !== null) return impossible;
  const timeout = options.busyTimeout ?? BUSY_TIMEOUT;
  const look = (): Database.Database => new Database(file, { readonly: true, fileMustExist: true, timeout });
  if (!readonly) return connect(file, options, look, () => new Database(file, { timeout }));
  const opened = connect(file, options, look, look);
  const refused = opened.ok ? '' : opened.error.code;
  return refused === 'read-only' || refused === 'cannot-open' ? openCopy(file, options) : opened;
}

const noMemory = (): Result<never> =>
  fail('no-such-file', 'a log in memory begins empty: there is nothing to read');

function connect(
  file: string,
  options: FileOptions,
  again: (() => Database.Database) | null,
  open: () => Database.Database,
): Result<Connection> {
  let db: Database.Database | null = null;
  try {
    db = open();
    const c = Connection.on(db, file, options.readonly ?? false, again);
    const ready = prepareFile(c, options);
    if (!ready.ok) db.close();
    return ready.ok ? ok(c) : ready;
  } catch (error) {
    db?.close();
    const failure = sqliteFailure(error, file);
    if (failure === null) throw error;
    return failure;
  }
}

/** Why a file cannot be opened or made, seen from outside; null when SQLite may try. */
function whyNot(file: string, create: boolean): Result<never> | null {
  if (file.trim() !== file) {
    return fail('cannot-open', 'the name of this file ends with a space', file, 'give it another name');
  }
  const status = statusOf(file);
  if (status !== null) return status.isFile() ? whyNoDatabase(file, status.size) : noFile(file);
  if (!create) {
    return fail('no-such-file', 'there is no such log', file, 'check the path, or import something into it');
  }
  return statusOf(dirname(file))?.isDirectory() === true
    ? null
    : fail('cannot-open', 'the folder of this file does not exist', file, 'make the folder first');
}

function statusOf(file: string): Stats | null {
  try {
    return statSync(file);
  } catch {
    return null; // Not there, or in a folder that may not be searched: SQLite says which when it tries.
  }
}

const PAUSE = 20;

/** SQLite does not wait here for another process that makes the file at the same moment: we do. */
function writeAheadLog(c: Connection, timeout: number): unknown {
  for (let waited = 0; ; waited += PAUSE) {
    try {
      return c.db.pragma('journal_mode = WAL', { simple: true });
    } catch (error) {
      if (!isBusy(error) || waited >= timeout) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY');

const noFile = (file: string): Result<never> =>
  fail('cannot-open', 'this is not a file', file, 'give the path of a log file');

/** The smallest page SQLite has: it would take a shorter file for an empty one, and overwrite it. */
const SMALLEST = 512;

/** The file is only looked at from outside: closing a descriptor of it would release the locks of this process on it. */
const whyNoDatabase = (file: string, size: number): Result<never> | null =>
  size === 0 || size >= SMALLEST
    ? null
    : fail('not-sqlite', 'this file is not an SQLite database', file, 'give a file made by pagetrail');

/** A copy in memory may have as many bytes. */
const LARGEST_COPY = 1 << 30;

/**
 * A log in a folder where nothing can be written (a read-only medium, another user's files) is read from a copy in memory: SQLite needs
 * files beside one that has a write-ahead log. Not when there is one: what it holds would be missing.
 */
function openCopy(file: string, options: FileOptions): Result<Connection> {
  const log = statusOf(`${file}-wal`)?.size ?? 0;
  const size = statusOf(file)?.size ?? 0;
  if (log > 0 || size > LARGEST_COPY) {
    return fail(
      'cannot-open',
      'this log may not be read, or lies in a folder that cannot be written, where SQLite cannot read it',
      file,
      log > 0 ? 'copy it together with its -wal file to another folder' : 'copy it to another folder',
    );
  }
  const bytes = contentOf(file);
  if (bytes === null) return fail('cannot-open', 'this file cannot be read', file, 'check its permissions');
  bytes.fill(WITHOUT_WAL, FORMAT_AT, FORMAT_AT + 2);
  const copy = (): Database.Database => new Database(bytes, { readonly: true });
  return connect(file, options, copy, copy);
}

function contentOf(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}

/** File format versions for writing and reading, in the header of an SQLite file. */
const FORMAT_AT = 18;
const WITHOUT_WAL = 1;

function prepareFile(c: Connection, options: FileOptions): Result<void> {
  c.db.pragma('trusted_schema = OFF');
  c.db.pragma('cell_size_check = ON');
  const known = recognise(c);
  if (!known.ok) return known;
  if (c.readonly) return readable(c, known.value);
  c.db.pragma(`page_size = ${PAGE}`);
  const mode = writeAheadLog(c, options.busyTimeout ?? BUSY_TIMEOUT);
  if (mode !== 'wal' && c.file !== MEMORY) {
    return fail(
      'cannot-open',
      'this file system has no write-ahead log',
      c.file,
      'keep the log on a local disk',
    );
  }
  c.db.pragma('synchronous = FULL');
  c.db.pragma('secure_delete = ON');
  c.db.pragma(`wal_autocheckpoint = ${WAL_PAGES}`);
  c.db.pragma(`journal_size_limit = ${4 * WAL_PAGES * PAGE}`);
  if (options.maxBytes !== undefined) limit(c, options.maxBytes);
  return transact(c, () => bringUpToDate(c));
}

/** The schema version of the file: 0 when it is empty. Everything that is not a log we can read is refused. */
const recognise = (c: Connection): Result<number> =>
  // As one: another process may be making the file just now.
  c.db.inTransaction ? recognised(c) : c.db.transaction(() => recognised(c)).deferred();

function recognised(c: Connection): Result<number> {
  const application = c.db.pragma('application_id', { simple: true });
  const version = c.db.pragma('user_version', { simple: true }) as number;
  const objects = c.db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get();
  if (objects === 0 && version === 0) return ok(0);
  if (application !== APPLICATION_ID || version < 1) {
    return fail('not-a-log', 'this SQLite database was not made by pagetrail', c.file, 'give another file');
  }
  if (version > SCHEMA_VERSION) {
    return fail(
      'newer-schema',
      `this log has schema version ${version}, this program reads up to ${SCHEMA_VERSION}`,
      c.file,
      'use a newer pagetrail',
    );
  }
  return ok(version);
}

function readable(c: Connection, version: number): Result<void> {
  if (version === 0) return fail('not-a-log', 'this file is empty', c.file, 'import something into it first');
  if (version < SCHEMA_VERSION) {
    return fail(
      'older-schema',
      `this log has schema version ${version} and must be migrated to ${SCHEMA_VERSION}`,
      c.file,
      'open it for writing once: that migrates it',
    );
  }
  return complete(c);
}

/** In one write transaction, with the version read again: another process may have been faster. */
function bringUpToDate(c: Connection): Result<void> {
  const version = recognise(c);
  if (!version.ok) return version;
  if (version.value === 0) {
    for (const ddl of Object.values(TABLES)) c.db.exec(ddl);
    c.db.pragma(`application_id = ${APPLICATION_ID}`);
  } else {
    const migrated = migrate(c, version.value);
    if (!migrated.ok) return migrated;
  }
  c.db.pragma(`user_version = ${SCHEMA_VERSION}`);
  restoreTriggers(c);
  return complete(c);
}

/** Triggers that somebody dropped, and those of a new file. */
export function restoreTriggers(c: Connection): void {
  const present = objects(c, 'trigger');
  for (const [name, ddl] of Object.entries(TRIGGERS)) if (!present.has(name)) c.db.exec(ddl);
}

function complete(c: Connection): Result<void> {
  const present = objects(c, 'table');
  const missing = Object.keys(TABLES).filter((name) => !present.has(name));
  return missing.length === 0
    ? ok(undefined)
    : fail('corrupt', `tables are missing from this log: ${missing.join(', ')}`, c.file);
}

const objects = (c: Connection, type: 'table' | 'trigger'): ReadonlySet<unknown> =>
  new Set(c.db.prepare('SELECT name FROM sqlite_schema WHERE type = ?').pluck().all(type));

function limit(c: Connection, maxBytes: number): void {
  const pageSize = c.db.pragma('page_size', { simple: true }) as number;
  c.db.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / pageSize))}`);
}
