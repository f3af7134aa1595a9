import type { Arch } from '../../core/arch/arch.js';
import { knownBytes, type KnownBytes } from '../../core/memory/bytes.js';
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

/** What was counted at one moment. */
interface Figures {
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
}

/** Figures of one moment, as the fixed output has them. */
export interface MomentFigures extends Figures {
  readonly moment: string;
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

/** Figures and differences of one moment while they are gathered. */
interface Tally {
  readonly figures: { -readonly [K in keyof Figures]: Figures[K] };
  readonly differences: Difference[];
}

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

/** What is being compared, and with what. */
interface Sides {
  readonly memory: Memory;
  readonly dump: Dump;
  readonly arch: Arch;
  readonly profile: Profile;
  /** False for a trace that began without a dump: older symbols and counters are not known, which is no difference. */
  readonly given: boolean;
}

const newTally = (): Tally => ({
  figures: {
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
  },
  differences: [],
});

const differ = (tally: Tally, what: Difference['what'], at: string, state: string, real: string): void => {
  if (tally.differences.length < MAX_DIFFERENCES) tally.differences.push({ what, at, state, dump: real });
};

/** First page of the part of the address space that dumps cover. */
const dumpedFrom = (arch: Arch): number => Math.min(arch.moduleRange(true)[0], arch.moduleRange(false)[0]);

/** Calls `visit` with each page of a range and the frame that the dump shows for it. */
const eachPage = (range: DumpedRange, visit: (page: number, frame: number | null) => void): void => {
  for (let page: number = range.start.page; page < range.end.page; page++)
    visit(page, range.phys === null ? null : range.phys + page - range.start.page);
};

const comparePages = ({ memory, dump, arch }: Sides, tally: Tally): void => {
  const { figures } = tally;
  const dumped = new Set<number>();
  for (const range of dump.executableArea)
    eachPage(range, (page, frame) => {
      dumped.add(page);
      figures.pages_checked++;
      const entry = Memory.page(memory, page);
      const verdict = entry === null ? 'unknown' : judge(entry, range, entry.frame, frame);
      if (verdict === 'equal') figures.pages_equal++;
      else if (verdict === 'unknown') {
        figures.pages_unknown++;
        if (range.executable) figures.executable_unknown++;
      } else if (entry !== null)
        differ(tally, 'page', pageText(page), entryText(entry, entry.frame), dumpText(range, page));
    });
  if (dump.absent.includes('pagetable.txt')) return;
  // What the state has mapped in that part of the address space and the kernel has not.
  for (const [page, node, slot] of PageTable.pages(memory.virtual, dumpedFrom(arch))) {
    const prot = node.prot[slot] as number;
    if (!dumped.has(page) && Prot.has(prot, Prot.present))
      differ(tally, 'page', pageText(page), `mapped ${Prot.toText(prot)}`, 'not mapped');
  }
};

const compareAliases = ({ memory, dump }: Sides, tally: Tally): void => {
  const { figures } = tally;
  for (const range of [...dump.directMap, ...dump.formerDirectMap, ...dump.notPresent])
    eachPage(range, (page, pfn) => {
      if (pfn === null) return;
      figures.alias_checked++;
      const entry = Memory.alias(memory, pfn);
      const verdict = entry === null ? 'unknown' : judge(entry, range, pfn, pfn);
      if (verdict === 'equal') figures.alias_equal++;
      else if (verdict === 'unknown') figures.alias_unknown++;
      else if (entry !== null)
        differ(tally, 'alias', pageText(page), entryText(entry, pfn), dumpText(range, page));
    });
};

const compareAreas = ({ memory, dump, arch }: Sides, tally: Tally): void => {
  if (dump.absent.includes('vmallocinfo.txt')) return;
  const { figures } = tally;
  const ends = new Map<number, number>();
  for (const area of Memory.areas(memory))
    if (area.state === 'live') ends.set(area.start, area.start + area.pages);
  let lowest = dumpedFrom(arch);
  for (const area of dump.areas) {
    if (area.lazy) continue;
    figures.areas_checked++;
    lowest = Math.min(lowest, area.start.page);
    const end = ends.get(area.start.page);
    ends.delete(area.start.page);
    if (end === undefined) figures.areas_unknown++;
    else if (end === area.end.page) figures.areas_equal++;
    else if (memory.lost > 0) figures.areas_unknown++;
    else
      differ(
        tally,
        'area',
        Address.toText(area.start),
        `ends at ${pageText(end)}`,
        `ends at ${Address.toText(area.end)}`,
      );
  }
  // Its end may be among the events that were lost.
  if (memory.lost > 0) return;
  for (const [start, end] of ends)
    if (start >= lowest)
      differ(tally, 'area', pageText(start), `live, ends at ${pageText(end)}`, 'no such area');
};

const symbolKey = (at: Address, name: string): string => `${Address.toText(at)} ${name}`;

const compareSymbols = ({ memory, dump, given }: Sides, tally: Tally): void => {
  if (dump.absent.includes('kallsyms.txt')) return;
  const { figures } = tally;
  const published = new Map<string, { readonly at: Address; readonly name: string; count: number }>();
  for (const { start, name } of Memory.symbols(memory)) {
    const key = symbolKey(start, name);
    const known = published.get(key);
    if (known === undefined) published.set(key, { at: start, name, count: 1 });
    else known.count++;
  }
  for (const symbol of dump.symbols) {
    const known = published.get(symbolKey(symbol.address, symbol.name));
    if (known === undefined || known.count === 0) {
      // Older than the trace, or published by a lost event.
      if (!given || memory.lost > 0) continue;
      figures.symbols_checked++;
      differ(tally, 'symbol', Address.toText(symbol.address), 'not published', symbol.name);
      continue;
    }
    figures.symbols_checked++;
    figures.symbols_equal++;
    known.count--;
  }
  if (memory.lost > 0) return;
  for (const { at, name, count } of published.values())
    if (count > 0) differ(tally, 'symbol', Address.toText(at), name, 'no such symbol');
};

/** Bytes `from` to `to` of one page. */
const compareBytes = (
  tally: Tally,
  page: number,
  real: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  known: KnownBytes | null,
): void => {
  const { figures } = tally;
  figures.bytes_checked += to - from;
  if (known === null) {
    figures.bytes_unknown += to - from;
    return;
  }
  let reported = false;
  const hex = (bytes: Uint8Array, at: number): string =>
    Buffer.from(bytes.subarray(at, Math.min(at + 8, to))).toString('hex');
  for (let i = from; i < to; i++) {
    if (known.known[i] === 0) figures.bytes_unknown++;
    else if (known.bytes[i] === real[i]) figures.bytes_equal++;
    else if (!reported) {
      reported = true;
      differ(tally, 'bytes', Address.toText(Address.of(page, i)), hex(known.bytes, i), hex(real, i));
    }
  }
};

const compareContents = ({ memory, dump, arch, profile }: Sides, tally: Tally): void => {
  const { bytes } = dump;
  if (bytes === null) return;
  const knownOf = (page: number): KnownBytes | null =>
    knownBytes(memory, page, arch.trap, profile.chargeUnit === 'pages');
  for (const page of bytes.pages()) {
    const real = bytes.page(page);
    if (real !== null) compareBytes(tally, page, real, { from: 0, to: PAGE_SIZE }, knownOf(page));
  }
  for (const page of bytes.partialPages()) {
    const part = bytes.part(page);
    const known = knownOf(page);
    for (const range of part?.known ?? [])
      if (part !== null) compareBytes(tally, page, part.bytes, range, known);
  }
};

const compareCounters = ({ memory, dump, given }: Sides, tally: Tally): void => {
  if (!given || memory.lost > 0) return;
  const { counters } = memory;
  for (const [name, value] of [
    ['direct_map_level2_splits', counters.level2Splits],
    ['direct_map_level3_splits', counters.level3Splits],
    ['direct_map_level2_collapses', counters.level2Collapses],
    ['direct_map_level3_collapses', counters.level3Collapses],
  ] as const) {
    const real = dump.vmstat[name];
    if (real === undefined) continue;
    tally.figures.splits_checked++;
    if (real === value) tally.figures.splits_equal++;
    else differ(tally, 'splits', name, String(value), String(real));
  }
};

/** Compares a rebuilt memory with a dump of the real kernel at the same moment. What the dump leaves out is not compared. */
export const compareMoment = (moment: string, sides: Sides): MomentFigures => {
  const tally = newTally();
  comparePages(sides, tally);
  compareAliases(sides, tally);
  compareAreas(sides, tally);
  compareSymbols(sides, tally);
  compareContents(sides, tally);
  compareCounters(sides, tally);
  return { moment, ...tally.figures, differences: tally.differences };
};
