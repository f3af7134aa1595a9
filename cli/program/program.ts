import { Command as Commander } from 'commander';
import { fail, type Result } from '../../core/value/failure.js';
import type { Context, Settings } from '../console/context.js';
import type { Command } from './command.js';
import { COMMANDS, type Entry } from './commands.js';
import type { Exit } from './exit.js';
import { version } from './version.js';

export interface ProgramOptions {
  /** Width of the help. */
  readonly columns: number;
  /** Where help and version go. */
  readonly out: (text: string) => void;
  /** Where help goes when it was not asked for. */
  readonly err: (text: string) => void;
}

/** The commander of all commands. Arguments and options of a command are defined when it is asked for. */
export interface Program {
  readonly commander: Commander;
  /** What the command that ran has to say; null when none ran (help, version). */
  readonly outcome: () => Result<Exit> | null;
}

const GLOBAL_OPTIONS = [
  ['--db <file>', 'the log, an SQLite file', 'pagetrail.db'],
  ['--json', 'print JSON for machines', undefined],
  ['--quiet', 'results only: no progress, no advice', undefined],
  ['--no-color', 'no colours on a terminal (NO_COLOR does the same)', undefined],
] as const;

const camel = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Adds what the help and the parser must know of a command. */
export function define(commander: Commander, command: Command): void {
  commander.description(command.about);
  for (const [flags, about] of command.arguments) commander.argument(flags, about);
  for (const [flags, about] of command.options)
    // `<value>...`: given any number of times, one value each; `<value...>` takes all that follow.
    if (flags.endsWith('>...'))
      commander.option<readonly string[]>(flags.slice(0, -'...'.length), about, (value, before) => [
        ...(before ?? []),
        value,
      ]);
    else commander.option(flags, about);
  const lines = command.examples.map(({ line, does }) => `  $ ${line}\n      ${does}`);
  commander.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

const settingsOf = (commander: Commander): Settings => {
  const { db, json, quiet, color } = commander.opts<Partial<Settings>>();
  return { db: db ?? 'pagetrail.db', json: json ?? false, quiet: quiet ?? false, color: color ?? true };
};

const EXIT_CODES = `
Exit codes: 0 nothing found, or done; 1 findings, differences or damage; 2 bad use or bad input; 3 a bug of pagetrail;
4 nothing found, but something relevant is unknown.
A moment is TRACE@WHERE: an event (42), a marker (#loaded8), a time (6.817602s), start, or end.

New here? pagetrail start`;

/** Makes the program; `contextOf` makes what a command works with. */
export function program(contextOf: (settings: Settings) => Context, options: ProgramOptions): Program {
  let outcome: Result<Exit> | null = null;
  const defined = new Map<Commander, Command>();
  const root = new Commander('pagetrail')
    .description('A flight recorder and a time machine for executable kernel memory.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: options.columns })
    .configureOutput({
      writeOut: options.out,
      writeErr: options.err,
      outputError: () => {}, // main prints the error
    });
  for (const [flags, about, value] of GLOBAL_OPTIONS) root.option(flags, about, value);
  root.addHelpText('after', EXIT_CODES);

  const load = async (entry: Entry, commander: Commander): Promise<Command> => {
    const known = defined.get(commander);
    if (known !== undefined) return known;
    const command = await entry.load();
    defined.set(commander, command);
    define(commander, command);
    return command;
  };

  const entries = new Map<Commander, Entry>();
  for (const entry of COMMANDS) {
    const sub = root
      .command(entry.name)
      .summary(entry.summary)
      .helpGroup(entry.group)
      .allowExcessArguments(false)
      .helpOption('-h, --help', 'print this help');
    sub.action(async () => {
      const command = await load(entry, sub);
      const given: Record<string, unknown> = { ...sub.opts<Record<string, unknown>>() };
      for (const [i, argument] of sub.registeredArguments.entries())
        given[camel(argument.name())] = sub.processedArgs[i] as unknown;
      outcome = await command.run(contextOf(settingsOf(root)), given);
    });
    entries.set(sub, entry);
  }
  root.hook('preSubcommand', async (_, sub) => {
    const entry = entries.get(sub);
    if (entry !== undefined) await load(entry, sub);
  });

  root
    .command('help')
    .summary('print the help of a command')
    .helpGroup('Help:')
    .argument('[command]', 'its name')
    .action(async (name: string | undefined) => {
      const found = [...entries].find(([, entry]) => entry.name === name);
      if (found !== undefined) {
        const [sub, entry] = found;
        await load(entry, sub);
        sub.outputHelp();
      } else if (name === undefined || name === 'help') root.outputHelp();
      else
        outcome = fail(
          'unknown-command',
          `there is no command '${name}'`,
          undefined,
          'pagetrail help lists them',
        );
    });
  return { commander: root, outcome: () => outcome };
}
