import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Errand } from './appender.js';

const appender = fileURLToPath(new URL('appender.js', import.meta.url));

/** A child process on an errand. */
export interface Child {
  readonly process: ChildProcess;
  /** Lines it has written so far. */
  readonly lines: readonly string[];
  /** Resolves to all its lines once it has ended, however. */
  readonly ended: Promise<readonly string[]>;
}

/** Starts a child. `limit` is a limit on the size of files, as the shell's `ulimit -f` takes it. */
export function send(errand: Errand, onLine: (line: string) => void = () => {}, limit?: number): Child {
  const args = ['--no-warnings', appender, JSON.stringify(errand)];
  const command = limit === undefined ? process.execPath : 'sh';
  const shell = ['-c', `ulimit -f ${limit ?? 0}; exec "$0" "$@"`, process.execPath];
  const child = spawn(command, limit === undefined ? args : [...shell, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  let tail = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (tail + text).split('\n');
    tail = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      onLine(line);
    }
  });
  const ended = once(child, 'close').then(() => lines);
  return { process: child, lines, ended };
}

/** How many segments a child's lines say are acknowledged. */
export const acknowledged = (lines: readonly string[]): number =>
  Math.max(0, ...lines.map(Number).filter((n) => !Number.isNaN(n)));
