/** A command of a documentation page and what it prints there. */
export interface ConsoleCommand {
  /** As it is written after `$ `. */
  readonly line: string;
  readonly output: string;
}

const BLOCK = /^```console\n([\s\S]*?)^```$/gm;

/** The commands of all `console` blocks of a page, in order. */
export const consoleCommands = (page: string): readonly ConsoleCommand[] =>
  [...page.matchAll(BLOCK)].flatMap(([, body = '']) =>
    body
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { line: part.slice(0, end), output: part.slice(end + 1) };
      }),
  );

/** The page with each command followed by what `run` says that it prints. */
export async function withOutputs(page: string, run: (line: string) => Promise<string>): Promise<string> {
  let text = '';
  let last = 0;
  for (const found of page.matchAll(BLOCK)) {
    text += `${page.slice(last, found.index)}\`\`\`console\n`;
    for (const { line } of consoleCommands(found[0])) text += `$ ${line}\n${await run(line)}`;
    text += '```';
    last = found.index + found[0].length;
  }
  return text + page.slice(last);
}
