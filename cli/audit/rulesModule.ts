import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import type { Audit, Handlers, Rule, Watch } from '../../core/audit/rule.js';
import { fail, ok, type Failure, type Result } from '../../core/value/failure.js';
import { issueText } from '../../traces/issues.js';

const HINT = 'a module of rules exports `rules`, an array: docs/audit.md has one';

const isFunction = (value: unknown): boolean => typeof value === 'function';

const RuleSchema = v.looseObject({
  id: v.pipe(v.string(), v.regex(/^[A-Za-z][\w.-]*$/, 'an id is a word of letters, digits, dots and dashes')),
  title: v.pipe(v.string(), v.minLength(1)),
  severity: v.picklist(['error', 'warning', 'note']),
  rationale: v.optional(v.string(), ''),
  exceptions: v.optional(v.array(v.string()), []),
  applies: v.optional(v.custom(isFunction, 'expected a function')),
  watch: v.custom(isFunction, 'expected a function'),
});

/** What a rule of a module did wrong while it ran. */
export class RuleError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.what);
    this.name = 'RuleError';
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type Guard = <A extends unknown[], R>(of: (...args: A) => R) => (...args: A) => R;

const guardAll = <H extends object>(handlers: H | undefined, guard: Guard): H | undefined =>
  handlers === undefined
    ? undefined
    : (Object.fromEntries(
        Object.entries(handlers).map(([name, handler]) => [name, guard(handler as () => unknown)]),
      ) as unknown as H);

/** The rule, but what it throws says whose it is. */
const guarded = (rule: Rule, path: string): Rule => {
  const guard: Guard =
    (of) =>
    (...args) => {
      try {
        return of(...args);
      } catch (error) {
        if (error instanceof RuleError) throw error;
        throw new RuleError({
          code: 'rule-failed',
          what: `rule ${rule.id} failed: ${messageOf(error)}`,
          where: path,
        });
      }
    };
  const watch = (audit: Audit): Watch => {
    const { each, ended, rootEnded, begin, end, before, after, entered, returned } = guard(rule.watch)(audit);
    const handlers = {
      before: guardAll<Handlers>(before, guard),
      after: guardAll<Handlers>(after, guard),
      entered: guardAll(entered, guard),
      returned: guardAll(returned, guard),
      each: each && guard(each),
      ended: ended && guard(ended),
      rootEnded: rootEnded && guard(rootEnded),
      begin: begin && guard(begin),
      end: end && guard(end),
    };
    return Object.fromEntries(
      Object.entries(handlers).filter(([, handler]) => handler !== undefined),
    ) as Watch;
  };
  return { ...rule, applies: guard(rule.applies), watch };
};

const always = (): null => null;

/** A checked rule with what may be left out. */
const ruleOf = (given: v.InferOutput<typeof RuleSchema>): Rule =>
  ({ ...given, applies: given.applies ?? always }) as unknown as Rule;

/** Loads an ES module and gives its rules. `taken`: ids that it may not use. */
export const rulesOf = async (path: string, taken: readonly string[]): Promise<Result<readonly Rule[]>> => {
  let module: { readonly rules?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as typeof module;
  } catch (error) {
    return fail(
      'bad-rules',
      `the module cannot be loaded: ${messageOf(error).split('\n')[0] ?? ''}`,
      path,
      HINT,
    );
  }
  if (module.rules === undefined) return fail('bad-rules', 'the module exports no `rules`', path, HINT);
  const checked = v.safeParse(v.array(RuleSchema), module.rules);
  if (!checked.success) return fail('bad-rules', `rules: ${issueText(checked.issues)}`, path, HINT);
  const rules = checked.output.map(ruleOf);
  const ids = [...taken];
  for (const { id } of rules) {
    if (ids.includes(id))
      return fail('bad-rules', `there is a rule ${id} already`, path, 'give it another id');
    ids.push(id);
  }
  return ok(rules.map((rule) => guarded(rule, path)));
};
