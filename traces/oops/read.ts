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
/** The same, lines of others included. */
const FARTHEST = 4000;

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

/** Two CPUs that report the same fault at once print its headline twice. */
const isSame = (head: string, next: string): boolean => head === next && ABOUT_AN_ADDRESS.test(head);
const ABOUT_AN_ADDRESS = /^(?:BUG: |Unable to handle kernel )/;

/** The text without an indentation that all lines of a quoted oops have. */
const outdented = (line: ConsoleLine, indent: number): ConsoleLine => {
  const own = line.text.length - line.text.trimStart().length;
  return indent === 0 ? line : { ...line, text: line.text.slice(Math.min(own, indent)) };
};

/** The lines of the oops that begins with `lines[at]`. */
const oopsLines = (
  lines: readonly ConsoleLine[],
  at: number,
  used: ReadonlySet<number>,
): readonly ConsoleLine[] => {
  const first = lines[at] as ConsoleLine;
  const indent = first.text.length - first.text.trimStart().length;
  const own: ConsoleLine[] = [outdented(first, indent)];
  let head = first.text.trimStart();
  const end = Math.min(lines.length, at + FARTHEST);
  for (let next = at + 1; next < end && own.length < LONGEST; next++) {
    const line = outdented(lines[next] as ConsoleLine, indent);
    const isOther = first.caller !== null && line.caller !== null && line.caller !== first.caller;
    if (isOther || used.has(line.line)) continue;
    if (headlineArch(line.text) !== null && !isSame(head, line.text)) {
      if (!continues(head, line.text)) break;
      head = line.text;
    }
    own.push(line);
    if (END.test(line.text)) break;
  }
  return own;
};

/** Reads a console log. What another task or CPU printed in between is left out where the console says who printed a line. */
export const readConsole = (text: string): ConsoleLog => {
  const all = consoleLines(text);
  const dump = ftraceDump(all);
  const foreign = new Set(dump?.foreign);
  const lines = all.filter(({ line }) => !isTraceLine(dump, foreign, line));
  const oopses: Oops[] = [];
  const used = new Set<number>();
  for (const [at, line] of lines.entries()) {
    const arch = used.has(line.line) ? null : headlineArch(line.text.trimStart());
    if (arch === null) continue;
    const own = oopsLines(lines, at, used);
    for (const one of own) used.add(one.line);
    oopses.push(arch === 'x86_64' ? x86Oops(own) : arm64Oops(own));
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
