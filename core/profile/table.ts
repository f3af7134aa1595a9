/** The tables of docs/profiles.md. */
import { gradeOf } from './grade.js';
import type { Profile } from './profile.js';
import { PROFILES } from './profiles.js';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

const versions = ({ covers }: Profile): string => {
  if (covers === null) return 'a series';
  const [from, to] = covers;
  return from === to ? from : `${from} to ${to.replace('.*', '.y')}`;
};

const recorded = (profile: Profile): string =>
  Object.entries(profile.recorded)
    .map(([arch, version]) => `${arch} ${version}`)
    .join(', ') || '–';

/** Which profiles there are and what each rests on. */
export const profilesTable = (): string =>
  table(
    ['profile', 'versions', 'what it is', 'source read', 'recorded', 'x86-64', 'its failure paths'],
    PROFILES.map((profile) => [
      `\`${profile.name}\``,
      versions(profile),
      profile.about,
      profile.read.join(', ') || '–',
      recorded(profile),
      gradeOf(profile, 'x86_64', 'normal'),
      gradeOf(profile, 'x86_64', 'failure'),
    ]),
  );

/** Fields that say what a profile is, not what it does. */
const IDENTITY = new Set(['name', 'arch', 'about', 'covers', 'read', 'recorded', 'probes']);

type Values = readonly (readonly [field: string, value: string])[];

const text = (value: unknown): string =>
  Array.isArray(value)
    ? value.join(' ')
    : typeof value === 'boolean'
      ? value
        ? 'yes'
        : 'no'
      : String(value);

const valuesOf = (profile: Profile): Values =>
  Object.entries(profile).flatMap(([field, value]): Values => {
    if (IDENTITY.has(field) || (field === 'pack' && profile.allocator !== 'pack')) return [];
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.entries(value as object).map(([inner, own]) => [`${field}.${inner}`, text(own)] as const);
    const number = typeof value === 'number' && (field === 'areaFlags' || field === 'gfp');
    return [[field, number ? `0x${value.toString(16)}` : text(value)]];
  });

/** Runs of neighbours in the order of the profiles: `5.10 to 6.1, 7.2`. */
const namesText = (names: readonly string[]): string => {
  const all = PROFILES.map(({ name }) => name);
  const runs: string[][] = [];
  for (const name of names) {
    const last = runs.at(-1);
    if (last !== undefined && all.indexOf(last.at(-1) ?? '') === all.indexOf(name) - 1) last.push(name);
    else runs.push([name]);
  }
  return runs
    .map((run) => (run.length > 2 ? `${run[0] ?? ''} to ${run.at(-1) ?? ''}` : run.join(', ')))
    .join(', ');
};

/** Each field that is not the same in all profiles, with its values and who has them. */
export const fieldsTable = (): string => {
  const fields = new Map<string, Map<string, string[]>>();
  for (const profile of PROFILES)
    for (const [field, value] of valuesOf(profile)) {
      const values = fields.get(field) ?? new Map<string, string[]>();
      fields.set(field, values);
      values.set(value, [...(values.get(value) ?? []), profile.name]);
    }
  return table(
    ['field', 'value', 'profiles'],
    [...fields]
      .filter(([, values]) => values.size > 1)
      .flatMap(([field, values]) =>
        [...values].map(([value, names], i) => [i === 0 ? `\`${field}\`` : '', value, namesText(names)]),
      ),
  );
};

const between = (page: string, name: string, content: string): string => {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  return from < 0 || to < 0 ? page : `${page.slice(0, from)}${begin}\n\n${content}\n\n${page.slice(to)}`;
};

/** docs/profiles.md with its tables as the profiles are. */
export const withProfileTables = (page: string): string =>
  between(between(page, 'profiles', profilesTable()), 'fields', fieldsTable());
