import type { Memory } from '../core/memory/memory.js';
import { Address } from '../core/value/address.js';
import type { ShownPack } from './packs.js';
import { programs, type ShownProgram } from './programs.js';
import { directMap, type AliasRange, type MappedRange } from './ranges.js';
import { plural } from './numbers.js';
import { countText, sizeText, type Section, type SectionColumn } from './sections.js';
import type { ShownArea, State } from './state.js';

const RIGHT = 'right';
const UNKNOWN = '?';

const bytesBetween = (start: string, end: string): number =>
  Address.minus(Address.parse(end) ?? Address.zero, Address.parse(start) ?? Address.zero);

const lengthText = (start: string | null, end: string | null): string =>
  start === null || end === null ? UNKNOWN : sizeText(bytesBetween(start, end));

const MAPPED: readonly SectionColumn[] = [
  ['start'],
  ['end'],
  ['size', RIGHT],
  ['page size', RIGHT],
  ['prot'],
  ['physical'],
];

const mappedRow = (range: MappedRange | AliasRange): readonly string[] => [
  range.start ?? UNKNOWN,
  range.end ?? UNKNOWN,
  lengthText(range.start, range.end),
  sizeText(range.page_size),
  range.prot,
  range.phys ?? UNKNOWN,
];

const areaRow = ({ start, end, state, guard, caller }: ShownArea): readonly string[] => [
  start,
  end,
  sizeText(bytesBetween(start, end)),
  state,
  guard ? 'guard' : '',
  caller ?? UNKNOWN,
];

const packRow = ({ start, size, chunks_total, chunks_used, content }: ShownPack): readonly string[] => [
  start,
  sizeText(size),
  `${countText(chunks_used)} of ${countText(chunks_total)}`,
  ...[content.program, content.trap, content.zero, content.leftover, content.unknown].map(countText),
];

const programRow = (program: ShownProgram): readonly string[] => [
  program.id === null ? UNKNOWN : String(program.id),
  program.name ?? '',
  program.tag ?? '',
  program.kind,
  program.chunk ?? UNKNOWN,
  countText(program.chunk_len),
  program.start ?? UNKNOWN,
  countText(program.len),
  program.symbol ? 'yes' : 'no',
  program.state,
];

/** `of` belongs to what is counted, `after` explains the rows. */
const titled = (n: number, one: string, of = '', after = ''): string =>
  n === 0 ? `No ${one}s${of}` : `${plural(n, one)}${of}${after}`;

const sectionsOf = (
  state: State,
  all: { readonly aliases: readonly AliasRange[]; readonly programs: readonly ShownProgram[] },
): readonly Section[] => [
  {
    title: titled(state.mappings.length, 'mapping'),
    columns: MAPPED,
    rows: state.mappings.map(mappedRow),
  },
  {
    title: titled(
      all.aliases.length,
      'range',
      ' of the direct map',
      ': what backs a mapping, backed code, or is not rw-',
    ),
    columns: [...MAPPED, ['backs']],
    rows: all.aliases.map((range) => [...mappedRow(range), range.backs ?? '']),
  },
  {
    title: titled(state.areas.length, 'area'),
    columns: [['start'], ['end'], ['size', RIGHT], ['state'], [''], ['caller']],
    rows: state.areas.map(areaRow),
  },
  {
    title: titled(state.packs.length, 'pack', '', ': chunks used, and bytes by what lies there'),
    columns: [
      ['start'],
      ['size', RIGHT],
      ['chunks', RIGHT],
      ['program', RIGHT],
      ['trap', RIGHT],
      ['zero', RIGHT],
      ['leftover', RIGHT],
      ['unknown', RIGHT],
    ],
    rows: state.packs.map(packRow),
  },
  {
    title: titled(all.programs.length, 'program'),
    columns: [
      ['id', RIGHT],
      ['name'],
      ['tag'],
      ['kind'],
      ['chunk'],
      ['bytes', RIGHT],
      ['entry'],
      ['code', RIGHT],
      ['symbol'],
      ['state'],
    ],
    rows: all.programs.map(programRow),
  },
  {
    title:
      state.unknown.length === 0
        ? 'Nothing that matters is unknown'
        : `${plural(state.unknown.length, 'range')} of which something is not known`,
    columns: [['start'], ['end'], ['size', RIGHT], ['why']],
    rows: state.unknown.map(({ start, end, why }) => [start, end, sizeText(bytesBetween(start, end)), why]),
  },
];

/** A state for people: with what is known of programs and of the direct map in part only. */
export const stateSections = (state: State, memory: Memory): readonly Section[] =>
  sectionsOf(state, { aliases: directMap(memory), programs: programs(memory) });
