import { fail, ok, type Result } from '../../core/value/failure.js';
import { nearNames } from '../../store/index.js';
import { pairs } from '../console/table.js';
import { MOVES } from './moves.js';
import { QUESTIONS } from './questions.js';
import type { Answer, Session, ShellCommand } from './session.js';

const HELP: ShellCommand = {
  names: ['help', 'h', '?'],
  usage: 'help',
  about: 'this list',
  run: () => {
    const list = SHELL_COMMANDS.map(({ usage, about, names }) => {
      const short = names.slice(1).join(', ');
      return [usage, short === '' ? about : `${about} (${short})`] as const;
    });
    return ok({
      lines: pairs(list),
      json: { commands: SHELL_COMMANDS.map(({ usage, about }) => ({ usage, about })) },
    });
  },
};

const QUIT: ShellCommand = {
  names: ['quit', 'q', 'exit'],
  usage: 'quit',
  about: 'leave',
  run: () => ok(null),
};

export const SHELL_COMMANDS: readonly ShellCommand[] = [...MOVES, ...QUESTIONS, HELP, QUIT];

export const COMMAND_NAMES: readonly string[] = SHELL_COMMANDS.map(({ names }) => names[0] ?? '');

/** Runs one line of a session; null ends it. */
export function runLine(session: Session, line: string): Result<Answer | null> {
  const [word = '', ...words] = line.trim().split(/\s+/);
  const found = SHELL_COMMANDS.find(({ names }) => names.includes(word));
  if (found !== undefined) return found.run(session, words);
  const near = nearNames(word, COMMAND_NAMES);
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'help lists the commands';
  return fail('unknown-command', `there is no command '${word}'`, undefined, hint);
}
