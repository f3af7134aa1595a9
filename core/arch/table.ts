/** The table of docs/architectures.md. */
import { portOf } from './port.js';
import type { Arch } from './arch.js';
import { ARCHES } from './arches.js';
import { setsDirectMap } from './arch.js';
import { gradeOf } from '../profile/grade.js';
import { PROFILES } from '../profile/profiles.js';
import { Prot } from '../value/prot.js';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const sizeText = (shift: number): string =>
  shift >= 30 ? `${2 ** (shift - 30)}G` : shift >= 20 ? `${2 ** (shift - 20)}M` : `${2 ** (shift - 10)}K`;

/** First and last profile for which something holds; `–`: none. */
const span = (arch: Arch, holds: (profile: (typeof PROFILES)[number]) => boolean): string => {
  const names = PROFILES.filter(
    (profile) => arch.missing(profile) === null && holds(portOf(profile, arch)),
  ).map(({ name }) => name);
  const first = names[0];
  if (first === undefined) return '–';
  return names.at(-1) === PROFILES.at(-1)?.name ? `from ${first}` : `${first} to ${names.at(-1) ?? ''}`;
};

const newest = PROFILES.at(-1) as (typeof PROFILES)[number];

const grades = (arch: Arch): string => {
  const counts = new Map<string, number>();
  for (const profile of PROFILES)
    if (arch.missing(profile) === null) {
      const grade = gradeOf(profile, arch.name, 'normal');
      counts.set(grade, (counts.get(grade) ?? 0) + 1);
    }
  return [...counts].map(([grade, count]) => `${count} ${grade}`).join(', ');
};

/** What each architecture is, from the modules themselves. */
export const archesTable = (): string => {
  const head = [
    'architecture',
    'page',
    'leaves',
    'packs',
    'own text copies',
    'new area',
    'read-only alias',
    'set_direct_map',
    'fill',
    'profiles, how sure',
  ];
  return [
    row(head),
    row(head.map(() => '---')),
    ...ARCHES.map((arch) => {
      const port = portOf(newest, arch);
      return row([
        `\`${arch.name}\``,
        sizeText(Math.log2(arch.pageSize)),
        arch.leafShifts.map(sizeText).join(' '),
        span(arch, ({ allocator }) => allocator === 'pack'),
        span(arch, ({ textCopy }) => textCopy === 'own'),
        Prot.toText(arch.areaProt(port)),
        span(arch, (profile) => arch.mirrorsReadOnly(profile)),
        span(arch, (profile) => setsDirectMap(arch, profile)),
        `0x${(arch.trap >>> 0).toString(16).padStart(8, '0')}`,
        grades(arch),
      ]);
    }),
  ].join('\n');
};

const BEGIN = '<!-- architectures -->';
const END = '<!-- end of architectures -->';

/** A page with its table made new. */
export const withArchesTable = (page: string): string => {
  const [before = '', rest = ''] = page.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}\n\n${archesTable()}\n\n${END}${after}`;
};
