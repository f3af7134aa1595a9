import { contextOf, type Streams } from './console/context.js';
import { COMMANDS } from './program/commands.js';
import { Exit } from './program/exit.js';
import { exitOf, failureLine } from './program/failure.js';
import { program } from './program/program.js';
import { CommanderError, usageFailure } from './program/usage.js';

/** Width of the help where there is no terminal. */
const COLUMNS = 100;

/** Runs one command line (without node and script) and gives its exit code. Only bugs are thrown. */
export async function main(argv: readonly string[], streams: Streams = process): Promise<number> {
  const complain = (line: string): void => {
    streams.stderr.write(`${line}\n`);
  };
  const { commander, outcome } = program((settings) => contextOf(settings, streams), {
    out: (text) => streams.stdout.write(text),
    err: (text) => streams.stderr.write(text),
    columns: streams.stdout.columns ?? COLUMNS,
  });
  try {
    await commander.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const command = COMMANDS.find(({ name }) => argv.includes(name))?.name;
    const failure = usageFailure(error, command);
    if (failure === null) return Exit.nothing;
    complain(failureLine(failure));
    return Exit.badUse;
  }
  const result = outcome();
  if (result === null) return Exit.nothing;
  if (result.ok) return result.value;
  complain(failureLine(result.error));
  return exitOf(result.error);
}
