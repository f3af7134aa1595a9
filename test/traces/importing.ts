import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ImportErrand } from './importer.js';

const importer = fileURLToPath(new URL('importer.js', import.meta.url));

export interface Importing {
  readonly process: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves to all its lines once it has ended, however. */
  readonly ended: Promise<readonly string[]>;
}

/** Starts a child process that imports, or emulates. */
export const importing = (
  errand: ImportErrand,
  where: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
  onLine: (line: string) => void = () => {},
): Importing => {
  const child = spawn(process.execPath, ['--no-warnings', importer, JSON.stringify(errand)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(where.cwd === undefined ? {} : { cwd: where.cwd }),
    env: { ...process.env, ...where.env },
  });
  const lines: string[] = [];
  let tail = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (tail + text).split('\n');
    tail = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      onLine(line);
    }
  });
  return { process: child, lines, ended: once(child, 'close').then(() => lines) };
};

/** The root that a child came to; null when it did not end. */
export const rootOf = (lines: readonly string[]): string | null =>
  lines.find((line) => line.startsWith('root '))?.slice('root '.length) ?? null;
