import { type Result, ok } from '../../core/value/failure.js';
import { SNIFFED, expectTrace } from '../sniff.js';
import type { TraceLine } from './line.js';
import { FtraceReader, type FtraceOptions } from './reader.js';
import { type SourceOptions, readSource } from './source.js';

export interface ReadOptions extends FtraceOptions, SourceOptions {
  /** Gets the reader before the first line: its origin and counts are filled while it reads. */
  readonly onReader?: (reader: FtraceReader) => void;
}

/**
 * Reads a whole trace: a path or `-`, plain or gzip. `sink` gets each line as it is read; the reader holds the counts. A failure
 * (unreadable, not a trace, truncated) may come after lines were given.
 */
export async function readFtrace(
  path: string,
  sink: (line: TraceLine) => void,
  options: ReadOptions = {},
): Promise<Result<FtraceReader>> {
  const reader = new FtraceReader(sink, options);
  options.onReader?.(reader);
  let head: Uint8Array[] | null = [];
  for await (const chunk of readSource(path, options)) {
    if (!chunk.ok) return chunk;
    if (head === null) {
      reader.push(chunk.value);
      continue;
    }
    head.push(Buffer.from(chunk.value));
    if (head.reduce((sum, part) => sum + part.length, 0) < SNIFFED) continue;
    const begun = begin(reader, head, path);
    if (!begun.ok) return begun;
    head = null;
  }
  if (head !== null) {
    const begun = begin(reader, head, path);
    if (!begun.ok) return begun;
  }
  reader.end();
  return ok(reader);
}

/** Gives the first chunks to the reader, if they are of a trace. */
function begin(reader: FtraceReader, chunks: readonly Uint8Array[], path: string): Result<null> {
  const bytes = Buffer.concat(chunks);
  const format = expectTrace(bytes, path === '-' ? 'standard input' : path);
  if (!format.ok) return format;
  reader.push(bytes);
  return ok(null);
}
