/** What options and arguments may hold, checked once at the edge. */
import * as v from 'valibot';
import { fail, ok, type Result } from '../../core/value/failure.js';

/** A value's name as it is typed: `fail-on`. */
const optionName = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The values by name, or the first that is wrong. Its message says what it should be, and after a bar what to do. */
export function checkValues<const S extends v.GenericSchema<unknown, unknown>>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
): Result<v.InferOutput<S>> {
  const checked = v.safeParse(schema, given);
  if (checked.success) return ok(checked.output);
  const issue = checked.issues[0];
  const name = v.getDotPath(issue) ?? '';
  const [what = '', hint] = issue.message.split(' | ');
  return fail('bad-value', what.replace('NAME', optionName(name)), undefined, hint);
}

/** A text that is not empty. */
export const text = v.pipe(v.string('NAME is missing'), v.minLength(1, 'NAME is empty | give it a value'));

/** A whole number, not negative. */
export const count = v.pipe(
  v.string('NAME is missing'),
  v.regex(/^\d{1,15}$/, 'NAME is not a whole number | give one, such as 10'),
  v.transform(Number),
);

/** A flag. */
export const flag = v.optional(v.boolean(), false);

/** One of several words. */
export const oneOf = <const W extends readonly string[]>(words: W) =>
  v.picklist(words, `NAME is none of ${words.join(', ')} | choose one of them`);

/** 64 hex digits. */
export const hash = v.pipe(
  v.string(),
  v.regex(
    /^[0-9a-f]{64}$/i,
    'NAME is not a hash | a hash has 64 hex digits, as `pagetrail traces --json` prints it',
  ),
);
