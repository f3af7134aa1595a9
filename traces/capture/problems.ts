/** How many problems of one file are spelled out; the rest is counted. */
const SPELLED_OUT = 20;

/** What was not understood while a capture was read, by file and line. Reading goes on: nothing here throws. */
export class Problems {
  readonly #files = new Map<string, { count: number; texts: string[] }>();

  /** `line` counts from 1; 0 means the file as a whole. */
  add(file: string, line: number, what: string): void {
    let seen = this.#files.get(file);
    if (seen === undefined) this.#files.set(file, (seen = { count: 0, texts: [] }));
    seen.count++;
    if (seen.texts.length < SPELLED_OUT) {
      seen.texts.push(line > 0 ? `${file}:${line}: ${what}` : `${file}: ${what}`);
    }
  }

  get count(): number {
    let count = 0;
    for (const seen of this.#files.values()) count += seen.count;
    return count;
  }

  list(): readonly string[] {
    const all: string[] = [];
    for (const [file, seen] of this.#files) {
      all.push(...seen.texts);
      const more = seen.count - seen.texts.length;
      if (more > 0) all.push(`${file}: ${more} more lines of this kind`);
    }
    return all;
  }
}

/** A line as it is quoted in a problem: short, and safe to print. */
export const quoted = (line: string): string => {
  const short = line.length > 60 ? line.slice(0, 60) + '…' : line;
  return JSON.stringify(short);
};
