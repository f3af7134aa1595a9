import type { BaseIssue } from 'valibot';

/** Path of a value inside a document, `operations[3].functions[0].image`; `''` for the document itself. */
export const pathText = (keys: readonly (string | number)[]): string =>
  keys.reduce<string>(
    (path, key) => (typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`),
    '',
  );

const pathOf = (issue: BaseIssue<unknown>): (string | number)[] =>
  (issue.path ?? []).flatMap(({ key }) => (typeof key === 'string' || typeof key === 'number' ? [key] : []));

/** What is wrong with a value, to go behind its path. */
const problemText = ({ type, received, expected, message }: BaseIssue<unknown>): string => {
  if (type === 'strict_object' && expected === 'never') return 'there is no such name in the format';
  if (received === 'undefined') return 'missing';
  return expected !== null && message.startsWith('Invalid ')
    ? `expected ${expected}, found ${received}`
    : message;
};

/** The first issue of a valibot parse with its path (below `prefix`), and how many more there are. */
export const issueText = (
  issues: readonly BaseIssue<unknown>[],
  prefix: readonly (string | number)[] = [],
): string => {
  const [issue] = issues;
  if (issue === undefined) return 'not as expected';
  const path = pathText([...prefix, ...pathOf(issue)]);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const name = path === '' ? 'the document' : path;
  return `${name}: ${problemText(issue)}${more}`;
};
