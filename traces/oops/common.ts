/** What x86 and arm64 print alike. */
import type { TraceEntry } from '../../core/oops/oops.js';
import { traceEntry } from './code.js';
import type { ConsoleLine } from './console.js';

export interface Circumstance {
  readonly cpu: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  readonly release: string | null;
  readonly tainted: string | null;
}

const CPU =
  /^CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.{1,16}?) (?:Not tainted|Tainted: ([A-Z][A-Z ]*?)|Kdump: \S+ (?:Not tainted|Tainted: [A-Z ]+?))\s+(\d\S*)/;
const OLD_CPU = /^Pid: (\d+), comm: (.{1,16}?) (?:Not tainted|Tainted: ([A-Z][A-Z ]*?))\s+(\d\S*)/;

export const circumstanceOf = (lines: readonly ConsoleLine[]): Circumstance => {
  for (const { text } of lines) {
    const found = CPU.exec(text);
    if (found !== null) {
      const [, cpu, pid, comm = null, tainted, release = null] = found;
      return { cpu: Number(cpu), pid: Number(pid), comm, release, tainted: tainted?.trim() ?? null };
    }
    const old = OLD_CPU.exec(text);
    if (old !== null) {
      const [, pid, comm = null, tainted, release = null] = old;
      return { cpu: null, pid: Number(pid), comm, release, tainted: tainted?.trim() ?? null };
    }
  }
  return { cpu: null, pid: null, comm: null, release: null, tainted: null };
};

/** `name (state) [last unloaded: x]` without the states. */
export const modulesOf = (lines: readonly ConsoleLine[]): readonly string[] => {
  const found = lines.find(({ text }) => text.startsWith('Modules linked in:'));
  if (found === undefined) return [];
  return found.text
    .slice('Modules linked in:'.length)
    .replace(/\[last unloaded:.*$/, '')
    .trim()
    .split(/\s+/)
    .map((name) => name.replace(/\(.*$/, ''))
    .filter((name) => name !== '');
};

const BEGINS = /^\s*Call [Tt]race:\s*$/;
/** Marks of stacks inside a trace. */
const STACK = /^\s*<\/?[A-Z]+>\s*$/;

export const callTraceOf = (lines: readonly ConsoleLine[]): readonly TraceEntry[] => {
  const start = lines.findIndex(({ text }) => BEGINS.test(text));
  if (start < 0) return [];
  const trace: TraceEntry[] = [];
  for (const { text } of lines.slice(start + 1)) {
    if (STACK.test(text)) continue;
    // Every entry is indented; the first line that is not ends the trace.
    const entry = /^\s/.test(text) || text.startsWith('[<') ? traceEntry(text) : null;
    if (entry !== null) trace.push(entry);
    else if (trace.length > 0 && /^(?:Code:|Modules linked in|---\[|RIP:|Dumping)/.test(text)) break;
  }
  return trace;
};

export const codeBytesOf = (lines: readonly ConsoleLine[]): string | null =>
  lines
    .find(({ text }) => text.startsWith('Code: '))
    ?.text.slice('Code: '.length)
    .trim() ?? null;

/** The first match of a pattern, and the line. */
export const firstMatch = (
  lines: readonly ConsoleLine[],
  pattern: RegExp,
): { readonly found: RegExpExecArray; readonly line: ConsoleLine } | null => {
  for (const line of lines) {
    const found = pattern.exec(line.text);
    if (found !== null) return { found, line };
  }
  return null;
};
