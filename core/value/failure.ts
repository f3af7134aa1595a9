/** An expected failure (bad input, damage, conflict): a value, never thrown across a room's border. */
export interface Failure {
  /** Stable, machine-readable: `kebab-case`. */
  readonly code: string;
  /** What is wrong, one sentence without a full stop. */
  readonly what: string;
  /** Where: file, file:line, byte offset, event number. */
  readonly where?: string;
  /** What to do about it. */
  readonly hint?: string;
}

export type Result<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const fail = (code: string, what: string, where?: string, hint?: string): Result<never> => ({
  ok: false,
  error: {
    code,
    what,
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  },
});
