import { CommanderError } from 'commander';
import type { Failure } from '../../core/value/failure.js';

/** What commander found wrong with the command line; null when it only printed help or the version. */
export function usageFailure(error: CommanderError, command: string | undefined): Failure | null {
  if (error.exitCode === 0) return null;
  const help = command === undefined ? 'pagetrail --help' : `pagetrail ${command} --help`;
  if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed')
    return {
      code: 'no-command',
      what: 'say what to do',
      hint: `${help} lists the commands; \`pagetrail start\` shows what it is for`,
    };
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const near = suggestion?.replace(/^\(/, '').replace(/\)$/, '');
  return {
    code: error.code.replace('commander.', 'usage-'),
    what: message.replace(/\.$/, ''),
    ...(command === undefined ? {} : { where: command }),
    hint: near ?? `${help} shows how it is used`,
  };
}

export { CommanderError };
