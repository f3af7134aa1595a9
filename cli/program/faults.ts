import * as v from 'valibot';
import type { Context } from '../console/context.js';
import { text } from './values.js';

/** Any number of faults. */
export const faultTexts = v.optional(v.array(text), []);

/** Says loudly which faults never happened, since then nothing was tried. True: there are some. */
export const sayNever = (
  context: Context,
  faults: readonly { readonly fault: string; readonly happened: number }[],
): boolean => {
  const never = faults.filter(({ happened }) => happened === 0);
  for (const { fault } of never)
    context.complain(
      `warning: --fail ${fault} never happened: the call was not made, or not so often. Nothing failed because of it.`,
    );
  return never.length > 0;
};
