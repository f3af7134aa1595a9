import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../cli/main.js';

const bin = fileURLToPath(new URL('../../../bin/pagetrail.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output and error are taken for a terminal. Only in this process. */
  readonly terminal?: boolean;
}

/** A folder of its own with a `pagetrail` whose working directory it is. */
export interface Place {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly put: (name: string, content: string | Uint8Array) => string;
  /** Runs a command line in this process. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** Runs it as users do: a process of its own. */
  readonly spawn: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  readonly remove: () => void;
}

export function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'pagetrail-cli-'));
  const path = (name: string): string => join(folder, name);
  return {
    folder,
    path,
    put: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    run: (args, options = {}) => runHere(folder, args, options),
    spawn: (args, options = {}) => runApart(folder, args, options),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Gathers what is written. */
class Gatherer extends Writable {
  text = '';
  constructor(readonly isTTY: boolean) {
    super();
  }
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString('utf8');
    done();
  }
}

async function runHere(folder: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { stdin = '', env = {}, terminal = false } = options;
  const [stdout, stderr] = [new Gatherer(terminal), new Gatherer(terminal)];
  const before = process.cwd();
  process.chdir(folder);
  try {
    const streams = { stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]), stdout, stderr, env };
    const code = await main(args, streams);
    return { code, out: stdout.text, err: stderr.text };
  } finally {
    process.chdir(before);
  }
}

const runApart = (cwd: string, args: readonly string[], { stdin, env }: RunOptions): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...env } });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code: code ?? -1, out, err });
    });
    // A child that refuses its arguments closes its input before all is written.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin ?? '');
  });
