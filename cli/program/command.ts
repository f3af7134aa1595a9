import type * as v from 'valibot';
import type { Result } from '../../core/value/failure.js';
import type { Context } from '../console/context.js';
import type { Exit } from './exit.js';

/** Flags as commander writes them (`--name <name>`, `<path>`) and what they mean. */
export type Described = readonly [flags: string, about: string];

/** How a command line looks, and an example of what it does. */
export interface Example {
  readonly line: string;
  readonly does: string;
}

/** What commander and the reference need to know of a command, and what runs it. */
export interface Command {
  /** What it does, for its help: a few sentences. */
  readonly about: string;
  readonly arguments: readonly Described[];
  readonly options: readonly Described[];
  readonly examples: readonly Example[];
  /** Arguments and options by name, as commander gives them, to an exit code. A failure is printed by the program. */
  readonly run: (context: Context, given: Readonly<Record<string, unknown>>) => Promise<Result<Exit>>;
}

type Values = v.GenericSchema<Record<string, unknown>, Record<string, unknown>>;

interface CommandOf<S extends Values> extends Omit<Command, 'run'> {
  /** What the arguments and options must be, by name. */
  readonly values: S;
  readonly run: (context: Context, given: v.InferOutput<S>) => Promise<Result<Exit>>;
}

/** A command whose values are checked before it runs. */
export const command = <const S extends Values>({ values, run, ...rest }: CommandOf<S>): Command => ({
  ...rest,
  run: async (context, given) => {
    const checked = (await import('./values.js')).checkValues(values, given);
    return checked.ok ? run(context, checked.value) : checked;
  },
});
