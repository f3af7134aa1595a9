import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../../bin/pagetrail.js', import.meta.url));

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder of its own with a `pagetrail` whose working directory it is. */
export interface Place {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly put: (name: string, content: string | Uint8Array) => string;
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
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
    run: (args, options = {}) => run(folder, args, options),
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const run = (cwd: string, args: readonly string[], { stdin, env }: RunOptions): Promise<Ran> =>
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
