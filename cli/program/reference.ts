import { contextOf } from '../console/context.js';
import { COMMANDS } from './commands.js';
import { program } from './program.js';

const WIDTH = 100;

const INTRODUCTION = `# Commands

Made by \`node scripts/commands-doc.js\` from what \`pagetrail --help\` and \`pagetrail COMMAND --help\` print; a test keeps it current. The options of pagetrail itself go with every
command.
What the commands print with \`--json\` is fixed for \`import\`, \`conform\` and \`state\` ([state.md](state.md)), since other tools build on it.
`;

/** Help pages as the command line prints them. */
async function helpOf(args: readonly string[]): Promise<string> {
  let text = '';
  const { commander } = program((settings) => contextOf(settings, process), {
    columns: WIDTH,
    out: (more) => (text += more),
    err: (more) => (text += more),
  });
  await commander.parseAsync(['help', ...args], { from: 'user' });
  return text.replace(/\n\nGlobal Options:\n(?: .*\n)+/, '\n').trimEnd();
}

const block = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

/** docs/commands.md. */
export async function commandsReference(): Promise<string> {
  const parts = [INTRODUCTION, block(await helpOf([]))];
  for (const { name } of COMMANDS) parts.push(`## ${name}`, block(await helpOf([name])));
  return `${parts.join('\n\n')}\n`;
}
