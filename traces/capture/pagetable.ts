/**
 * `pagetable.txt`: the guest's page tables, walked by the host through QEMU's memory while the guest stood still.
 * Producer: the lab's recorder. Four sections, each opened by a comment:
 *
 *     # executable area
 *     ffffffffc0000000-ffffffffc0005000 pa=000003f5b000    4K P--XGAD
 *     # direct map of these pages
 *     # direct map, entries that are not present
 *     # direct map of pages that backed the executable area at an earlier phase      (5.18 only)
 *
 * Neighbours with the same flags, leaf size and consecutive frames are one line. Flags stand in fixed columns, `-` = not
 * set: P present, W writable, U user, X executable, then what the architecture has of R readable, G global, A accessed,
 * D dirty (ppc64le `RAD`, riscv64 `GADR`, arm64 `GAD` and two spare columns, s390x none: accessed and dirty are then false).
 */
import { Address, type PageNumber } from '../../core/value/address.js';
import { eachLine } from './lines.js';
import { quoted, type Problems } from './problems.js';
import { parseRange, rangeBytes, type AddressRange } from './range.js';

/** Consecutive leaves of a page table with the same flags and consecutive frames. */
export interface DumpedRange extends AddressRange {
  /** Number of the first 4 KiB frame; null where the entry names none. */
  readonly phys: PageNumber | null;
  /** Bytes of one leaf: 4096, 65536, 2 MiB, 1 GiB…; 0: the dump does not say. */
  readonly leaf: number;
  readonly present: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly dirty: boolean;
  readonly accessed: boolean;
  /** Bits of `Prot` of which the dump says nothing; left out: none. */
  readonly unknown?: number;
  /** As printed. */
  readonly flags: string;
}

export interface PageTableDump {
  /** On x86-64 everything from the module area up; elsewhere areas whose caller looks like code or BPF. */
  readonly executableArea: readonly DumpedRange[];
  /** The direct map of the pages above. */
  readonly directMap: readonly DumpedRange[];
  readonly notPresent: readonly DumpedRange[];
  /** Pages that backed the executable area at an earlier phase and do no more (5.18 captures; else empty). */
  readonly formerDirectMap: readonly DumpedRange[];
}

type Section = keyof PageTableDump;

const SECTIONS: ReadonlyMap<string, Section> = new Map([
  ['# executable area', 'executableArea'],
  ['# direct map of these pages', 'directMap'],
  ['# direct map, entries that are not present', 'notPresent'],
  ['# direct map of pages that backed the executable area at an earlier phase', 'formerDirectMap'],
]);
const LEGEND = '# walked by the host';

const LINE = /^([0-9a-f]{16})-([0-9a-f]{16})(?: +pa=([0-9a-f]+))? +(\d+)([KMG]) +(\S+)$/;
const UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };
const KNOWN_FLAGS = /^[PWUXRGAD-]+$/;

const parseLine = (line: string): DumpedRange | null => {
  const m = LINE.exec(line);
  if (m === null) return null;
  const [, start = '', end = '', pa, size = '', unit = '', flags = ''] = m;
  const range = parseRange(start, end);
  if (range === null) return null;
  const physical = pa === undefined ? null : Address.parse(pa);
  return {
    ...range,
    phys: physical === null ? null : physical.page,
    leaf: Number(size) * (UNITS[unit] as number),
    present: flags.includes('P'),
    writable: flags.includes('W'),
    executable: flags.includes('X'),
    dirty: flags.includes('D'),
    accessed: flags.includes('A'),
    flags,
  };
};

/** Text of a pagetable.txt to its sections. Lines not understood go to `problems`, by `file` and line. */
export const parsePageTable = (text: string, file: string, problems: Problems): PageTableDump => {
  const dump: Record<Section, DumpedRange[]> = {
    executableArea: [],
    directMap: [],
    notPresent: [],
    formerDirectMap: [],
  };
  let section: Section | null = null;
  eachLine(text, (line, number) => {
    if (line === '' || line.startsWith(LEGEND)) return;
    if (line.startsWith('#')) {
      section = SECTIONS.get(line) ?? null;
      if (section === null)
        problems.add(file, number, `unknown section ${quoted(line)}; its ranges are left out`);
      return;
    }
    const range = parseLine(line);
    if (range === null) {
      problems.add(file, number, `not a page-table range: ${quoted(line)}`);
      return;
    }
    if (section === null) {
      problems.add(file, number, 'a range outside any known section');
      return;
    }
    if (!KNOWN_FLAGS.test(range.flags)) {
      problems.add(file, number, `unknown flag in ${quoted(range.flags)}; known are P W U X R G A D`);
    }
    if (rangeBytes(range) % range.leaf !== 0) {
      problems.add(file, number, `not a whole number of leaves of ${range.leaf} bytes`);
    }
    dump[section].push(range);
  });
  return dump;
};
