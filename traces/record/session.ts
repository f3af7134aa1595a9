import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fail, ok, type Failure, type Result } from '../../core/value/failure.js';

/** Probes that are set and record, until they are taken away. */
export interface Session {
  readonly instance: string;
  /** Folder of the first dump; null: executable memory did not stand still. */
  readonly dump: string | null;
  readonly release: string;
  readonly machine: string;
  /** Comes when the script is gone although nobody has ended the recording, and says how. */
  readonly died: Promise<string>;
  /** Ends the recording; what is left can be read from the pipe. */
  readonly stop: () => Promise<Losses>;
  /** Takes the probes away. Always to be called. */
  readonly close: () => Promise<void>;
}

/** What the ring buffer lost, of all CPUs. */
export interface Losses {
  /** Overwritten before they were read. */
  readonly overrun: number;
  readonly dropped: number;
}

export interface SessionOptions {
  readonly script: string;
  readonly bufferKib?: number;
  /** Environment of the script (default: that of this process). */
  readonly env?: NodeJS.ProcessEnv;
  /** What the script says to people. */
  readonly onSaid?: (line: string) => void;
}

/** Why there is no recording: the last thing that the script said, `record: what: what to do`. */
const failureOf = (said: readonly string[]): Failure => {
  const last = said.at(-1)?.replace(/^record: /, '') ?? 'the recording script did not start';
  const [, what = last, hint] = /^([^:]+): (.+)$/.exec(last) ?? [];
  return { code: 'cannot-record', what, ...(hint === undefined ? {} : { hint }) };
};

/** The next line; null: the script has ended. */
type Next = () => Promise<string | null>;

const nextLine = (child: ChildProcessWithoutNullStreams): Next => {
  const lines: AsyncIterator<string, undefined> = createInterface({ input: child.stdout })[
    Symbol.asyncIterator
  ]();
  return async () => {
    const line = await lines.next();
    return line.done === true ? null : line.value;
  };
};

const countIn = (text: string | null): number => Number(text ?? 0) || 0;

/** Sets the probes with the script that `pagetrail probes` prints. It restores everything when this process is gone, however it ends. */
export const openSession = async (options: SessionOptions): Promise<Result<Session>> => {
  const { script, bufferKib, env, onSaid } = options;
  const args = ['-c', script, 'record', '-f', ...(bufferKib === undefined ? [] : ['-b', String(bufferKib)])];
  // A process group of its own: Ctrl-C is for this process, which ends the script in order.
  const child = spawn('sh', args, { detached: true, ...(env === undefined ? {} : { env }) });
  const said: string[] = [];
  let wanted = false;
  const died = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      if (!wanted) resolve(signal === null ? `exit code ${code ?? 0}` : signal);
    });
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said.push(`record: sh cannot be run: ${error.message}`);
      resolve();
    });
    child.once('close', () => resolve());
  });
  // The script may be gone when it is told something.
  child.stdin.on('error', () => {});
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    onSaid?.(line);
  });
  const next = nextLine(child);
  const close = async (): Promise<void> => {
    wanted = true;
    child.stdin.end();
    await ended;
  };
  if ((await next()) !== 'ready') {
    await close();
    return { ok: false, error: failureOf(said) };
  }
  const [instance, dump, release, machine] = [await next(), await next(), await next(), await next()];
  if (instance === null || machine === null || release === null) {
    await close();
    return fail('cannot-record', 'the recording script ended early');
  }
  return ok({
    instance,
    dump: dump === null || dump === '' ? null : dump,
    release,
    machine,
    died,
    stop: async () => {
      wanted = true;
      child.stdin.write('stop\n');
      await next();
      return { overrun: countIn(await next()), dropped: countIn(await next()) };
    },
    close,
  });
};
