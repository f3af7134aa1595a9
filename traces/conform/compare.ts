import type { Arch } from '../../core/arch/arch.js';
import { knownBytes, type KnownBytes } from '../../core/memory/bytes.js';
import { Memory, type Area, type KernelSymbol } from '../../core/memory/memory.js';
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
  readonly symbols_unknown: number;
  readonly bytes_checked: number;
  readonly bytes_equal: number;
  readonly bytes_unknown: number;
  readonly splits_checked: number;
  readonly splits_equal: number;
  readonly splits_unknown: number;
}

/** Figures of one moment, as the fixed output has them. */
export interface MomentFigures extends Figures {
  readonly moment: string;
  /** How many there are; the list has the first of them. */
  readonly differences_total: number;
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
  total: number;
}

type Verdict = 'equal' | 'unknown' | 'different';

/** `named`: a page without a frame is unknown; else what is known of it is compared without. */
const judge = (
  entry: PageEntry,
  range: DumpedRange,
  phys: number,
  wanted: number | null,
  named: boolean,
): Verdict => {
  const text = Prot.toText(entry.prot);
  const protKnown = !text.includes('?');
  if (protKnown && text !== rangeProt(range)) return 'different';
  if (entry.shift >= 12 && 2 ** entry.shift !== range.leaf && range.present) return 'different';
  if (phys >= 0 && wanted !== null && phys !== wanted) return 'different';
  // A page that the kernel has taken out of the tables has neither leaf nor frame.
  if (!range.present) return protKnown ? 'equal' : 'unknown';
  return protKnown && entry.shift >= 12 && (phys >= 0 || !named) ? 'equal' : 'unknown';
};

/** What is being compared, and with what. */
interface Sides {
  readonly memory: Memory;
  readonly dump: Dump;
  readonly arch: Arch;
  readonly profile: Profile;
  /** False for a trace that began without a dump: what is older is not known, which is no difference. */
  readonly given: boolean;
  /** False where vmalloc itself was not probed: areas of data have no line then. */
  readonly vmallocShown?: boolean;
  /** Files that the dump it began with did not have. */
  readonly absent?: readonly string[];
  /** Events may have been lost of which this memory does not know: what it has otherwise is no difference. */
  readonly lossy?: boolean;
}

/** Whether what memory lacks does not exist: it began with a dump that had this file, and nothing was lost. */
const isWhole = ({ memory, given, absent, lossy }: Sides, file: string): boolean =>
  given && absent?.includes(file) !== true && memory.lost === 0 && lossy !== true;

/** Whether it is certain that something is there that event `since` brought. */
const isSure = ({ memory, lossy }: Sides, since: number): boolean =>
  lossy !== true && (memory.lost === 0 || since > memory.lostAt);

/** A verdict, where events may be missing unseen: no difference proves anything. */
const settled = ({ lossy }: Sides, verdict: Verdict): Verdict =>
  lossy === true && verdict === 'different' ? 'unknown' : verdict;

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
    symbols_unknown: 0,
    bytes_checked: 0,
    bytes_equal: 0,
    bytes_unknown: 0,
    splits_checked: 0,
    splits_equal: 0,
    splits_unknown: 0,
  },
  differences: [],
  total: 0,
});

const differ = (tally: Tally, what: Difference['what'], at: string, state: string, real: string): void => {
  tally.total++;
  if (tally.differences.length < MAX_DIFFERENCES) tally.differences.push({ what, at, state, dump: real });
};

/** Whether what memory lacks there does not exist: a recording has lines of all areas of code, of others only where vmalloc was probed. */
const isRecorded = ({ arch, vmallocShown }: Sides, executable: boolean): boolean =>
  executable || arch.ownRange || vmallocShown !== false;

/** Whether a dump would show a page of memory if the kernel had it: areas of data among others are left out of it. */
const isShown = ({ arch }: Sides, prot: number): boolean => arch.ownRange || Prot.has(prot, Prot.executable);

/** The same for an area: by its pages, or by the program in it. */
const isAreaShown = ({ arch, memory }: Sides, area: Area): boolean =>
  arch.ownRange ||
  Memory.packAt(memory, area.start) !== null ||
  Memory.programAt(memory, Address.of(area.start)) !== null ||
  Prot.has(Memory.page(memory, area.start)?.prot ?? 0, Prot.executable);

/** First page of the part of the address space that dumps cover. */
const dumpedFrom = (arch: Arch, profile: Profile): number =>
  Math.min(...[true, false].map((kaslrCompiledIn) => arch.moduleRange({ ...profile, kaslrCompiledIn })[0]));

/** Calls `visit` with each page of a range and the frame that the dump shows for it. */
const eachPage = (range: DumpedRange, visit: (page: number, frame: number | null) => void): void => {
  for (let page: number = range.start.page; page < range.end.page; page++)
    visit(page, range.phys === null ? null : range.phys + page - range.start.page);
};

/** Whether nothing more is known of a page, for a reason that memory has. */
const isForgotten = (memory: Memory, page: number): boolean =>
  memory.unknown.some((u) => page >= u.page && page < u.page + u.pages);

const comparePages = (sides: Sides, tally: Tally): void => {
  const { memory, dump, arch, profile } = sides;
  const { figures } = tally;
  const whole = isWhole(sides, 'pagetable.txt');
  const dumped = new Set<number>();
  for (const range of dump.executableArea)
    eachPage(range, (page, frame) => {
      dumped.add(page);
      figures.pages_checked++;
      const entry = Memory.page(memory, page);
      const verdict =
        entry !== null
          ? settled(sides, judge(entry, range, entry.frame, frame, arch.framesShown))
          : whole && !isForgotten(memory, page) && isRecorded(sides, range.executable)
            ? 'different'
            : 'unknown';
      if (verdict === 'equal') figures.pages_equal++;
      else if (verdict === 'unknown') {
        figures.pages_unknown++;
        if (range.executable) figures.executable_unknown++;
      } else {
        const state = entry === null ? 'not mapped' : entryText(entry, entry.frame);
        differ(tally, 'page', pageText(page), state, dumpText(range, page));
      }
    });
  if (dump.absent.includes('pagetable.txt')) return;
  // What the state has mapped in that part of the address space and the kernel has not.
  for (const [page, node, slot] of PageTable.pages(memory.virtual, dumpedFrom(arch, profile))) {
    const prot = node.prot[slot] as number;
    if (dumped.has(page) || !Prot.has(prot, Prot.present) || !isShown(sides, prot)) continue;
    figures.pages_checked++;
    if (sides.lossy === true) figures.pages_unknown++;
    else differ(tally, 'page', pageText(page), `mapped ${Prot.toText(prot)}`, 'not mapped');
  }
};

const compareAliases = (sides: Sides, tally: Tally): void => {
  const { memory, dump } = sides;
  const { figures } = tally;
  for (const range of [...dump.directMap, ...dump.formerDirectMap, ...dump.notPresent])
    eachPage(range, (page, pfn) => {
      if (pfn === null) return;
      figures.alias_checked++;
      const entry = Memory.alias(memory, pfn);
      const verdict = entry === null ? 'unknown' : settled(sides, judge(entry, range, pfn, pfn, true));
      if (verdict === 'equal') figures.alias_equal++;
      else if (verdict === 'unknown') figures.alias_unknown++;
      else if (entry !== null)
        differ(tally, 'alias', pageText(page), entryText(entry, pfn), dumpText(range, page));
    });
};

const endOf = ({ start, pages }: Area): string => pageText(start + pages);

/** Whether part of a dumped area is executable. */
const isCode = ({ executableArea }: Dump, { start, end }: Dump['areas'][number]): boolean =>
  executableArea.some(
    (range) => range.executable && range.start.page >= start.page && range.start.page < end.page,
  );

const compareAreas = (sides: Sides, tally: Tally): void => {
  const { memory, dump, arch, profile } = sides;
  if (dump.absent.includes('vmallocinfo.txt')) return;
  const { figures } = tally;
  const whole = isWhole(sides, 'vmallocinfo.txt');
  const live = new Map<number, Area>();
  for (const area of Memory.areas(memory)) if (area.state === 'live') live.set(area.start, area);
  let lowest = dumpedFrom(arch, profile);
  for (const area of dump.areas) {
    if (area.lazy) continue;
    figures.areas_checked++;
    lowest = Math.min(lowest, area.start.page);
    const known = live.get(area.start.page);
    live.delete(area.start.page);
    if (known !== undefined && known.start + known.pages === area.end.page) figures.areas_equal++;
    else if (
      known === undefined ? whole && isRecorded(sides, isCode(dump, area)) : isSure(sides, known.since)
    ) {
      const state = known === undefined ? 'no such area' : `ends at ${endOf(known)}`;
      differ(tally, 'area', Address.toText(area.start), state, `ends at ${Address.toText(area.end)}`);
    } else figures.areas_unknown++;
  }
  for (const area of live.values()) {
    if (area.start < lowest || !isAreaShown(sides, area)) continue;
    figures.areas_checked++;
    if (isSure(sides, area.since))
      differ(tally, 'area', pageText(area.start), `live, ends at ${endOf(area)}`, 'no such area');
    // Its end may be among the events that were lost.
    else figures.areas_unknown++;
  }
};

const symbolKey = (at: Address, name: string): string => `${Address.toText(at)} ${name}`;

const compareSymbols = (sides: Sides, tally: Tally): void => {
  const { memory, dump } = sides;
  if (dump.absent.includes('kallsyms.txt')) return;
  const { figures } = tally;
  const whole = isWhole(sides, 'kallsyms.txt');
  const published = new Map<string, KernelSymbol[]>();
  for (const symbol of Memory.symbols(memory)) {
    const key = symbolKey(symbol.start, symbol.name);
    const known = published.get(key);
    if (known === undefined) published.set(key, [symbol]);
    else known.push(symbol);
  }
  for (const symbol of dump.symbols) {
    figures.symbols_checked++;
    if (published.get(symbolKey(symbol.address, symbol.name))?.pop() !== undefined) figures.symbols_equal++;
    // Older than the trace, or published by a lost event.
    else if (!whole) figures.symbols_unknown++;
    else differ(tally, 'symbol', Address.toText(symbol.address), 'not published', symbol.name);
  }
  for (const { start, name, since } of [...published.values()].flat()) {
    figures.symbols_checked++;
    if (isSure(sides, since)) differ(tally, 'symbol', Address.toText(start), name, 'no such symbol');
    else figures.symbols_unknown++;
  }
};

/** Bytes `from` to `to` of one page. */
const compareBytes = (
  tally: Tally,
  lossy: boolean,
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
    else if (lossy) figures.bytes_unknown++;
    else if (!reported) {
      reported = true;
      differ(tally, 'bytes', Address.toText(Address.of(page, i)), hex(known.bytes, i), hex(real, i));
    }
  }
};

const compareContents = ({ memory, dump, arch, profile, lossy = false }: Sides, tally: Tally): void => {
  const { bytes } = dump;
  if (bytes === null) return;
  const knownOf = (page: number): KnownBytes | null =>
    knownBytes(memory, page, arch.trap, profile.chargeUnit === 'pages');
  for (const page of bytes.pages()) {
    const real = bytes.page(page);
    if (real !== null) compareBytes(tally, lossy, page, real, { from: 0, to: PAGE_SIZE }, knownOf(page));
  }
  for (const page of bytes.partialPages()) {
    const part = bytes.part(page);
    const known = knownOf(page);
    for (const range of part?.known ?? [])
      if (part !== null) compareBytes(tally, lossy, page, part.bytes, range, known);
  }
};

const compareCounters = (sides: Sides, tally: Tally): void => {
  const { memory, dump } = sides;
  const { counters } = memory;
  const whole = isWhole(sides, 'vmstat.txt');
  for (const [name, value] of [
    ['direct_map_level2_splits', counters.level2Splits],
    ['direct_map_level3_splits', counters.level3Splits],
    ['direct_map_level2_collapses', counters.level2Collapses],
    ['direct_map_level3_collapses', counters.level3Collapses],
  ] as const) {
    const real = dump.vmstat[name];
    if (real === undefined) continue;
    tally.figures.splits_checked++;
    if (!whole) tally.figures.splits_unknown++;
    else if (real === value) tally.figures.splits_equal++;
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
  return { moment, ...tally.figures, differences_total: tally.total, differences: tally.differences };
};
