import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fail, type Result } from '../../core/value/failure.js';
import type { Context } from './context.js';

/** Where a long output goes: standard output, or a file that is there whole or not at all. */
export interface Sink {
  readonly write: (part: string | Uint8Array) => Promise<void>;
  /** Makes the file appear under its name. */
  readonly finish: () => void;
  /** Leaves nothing behind. */
  readonly abandon: () => void;
}

/** A device or a pipe is written to as it is: a file of that name must not take its place. */
const isSpecial = (path: string): boolean => {
  try {
    return !statSync(path).isFile();
  } catch {
    return false;
  }
};

/** Writes all of it: a write may take less than it is given. */
const writeAll = (file: number, part: string | Uint8Array): void => {
  const bytes = typeof part === 'string' ? Buffer.from(part) : part;
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
};

function openFile(path: string): Sink {
  const special = isSpecial(path);
  const temporary = special ? path : join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const file = openSync(temporary, 'w');
  return {
    write: async (part) => {
      writeAll(file, part);
    },
    finish: () => {
      if (!special) fsyncSync(file);
      closeSync(file);
      if (!special) renameSync(temporary, path);
    },
    abandon: () => {
      closeSync(file);
      if (!special) rmSync(temporary, { force: true });
    },
  };
}

const message = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^[A-Z]+: /, '').replace(/, \w+ '.*$/, '') : String(error);

/** Runs `use` with the output (`-` or nothing: standard output), and finishes the file only when it succeeds. */
export async function withSink<T>(
  context: Context,
  path: string | undefined,
  use: (sink: Sink) => Promise<Result<T>>,
): Promise<Result<T>> {
  if (path === undefined || path === '-')
    return use({ write: context.write, finish: () => {}, abandon: () => {} });
  let sink: Sink | null = null;
  try {
    sink = openFile(path);
    const done = await use(sink);
    if (done.ok) sink.finish();
    else sink.abandon();
    return done;
  } catch (error) {
    sink?.abandon();
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    return fail(
      'cannot-write',
      `writing failed: ${message(error)}`,
      path,
      'check the folder, its permissions and the free space',
    );
  }
}

/** Gathers short texts into long writes. */
export function gathered(
  sink: Sink,
  size = 1 << 16,
): { readonly line: (text: string) => Promise<void> | undefined; readonly flush: () => Promise<void> } {
  let text = '';
  const flush = (): Promise<void> => {
    const all = text;
    text = '';
    return all === '' ? Promise.resolve() : sink.write(all);
  };
  return {
    line: (more) => {
      text += `${more}\n`;
      return text.length >= size ? flush() : undefined;
    },
    flush,
  };
}
