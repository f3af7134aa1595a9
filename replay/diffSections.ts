import { Address } from '../core/value/address.js';
import { plural } from './numbers.js';
import { countText, sizeText, type Section } from './sections.js';
import type { ChangedContent } from './changedContent.js';
import type { ChangedPack } from './changedPacks.js';
import type { Changed } from './changedPrograms.js';
import type { ChangedRange, ShownPage } from './changedRanges.js';
import type { ShownSymbol } from './changedSymbols.js';
import type { ShownDiff } from './shownDiff.js';
import type { ShownProgram } from './programs.js';
import type { ShownArea } from './state.js';
import type { UnknownRange } from './unknown.js';

/** `+` for what is new, `-` for what is gone, `~` for what changed. */
const sign = ({ from, to }: Changed<unknown>): string => (from === null ? '+' : to === null ? '-' : '~');

/** Both sides, or the one there is. */
const sides = <T>({ from, to }: Changed<T>, text: (value: T) => string): string => {
  const before = from === null ? null : text(from);
  const after = to === null ? null : text(to);
  if (before === null || after === null) return before ?? after ?? '';
  return before === after ? before : `${before} → ${after}`;
};

const lengthOf = (start: string, end: string): string =>
  sizeText(Address.minus(Address.parse(end) ?? Address.zero, Address.parse(start) ?? Address.zero));

const backsText = (page: ShownPage): string => page.backs ?? '-';

const rangeRow = (range: ChangedRange): readonly string[] => [
  sign(range),
  range.start,
  range.end,
  lengthOf(range.start, range.end),
  sides(range, ({ prot }) => prot),
  sides(range, ({ page_size }) => sizeText(page_size)),
];

const RANGES = [[''], ['start'], ['end'], ['size', 'right'], ['prot'], ['page size']] as const;

const areaRow = (area: Changed<ShownArea>): readonly string[] => [
  sign(area),
  sides(area, ({ start }) => start),
  sides(area, ({ end }) => end),
  sides(area, ({ state }) => state),
  sides(area, ({ caller }) => caller ?? '?'),
];

const chunksText = (list: ChangedPack['taken']): string => {
  const bytes = list.reduce((total, range) => total + range.bytes, 0);
  return bytes === 0 ? '' : `${countText(bytes / 64)} (${countText(bytes)} bytes)`;
};

const packRow = (pack: ChangedPack): readonly string[] => {
  return [sign(pack), pack.start, chunksText(pack.taken), chunksText(pack.freed)];
};

const programRow = (program: Changed<ShownProgram>): readonly string[] => [
  sign(program),
  sides(program, ({ id }) => (id === null ? '?' : String(id))),
  sides(program, ({ name }) => name ?? ''),
  sides(program, ({ chunk, start }) => chunk ?? start ?? '?'),
  sides(program, ({ len }) => countText(len)),
  sides(program, ({ symbol }) => (symbol ? 'symbol' : 'no symbol')),
  sides(program, ({ state }) => state),
];

const symbolRow =
  (mark: string) =>
  ({ start, name }: ShownSymbol): readonly string[] => [mark, start, name];

const contentRow = ({ start, bytes, from, to }: ChangedContent): readonly string[] => [
  start,
  countText(bytes),
  `${from} → ${to}`,
];

const unknownRow =
  (mark: string) =>
  ({ start, end, why }: UnknownRange): readonly string[] => [mark, start, end, why];

const some = (section: Section): readonly Section[] => (section.rows.length === 0 ? [] : [section]);

/** A diff for people. */
export const diffSections = (diff: ShownDiff): readonly Section[] => [
  {
    title: diff.differences === 0 ? 'No differences' : plural(diff.differences, 'difference'),
    columns: [],
    rows: [],
  },
  ...some({ title: 'Mappings', columns: RANGES, rows: diff.mappings.map(rangeRow) }),
  ...some({
    title: 'Direct map, by physical address',
    columns: [...RANGES, ['backs']],
    rows: diff.direct_map.map((range) => [...rangeRow(range), sides(range, backsText)]),
  }),
  ...some({
    title: 'Areas',
    columns: [[''], ['start'], ['end'], ['state'], ['caller']],
    rows: diff.areas.map(areaRow),
  }),
  ...some({
    title: 'Packs',
    columns: [[''], ['start'], ['chunks taken'], ['chunks given back']],
    rows: diff.packs.map(packRow),
  }),
  ...some({
    title: 'Programs',
    columns: [[''], ['id', 'right'], ['name'], ['at'], ['code', 'right'], [''], ['state']],
    rows: diff.programs.map(programRow),
  }),
  ...some({
    title: 'Symbols',
    columns: [[''], ['start'], ['name']],
    rows: [...diff.symbols.removed.map(symbolRow('-')), ...diff.symbols.added.map(symbolRow('+'))],
  }),
  ...some({
    title: 'Content',
    columns: [['start'], ['bytes', 'right'], ['was → is']],
    rows: diff.content.map(contentRow),
  }),
  ...some({
    title: 'Not known',
    columns: [[''], ['start'], ['end'], ['why']],
    rows: [...diff.unknown.removed.map(unknownRow('-')), ...diff.unknown.added.map(unknownRow('+'))],
  }),
  ...some({
    title: 'Counters',
    columns: [['name'], ['was', 'right'], ['is', 'right']],
    rows: Object.entries(diff.counters).map(([name, [from, to]]) => [name, countText(from), countText(to)]),
  }),
];
