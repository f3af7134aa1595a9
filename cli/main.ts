import { processContext } from './console/context.js';
import { COMMANDS } from './program/commands.js';
import { Exit } from './program/exit.js';
import { exitOf, failureLine } from './program/failure.js';
import { program } from './program/program.js';
import { CommanderError, usageFailure } from './program/usage.js';

/** Runs one command line (without node and script) and gives its exit code. Only bugs are thrown. */
export async function main(argv: readonly string[]): Promise<number> {
  const { commander, outcome } = program(processContext);
  try {
    await commander.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const command = COMMANDS.find(({ name }) => argv.includes(name))?.name;
    const failure = usageFailure(error, command);
    if (failure === null) return Exit.nothing;
    process.stderr.write(`${failureLine(failure)}\n`);
    return Exit.badUse;
  }
  const result = outcome();
  if (result === null) return Exit.nothing;
  if (result.ok) return result.value;
  process.stderr.write(`${failureLine(result.error)}\n`);
  return exitOf(result.error);
}
