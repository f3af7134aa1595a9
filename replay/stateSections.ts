import { Address } from '../core/value/address.js';
import type { ShownPack } from './packs.js';
import type { ShownProgram } from './programs.js';
import type { AliasRange, MappedRange } from './ranges.js';
import { countText, plural, secondsText, sizeText, type Section, type SectionColumn } from './sections.js';
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

const titled = (n: number, one: string, many: string | undefined, after: string): string =>
  n === 0 ? `No ${many ?? `${one}s`}${after}` : `${plural(n, one, many)}${after}`;

/** The moment, in one line. */
export const stateTitle = (state: State): string =>
  [
    `${state.trace} ${state.seq === 0 ? 'before its first event' : `after event ${state.seq}`}`,
    secondsText(Number(state.time_ns)),
    state.kernel === null ? null : `kernel ${state.kernel}`,
    state.arch,
    `JIT memory charged: ${state.jit_charged === null ? 'not known' : `${countText(state.jit_charged)} bytes`}`,
  ]
    .filter((part) => part !== null)
    .join(', ');

/** A state for people. */
export const stateSections = (state: State): readonly Section[] => [
  { title: stateTitle(state), columns: [], rows: [] },
  {
    title: titled(state.mappings.length, 'mapping', undefined, ''),
    columns: MAPPED,
    rows: state.mappings.map(mappedRow),
  },
  {
    title: titled(
      state.direct_map.length,
      'range',
      undefined,
      ' of the direct map that differ or back a mapping',
    ),
    columns: [...MAPPED, ['backs']],
    rows: state.direct_map.map((range) => [...mappedRow(range), range.backs ?? '']),
  },
  {
    title: titled(state.areas.length, 'area', undefined, ''),
    columns: [['start'], ['end'], ['size', RIGHT], ['state'], [''], ['caller']],
    rows: state.areas.map(areaRow),
  },
  {
    title: titled(state.packs.length, 'pack', undefined, ': chunks used, and bytes by what lies there'),
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
    title: titled(state.programs.length, 'program', undefined, ''),
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
    rows: state.programs.map(programRow),
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
