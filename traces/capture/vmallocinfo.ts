/**
 * `vmallocinfo.txt`: lines of /proc/vmallocinfo (mm/vmalloc.c, `s_show`), those of the executable area only.
 *
 *     0xffffffffc0000000-0xffffffffc0201000 2101248 bpf_prog_pack_alloc+0x164/0x2d0 pages=512 vmalloc N0=512
 *     0xffffffffa0600000-0xffffffffa0801000 2101248 unpurged vm_area
 *
 * Start and end include the guard page. The caller is the return address of the allocation: while return probes are
 * active it may name their trampoline (`arch_rethook_trampoline+0x0/0x60`).
 */
import { eachLine } from './lines.js';
import { quoted, type Problems } from './problems.js';
import { parseRange, rangeBytes, type AddressRange } from './range.js';

export interface DumpedArea extends AddressRange {
  /** Bytes, guard page included. */
  readonly size: number;
  /** `symbol+offset/size`, `''` where the kernel names none. */
  readonly caller: string;
  /** Pages that back it; null where the kernel does not say. */
  readonly pages: number | null;
  /** Freed, not yet purged: address range taken, nothing mapped. */
  readonly lazy: boolean;
  /** The line as it stands. */
  readonly text: string;
}

const LINE = /^0x([0-9a-f]{16})-0x([0-9a-f]{16}) +(\d+)(?: (.*))?$/;
const CALLER = /^(?:[^\s=]+\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[[^\]]+\])?|0x[0-9a-f]+|0)(?= |$)/;
const PAGES = /^pages=(\d+)$/;
const KNOWN_WORD = /^(?:pages=\d+|phys=\S+|ioremap|sparse|vmalloc|vmap|user|dma-coherent|vpages|N\d+=\d+)$/;
const NO_AREA: ReadonlyMap<string, boolean> = new Map([
  ['unpurged vm_area', true],
  ['vm_map_ram', false],
  ['vmap allocated with vm_map_ram', false],
]);

/** Text of a vmallocinfo.txt to areas, in the order of the file. */
export const parseVmallocinfo = (text: string, file: string, problems: Problems): readonly DumpedArea[] => {
  const areas: DumpedArea[] = [];
  eachLine(text, (line, number) => {
    if (line === '') return;
    const m = LINE.exec(line);
    const range = m === null ? null : parseRange(m[1] ?? '', m[2] ?? '');
    if (m === null || range === null) {
      problems.add(file, number, `not a vmallocinfo line: ${quoted(line)}`);
      return;
    }
    const size = Number(m[3]);
    if (size !== rangeBytes(range)) problems.add(file, number, `size ${size} is not end minus start`);
    const rest = m[4]?.trim() ?? '';
    const lazy = NO_AREA.get(rest);
    if (lazy !== undefined) {
      areas.push({ ...range, size, caller: '', pages: null, lazy, text: line });
      return;
    }
    const caller = CALLER.exec(rest)?.[0] ?? '';
    let pages: number | null = null;
    for (const word of rest.slice(caller.length).split(' ')) {
      if (word === '') continue;
      if (!KNOWN_WORD.test(word)) problems.add(file, number, `unknown word ${quoted(word)}`);
      const count = PAGES.exec(word)?.[1];
      if (count !== undefined) pages = Number(count);
    }
    areas.push({ ...range, size, caller, pages, lazy: false, text: line });
  });
  return areas;
};
