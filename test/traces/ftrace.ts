import { FtraceReader, type FtraceOptions } from '../../traces/ftrace/reader.js';
import type { CallLine, TraceLine } from '../../traces/ftrace/line.js';

export interface ReadTrace {
  readonly lines: readonly TraceLine[];
  readonly reader: FtraceReader;
}

/** Reads a whole text, in chunks of `size` bytes. */
export function readText(text: string | Uint8Array, size = Infinity, options: FtraceOptions = {}): ReadTrace {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const lines: TraceLine[] = [];
  const reader = new FtraceReader((line) => lines.push(line), options);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  return { lines, reader };
}

/** The only line of a text. */
export function readLine(text: string): TraceLine {
  const { lines, reader } = readText(text + '\n');
  if (lines.length !== 1) throw new Error(`${lines.length} lines: ${JSON.stringify(reader.counts)}`);
  return lines[0] as TraceLine;
}

/** The only line of a text, a call. */
export function readCall(text: string): CallLine {
  const line = readLine(text);
  if (line.kind !== 'call') throw new Error(`not a call: ${JSON.stringify(line)}`);
  return line;
}

/** The value of a call's field: a bigint, or a text. */
export function field(call: CallLine, name: string): bigint | string {
  const i = call.signature.names.indexOf(name);
  if (i < 0) throw new Error(`no field ${name}`);
  return call.texts?.[i] ?? (BigInt(call.hi[i] ?? 0) << 32n) | BigInt(call.lo[i] ?? 0);
}

/** All fields of a call, in order. */
export const fields = (call: CallLine): Readonly<Record<string, bigint | string>> =>
  Object.fromEntries(call.signature.names.map((name) => [name, field(call, name)]));
