import type { Arch } from '../../core/arch/arch.js';
import { knownBytes } from '../../core/memory/bytes.js';
import { Memory } from '../../core/memory/memory.js';
import { PageTable, type PageEntry } from '../../core/memory/pageTable.js';
import type { Profile } from '../../core/profile/profile.js';
import { Address, PAGE_SIZE, pageText } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import type { Dump } from '../capture/dump.js';
import type { DumpedRange } from '../capture/pagetable.js';

/** One difference between the rebuilt state and the dump of the real kernel. */
export interface Difference {
  readonly what: 'page' | 'alias' | 'area' | 'symbol' | 'bytes' | 'splits';
  readonly at: string;
  readonly state: string;
  readonly dump: string;
}

/** Figures of one moment, as the fixed output has them. */
export interface MomentFigures {
  readonly moment: string;
  readonly pages_checked: number;
  readonly pages_equal: number;
  readonly pages_unknown: number;
  readonly executable_unknown: number;
  readonly alias_checked: number;
  readonly alias_equal: number;
  readonly alias_unknown: number;
  readonly areas_checked: number;
  readonly areas_equal: number;
  readonly areas_unknown: number;
  readonly symbols_checked: number;
  readonly symbols_equal: number;
  readonly bytes_checked: number;
  readonly bytes_equal: number;
  readonly bytes_unknown: number;
  readonly splits_checked: number;
  readonly splits_equal: number;
  readonly differences: readonly Difference[];
}

const MAX_DIFFERENCES = 100;

const rangeProt = (range: DumpedRange): string =>
  Prot.toText(
    (range.present ? Prot.present : 0) |
      (range.writable ? Prot.writable : 0) |
      (range.executable ? Prot.executable : 0),
  );

const entryText = (entry: PageEntry, phys: number): string => {
  const leaf = entry.shift < 12 ? 'leaf ?' : `leaf ${2 ** (entry.shift - 10)}K`;
  return `${Prot.toText(entry.prot)} ${leaf} phys ${phys >= 0 ? pageText(phys) : '?'}`;
};

const dumpText = (range: DumpedRange, page: number): string =>
  `${rangeProt(range)} leaf ${range.leaf / 1024}K phys ${range.phys === null ? '?' : pageText(range.phys + page - range.start.page)}`;

type Verdict = 'equal' | 'unknown' | 'different';

const judge = (entry: PageEntry, range: DumpedRange, phys: number, wanted: number | null): Verdict => {
  const text = Prot.toText(entry.prot);
  const protKnown = !text.includes('?');
  if (protKnown && text !== rangeProt(range)) return 'different';
  if (entry.shift >= 12 && 2 ** entry.shift !== range.leaf && range.present) return 'different';
  if (phys >= 0 && wanted !== null && phys !== wanted) return 'different';
  // A page that the kernel has taken out of the tables has neither leaf nor frame.
  if (!range.present) return protKnown ? 'equal' : 'unknown';
  return protKnown && entry.shift >= 12 && phys >= 0 ? 'equal' : 'unknown';
};

const key = (at: Address, name: string): string => `${Address.toText(at)} ${name}`;

/** Compares a rebuilt memory with a dump of the real kernel at the same moment. */
export const compareMoment = (
  moment: string,
  memory: Memory,
  dump: Dump,
  arch: Arch,
  profile: Profile,
): MomentFigures => {
  const differences: Difference[] = [];
  const differ = (what: Difference['what'], at: string, state: string, real: string): void => {
    if (differences.length < MAX_DIFFERENCES) differences.push({ what, at, state, dump: real });
  };
  const figures = {
    moment,
    pages_checked: 0,
    pages_equal: 0,
    pages_unknown: 0,
    executable_unknown: 0,
    alias_checked: 0,
    alias_equal: 0,
    alias_unknown: 0,
    areas_checked: 0,
    areas_equal: 0,
    areas_unknown: 0,
    symbols_checked: 0,
    symbols_equal: 0,
    bytes_checked: 0,
    bytes_equal: 0,
    bytes_unknown: 0,
    splits_checked: 0,
    splits_equal: 0,
  };

  const dumped = new Set<number>();
  for (const range of dump.executableArea)
    for (let page: number = range.start.page; page < range.end.page; page++) {
      dumped.add(page);
      figures.pages_checked++;
      const entry = Memory.page(memory, page);
      const verdict =
        entry === null
          ? 'unknown'
          : judge(
              entry,
              range,
              entry.frame,
              range.phys === null ? null : range.phys + page - range.start.page,
            );
      if (verdict === 'equal') figures.pages_equal++;
      else if (verdict === 'unknown') {
        figures.pages_unknown++;
        if (range.executable) figures.executable_unknown++;
      } else
        differ(
          'page',
          pageText(page),
          entry === null ? 'unknown' : entryText(entry, entry.frame),
          dumpText(range, page),
        );
    }
  // What the state has mapped in that part of the address space and the kernel has not.
  const first =
    arch.moduleRange(true)[0] < arch.moduleRange(false)[0]
      ? arch.moduleRange(true)[0]
      : arch.moduleRange(false)[0];
  for (const [page, node, slot] of PageTable.pages(memory.virtual, first))
    if (!dumped.has(page) && Prot.has(node.prot[slot] as number, Prot.present))
      differ('page', pageText(page), `mapped ${Prot.toText(node.prot[slot] as number)}`, 'not mapped');

  for (const range of [...dump.directMap, ...dump.formerDirectMap, ...dump.notPresent]) {
    if (range.phys === null) continue;
    for (let i = 0; i < range.end.page - range.start.page; i++) {
      const pfn = range.phys + i;
      figures.alias_checked++;
      const entry = Memory.alias(memory, pfn);
      const verdict = entry === null ? 'unknown' : judge(entry, range, pfn, pfn);
      if (verdict === 'equal') figures.alias_equal++;
      else if (verdict === 'unknown') figures.alias_unknown++;
      else
        differ(
          'alias',
          pageText(range.start.page + i),
          entry === null ? 'unknown' : entryText(entry, pfn),
          dumpText(range, range.start.page + i),
        );
    }
  }

  const areas = new Map<number, number>();
  for (const area of Memory.areas(memory))
    if (area.state === 'live') areas.set(area.start, area.start + area.pages);
  for (const area of dump.areas) {
    if (area.lazy) continue;
    figures.areas_checked++;
    const end = areas.get(area.start.page);
    areas.delete(area.start.page);
    if (end === undefined) figures.areas_unknown++;
    else if (end === area.end.page) figures.areas_equal++;
    else
      differ(
        'area',
        Address.toText(area.start),
        `ends at ${pageText(end)}`,
        `ends at ${Address.toText(area.end)}`,
      );
  }
  const outside = dump.areas.reduce((low, area) => Math.min(low, area.start.page), Infinity);
  for (const [start, end] of areas)
    if (start >= outside || start >= first)
      differ('area', pageText(start), `live, ends at ${pageText(end)}`, 'no such area');

  const names = new Map<string, number>();
  for (const symbol of Memory.symbols(memory))
    names.set(key(symbol.start, symbol.name), (names.get(key(symbol.start, symbol.name)) ?? 0) + 1);
  for (const symbol of dump.symbols) {
    figures.symbols_checked++;
    const k = key(symbol.address, symbol.name);
    const count = names.get(k) ?? 0;
    if (count > 0) {
      figures.symbols_equal++;
      if (count === 1) names.delete(k);
      else names.set(k, count - 1);
    } else differ('symbol', Address.toText(symbol.address), 'not published', symbol.name);
  }
  for (const k of names.keys())
    differ('symbol', k.split(' ')[0] as string, k.split(' ')[1] as string, 'no such symbol');

  const pages = dump.bytes === null ? [] : dump.bytes.pages();
  for (const page of pages) {
    const real = dump.bytes?.page(page) as Uint8Array;
    const known = knownBytes(memory, page, arch.trap, profile.chargeUnit === 'pages');
    figures.bytes_checked += PAGE_SIZE;
    if (known === null) {
      figures.bytes_unknown += PAGE_SIZE;
      continue;
    }
    compareBytes(page, real, 0, PAGE_SIZE, known, figures, differ);
  }
  for (const page of dump.bytes?.partialPages() ?? []) {
    const part = dump.bytes?.part(page) ?? null;
    const known = knownBytes(memory, page, arch.trap, profile.chargeUnit === 'pages');
    for (const { from, to } of part?.known ?? []) {
      figures.bytes_checked += to - from;
      if (known === null || part === null) figures.bytes_unknown += to - from;
      else compareBytes(page, part.bytes, from, to, known, figures, differ);
    }
  }

  for (const [name, value] of [
    ['direct_map_level2_splits', memory.counters.level2Splits],
    ['direct_map_level3_splits', memory.counters.level3Splits],
    ['direct_map_level2_collapses', memory.counters.level2Collapses],
    ['direct_map_level3_collapses', memory.counters.level3Collapses],
  ] as const) {
    const real = dump.vmstat[name];
    if (real === undefined) continue;
    figures.splits_checked++;
    if (real === value) figures.splits_equal++;
    else differ('splits', name, String(value), String(real));
  }
  return { ...figures, differences };
};

const compareBytes = (
  page: number,
  real: Uint8Array,
  from: number,
  to: number,
  known: { readonly bytes: Uint8Array; readonly known: Uint8Array },
  figures: { bytes_equal: number; bytes_unknown: number },
  differ: (what: Difference['what'], at: string, state: string, real: string) => void,
): void => {
  let reported = false;
  for (let i = from; i < to; i++) {
    if (known.known[i] === 0) figures.bytes_unknown++;
    else if (known.bytes[i] === real[i]) figures.bytes_equal++;
    else if (!reported) {
      reported = true;
      const hex = (bytes: Uint8Array): string =>
        Buffer.from(bytes.subarray(i, Math.min(i + 8, to))).toString('hex');
      differ('bytes', Address.toText(Address.of(page, i)), hex(known.bytes), hex(real));
    }
  }
};
