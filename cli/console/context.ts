import type { Readable, Writable } from 'node:stream';
import { Style } from './style.js';

/** What the global options say. */
export interface Settings {
  /** File of the log. */
  readonly db: string;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

type Terminal<S> = S & { readonly isTTY?: boolean; readonly columns?: number };

/** The streams and variables of a process: what the command line has of the world, besides files. */
export interface Streams {
  readonly stdin: Terminal<Readable>;
  readonly stdout: Terminal<Writable>;
  readonly stderr: Terminal<Writable>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Where a command reads and writes, and how. */
export interface Context {
  readonly settings: Settings;
  /** How the user calls this program: what advice on the screen begins with. */
  readonly program: string;
  readonly style: Style;
  readonly stdin: Terminal<Readable>;
  readonly stdout: Terminal<Writable>;
  /** Standard error is a terminal and progress is wanted. */
  readonly showsProgress: boolean;
  /** Lines to standard output. */
  readonly print: (...lines: readonly string[]) => void;
  /** Text or bytes to standard output; resolves when more can be written without piling up. */
  readonly write: (part: string | Uint8Array) => Promise<void>;
  /** A value as JSON to standard output, readable when it is a terminal's. */
  readonly printJson: (value: unknown) => void;
  /** Advice and remarks for people: not with --json or --quiet. */
  readonly remark: (...lines: readonly string[]) => void;
  /** Lines to standard error, whatever the options. */
  readonly complain: (...lines: readonly string[]) => void;
  /** Text to standard error as it is (progress). */
  readonly toTerminal: (text: string) => void;
}

const ended = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Colours belong on a terminal whose user has not asked for none (https://no-color.org). */
const wantsColours = ({ color }: Settings, { stdout, env }: Streams): boolean =>
  color && stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';

export function contextOf(settings: Settings, streams: Streams): Context {
  const { stdin, stdout, stderr } = streams;
  const write = (part: string | Uint8Array): Promise<void> =>
    stdout.write(part) ? Promise.resolve() : new Promise((resolve) => stdout.once('drain', resolve));
  const print = (...lines: readonly string[]): void => {
    stdout.write(ended(lines));
  };
  return {
    settings,
    // npm and npx say so; in a checkout there is no other way to call it by name.
    program: streams.env['npm_command'] === undefined ? 'pagetrail' : 'npx pagetrail',
    style: wantsColours(settings, streams) ? Style.colours : Style.none,
    stdin,
    stdout,
    showsProgress: stderr.isTTY === true && !settings.quiet,
    print,
    write,
    printJson: (value) => print(JSON.stringify(value, null, 2)),
    remark: (...lines) => {
      if (!settings.json && !settings.quiet) print(...lines);
    },
    complain: (...lines) => {
      stderr.write(ended(lines));
    },
    toTerminal: (text) => {
      stderr.write(text);
    },
  };
}
