/**
 * `page_tables/kernel` of debugfs on x86-64 (CONFIG_PTDUMP_DEBUGFS): virtual ranges with the level of their leaf and what is allowed, under headings.
 *
 *     ---[ Modules ]---
 *     0xffffffffc0000000-0xffffffffc0200000           2M     ro                 PSE         GLB x  pmd
 *     0xffffffffc0200000-0xffffffffc0201000           4K                                           pte
 *
 * Frames are not said, nor the dirty bit. In the direct map the distance from its beginning is the frame.
 */
import { Address, type PageNumber } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { eachLine } from './lines.js';
import type { DumpedRange, PageTableDump } from './pagetable.js';
import { quoted, type Problems } from './problems.js';
import { parseRange, rangeBytes } from './range.js';

const HEADING = /^---\[ (.+) \]---$/;
const MODULES = 'Modules';
const DIRECT_MAP = 'Low Kernel Mapping';

const LINE = /^0x([0-9a-f]{16})-0x([0-9a-f]{16}) +\d+[KMGTPE](?: +(.*?))? +(pte|pmd|pud|p4d|pgd|cr3)$/;
const FLAGS = new Set(['USR', 'RW', 'ro', 'PWT', 'PCD', 'PSE', 'PAT', 'GLB', 'NX', 'x']);

/** Bytes of a leaf of each level. */
const LEAVES: Readonly<Record<string, number>> = { pte: 4096, pmd: 2 ** 21, pud: 2 ** 30 };

/** Direct map in large leaves, writable and not executable, as all memory begins: read as far as this, what is otherwise is read all. */
const MOST_PLAIN = 8 * 2 ** 30;

/** A line of x86: what a kernel of another architecture prints is none. */
export const PTDUMP_SIGN = /^---\[ (?:Modules|Low Kernel Mapping|vmalloc\(\) Area|User Space) \]---$/m;

const rangeOf = (line: string): (DumpedRange & { readonly level: string }) | null => {
  const m = LINE.exec(line);
  const range = m === null ? null : parseRange(m[1] ?? '', m[2] ?? '');
  if (m === null || range === null) return null;
  const [, , , text = '', level = ''] = m;
  const flags = text.split(/ +/).filter((flag) => flag !== '');
  if (flags.some((flag) => !FLAGS.has(flag))) return null;
  return {
    ...range,
    phys: null,
    leaf: LEAVES[level] ?? 0,
    present: flags.length > 0,
    writable: flags.includes('RW'),
    executable: flags.includes('x'),
    dirty: false,
    accessed: false,
    unknown: Prot.dirty,
    flags: flags.join(' '),
    level,
  };
};

export const parsePtdump = (text: string, file: string, problems: Problems): PageTableDump => {
  const executableArea: DumpedRange[] = [];
  const directMap: DumpedRange[] = [];
  const notPresent: DumpedRange[] = [];
  let section = '';
  let base: PageNumber | null = null;
  let plain = 0;
  let left = 0;
  eachLine(text, (line, number) => {
    if (line === '') return;
    const heading = HEADING.exec(line)?.[1];
    if (heading !== undefined) {
      section = heading;
      return;
    }
    if (section !== MODULES && section !== DIRECT_MAP) return;
    const range = rangeOf(line);
    if (range === null)
      return problems.add(file, number, `not a line of page_tables/kernel: ${quoted(line)}`);
    if (range.present && (range.leaf === 0 || rangeBytes(range) % range.leaf !== 0))
      return problems.add(file, number, `not a whole number of leaves: ${quoted(line)}`);
    if (section === MODULES) {
      if (range.present) executableArea.push(range);
      return;
    }
    base ??= range.start.page;
    const placed = { ...range, phys: (range.start.page - base) as PageNumber };
    if (!range.present) {
      // Larger holes are no memory.
      if (range.level === 'pte') notPresent.push({ ...placed, leaf: 4096 });
      return;
    }
    if (range.leaf > 4096 && range.writable && !range.executable) {
      if (plain >= MOST_PLAIN) {
        left += rangeBytes(range);
        return;
      }
      const end = Math.min(rangeBytes(range), Math.ceil((MOST_PLAIN - plain) / range.leaf) * range.leaf);
      left += rangeBytes(range) - end;
      plain += end;
      directMap.push({ ...placed, end: Address.add(range.start, end) });
      return;
    }
    directMap.push(placed);
  });
  if (executableArea.length === 0 && base === null)
    problems.add(file, 0, 'not read: neither "Modules" nor "Low Kernel Mapping" of x86-64 is in it');
  if (left > 0)
    problems.add(file, 0, `${left / 2 ** 30} GiB of the direct map in large writable pages left out`);
  return { executableArea, directMap, notPresent, formerDirectMap: [] };
};
