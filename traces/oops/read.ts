import type { Oops } from '../../core/oops/oops.js';
import { fail, ok, type Result } from '../../core/value/failure.js';
import { readSource, type SourceOptions } from '../ftrace/source.js';
import { arm64Oops, isArm64Headline } from './arm64.js';
import { consoleLines, type ConsoleLine } from './console.js';
import { ftraceDump, type FtraceDump } from './dump.js';
import { x86Headline, x86Oops } from './x86.js';

/** A console log: its oopses, and the trace that was dumped in it. */
export interface ConsoleLog {
  readonly oopses: readonly Oops[];
  readonly dump: FtraceDump | null;
  readonly lines: number;
}

const END = /^---\[ end (?:trace|Kernel panic)/;
/** Lines after which an oops without an end is taken to be over. */
const LONGEST = 400;

const headlineArch = (text: string): Oops['arch'] | null =>
  x86Headline(text) !== null ? 'x86_64' : isArm64Headline(text) ? 'arm64' : null;

/** Lines that begin an oops which goes on with the next headline: `kernel tried to execute NX-protected page`, arm64's `Unable to handle`. */
const CONTINUED: readonly (readonly [head: RegExp, next: string])[] = [
  [/^kernel tried to execute|^unable to execute userspace/, 'BUG: '],
  [/^Unable to handle kernel|^Unexpected kernel BRK/, 'Internal error: '],
  [/^kernel BUG at/, 'invalid opcode: '],
  [/^kernel BUG at/, 'Oops: invalid opcode: '],
];

const continues = (text: string, next: string): boolean =>
  CONTINUED.some(([head, begin]) => head.test(text) && next.startsWith(begin));

const isTraceLine = (dump: FtraceDump | null, foreign: ReadonlySet<number>, line: number): boolean =>
  dump !== null && line >= dump.first && line <= dump.last && !foreign.has(line);

/** Reads a console log. What another task or CPU printed in between is left out where the console says who printed a line. */
export const readConsole = (text: string): ConsoleLog => {
  const all = consoleLines(text);
  const dump = ftraceDump(all);
  const foreign = new Set(dump?.foreign);
  const lines = all.filter(({ line }) => !isTraceLine(dump, foreign, line));
  const oopses: Oops[] = [];
  for (let at = 0; at < lines.length;) {
    const first = lines[at] as ConsoleLine;
    const arch = headlineArch(first.text);
    if (arch === null) {
      at++;
      continue;
    }
    const own: ConsoleLine[] = [first];
    let head = first.text;
    let next = at + 1;
    for (; next < lines.length && own.length < LONGEST; next++) {
      const line = lines[next] as ConsoleLine;
      if (first.caller !== null && line.caller !== null && line.caller !== first.caller) continue;
      if (END.test(line.text)) {
        own.push(line);
        next++;
        break;
      }
      if (headlineArch(line.text) !== null) {
        if (!continues(head, line.text)) break;
        head = line.text;
      }
      own.push(line);
    }
    oopses.push(arch === 'x86_64' ? x86Oops(own) : arm64Oops(own));
    at = next;
  }
  return { oopses, dump, lines: all.length };
};

/** Largest log that is read, in bytes: it is held in memory as one text. */
const LARGEST = 256 * 1024 * 1024;

/** Reads a console log from a file (plain or .gz) or from standard input (`-`). Failures: unreadable, `no-oops`, `too-large`. */
export const openConsole = async (path: string, options: SourceOptions = {}): Promise<Result<ConsoleLog>> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of readSource(path, options)) {
    if (!chunk.ok) return chunk;
    size += chunk.value.length;
    if (size > LARGEST)
      return fail('too-large', 'this log has more than 256 MiB', path, 'cut out the part around the oops');
    parts.push(chunk.value);
  }
  const log = readConsole(Buffer.concat(parts).toString('utf8'));
  return log.oopses.length > 0
    ? ok(log)
    : fail(
        'no-oops',
        'there is no oops in this text',
        path,
        'an oops begins with a line such as `BUG: unable to handle page fault for address: …` or `Unable to handle kernel paging request at …`',
      );
};
