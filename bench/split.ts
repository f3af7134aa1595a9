import { createReadStream } from 'node:fs';

const LINE = /^ *(.+)-(\d+) +\[(\d+)\] (\S+) +(\d+\.\d+): (\w+): \(([^)]*)\)(.*)$/;
const CHUNK = 1 << 20;

/** The plain way to read a line: one regular expression, values by splitting at spaces and `=`, all kept as text. */
export class PlainSplitter {
  fields = 0;
  #rest = '';

  /** Cuts a chunk into lines and each line into fields. */
  push(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const found = LINE.exec(line);
      if (found) this.fields += Object.keys(valuesOf(found[8] ?? '')).length;
    }
  }
}

function valuesOf(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const field of text.split(' ')) {
    const at = field.indexOf('=');
    if (at > 0) values[field.slice(0, at)] = field.slice(at + 1);
  }
  return values;
}

/** Splits a whole file; the number of fields. */
export async function splitFile(path: string): Promise<number> {
  const splitter = new PlainSplitter();
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) splitter.push(chunk as Buffer);
  return splitter.fields;
}
