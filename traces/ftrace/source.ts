import { open, stat } from 'node:fs/promises';
import { Readable, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Failure, type Result, fail, ok } from '../../core/value/failure.js';
import { fileChunks } from './fileChunks.js';

/** Bytes read of the file as it is stored (compressed, if it is); total is null where it is not known. */
export interface Progress {
  readonly done: number;
  readonly total: number | null;
}

export interface SourceOptions {
  readonly onProgress?: (progress: Progress) => void;
  /** What `-` reads (process.stdin). */
  readonly stdin?: Readable;
}

const INFLATED_CHUNK = 256 * 1024;

/**
 * The bytes of a file, or of standard input for `-`, unpacked when they begin as gzip does. Expected trouble (no such file, a folder, a
 * truncated gzip, …) is the last item; what was readable before it comes first. A chunk is valid only until the next one is asked for.
 */
export async function* readSource(
  path: string,
  options: SourceOptions = {},
): AsyncGenerator<Result<Uint8Array>> {
  const opened = await openInput(path, options);
  if (!opened.ok) {
    yield opened;
    return;
  }
  try {
    for await (const chunk of inflateIfGzip(counted(opened.value, options))) yield ok(chunk);
  } catch (error) {
    yield { ok: false, error: failureOf(error, path) };
  }
}

type Bytes = AsyncGenerator<Uint8Array, void, undefined>;

interface Input {
  readonly stream: AsyncIterable<Uint8Array>;
  readonly size: number | null;
}

async function openInput(path: string, options: SourceOptions): Promise<Result<Input>> {
  if (path === '-') return ok({ stream: options.stdin ?? process.stdin, size: null });
  try {
    const info = await stat(path);
    if (info.isDirectory()) return { ok: false, error: directory(path) };
    return ok({ stream: fileChunks(await open(path)), size: info.isFile() ? info.size : null });
  } catch (error) {
    return { ok: false, error: failureOf(error, path) };
  }
}

/** Passes chunks on and says how far it is. */
async function* counted({ stream, size }: Input, options: SourceOptions): Bytes {
  let done = 0;
  for await (const chunk of stream) {
    done += chunk.length;
    options.onProgress?.({ done, total: size });
    yield chunk;
  }
}

/** The chunks, inflated when the first two bytes are gzip's. */
async function* inflateIfGzip(chunks: Bytes): Bytes {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < 2) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(Buffer.from(next.value));
    length += next.value.length;
  }
  const start = Buffer.concat(first);
  const all = prefixed(start, chunks);
  if (isGzip(start)) yield* inflate(all);
  else yield* all;
}

async function* inflate(chunks: Bytes): Bytes {
  const gunzip = createGunzip({ chunkSize: INFLATED_CHUNK });
  // An error of the file is passed on to gunzip by the pipeline and comes out of the loop.
  pipeline(Readable.from(copies(chunks)), gunzip, () => {});
  for await (const chunk of gunzip) yield chunk as Buffer;
}

/** Chunks that stay valid: of compressed bytes there are few. */
async function* copies(chunks: Bytes): Bytes {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

async function* prefixed(start: Uint8Array, rest: Bytes): Bytes {
  try {
    if (start.length > 0) yield start;
    yield* rest;
  } finally {
    await rest.return();
  }
}

/** RFC 1952, ID1 and ID2. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function directory(path: string): Failure {
  const hint = 'name the trace file in it, such as trace.txt or trace.txt.gz';
  return { code: 'is-a-directory', what: 'this is a folder, not a trace', where: path, hint };
}

/** What went wrong in a system call or in zlib; anything else is a bug and thrown on. */
function failureOf(error: unknown, path: string): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case '':
      throw error;
    case 'ENOENT':
    case 'ENOTDIR':
      return { code: 'no-such-file', what: 'there is no such file', where: path, hint: 'check the path' };
    case 'EISDIR':
      return directory(path);
    case 'EACCES':
    case 'EPERM':
      return failure('not-readable', 'this file may not be read', path, 'check its permissions');
    case 'Z_BUF_ERROR':
      return failure(
        'gzip-truncated',
        'the gzip data ends too early',
        path,
        'copy the file again, completely',
      );
    case 'Z_DATA_ERROR':
      return failure(
        'gzip-damaged',
        `the gzip data is damaged (${message(error)})`,
        path,
        'copy the file again',
      );
    default:
      return failure('read-failed', `reading failed (${message(error)})`, path);
  }
}

const failure = (...parts: Parameters<typeof fail>): Failure =>
  (fail(...parts) as Extract<Result<never>, { ok: false }>).error;

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
