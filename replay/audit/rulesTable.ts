import { RULES } from '../../core/audit/rules.js';

const BEGIN = '<!-- rules -->';
const END = '<!-- end of rules -->';

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('*', '\\*').replaceAll('_', '\\_');

const table = (): string =>
  [
    '| rule | severity | what must hold | why | exceptions |',
    '| --- | --- | --- | --- | --- |',
    ...RULES.map(
      ({ id, severity, title, rationale, exceptions }) =>
        `| ${[id, severity, cell(title), cell(rationale), cell(exceptions.join('; '))].join(' | ')} |`,
    ),
  ].join('\n');

/** docs/audit.md with the table of rules as they are. */
export const withRulesTable = (page: string): string => {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  return begin < 0 || end < 0 ? page : `${page.slice(0, begin)}${BEGIN}\n\n${table()}\n\n${page.slice(end)}`;
};
