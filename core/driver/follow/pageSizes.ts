import { Address } from '../../value/address.js';
import { recordedAddress, recordedNumber, type RecordedLine } from '../recorded.js';

const AREAS: ReadonlySet<string> = new Set([
  'bpf_jit_alloc_exec',
  'module_alloc',
  'execmem_alloc',
  '__vmalloc_node_range',
]);
const PERMISSIONS = /^(?:set_memory_|change_memory_|__set_memory$)/;
/** Areas that all begin at a multiple of a page size are enough of them to tell it. */
const ENOUGH = 16;
const MOST = 64;
const SIZES: readonly number[] = [65536, 16384, 8192, 4096];

/** What the lines of a recording tell of the size of a page. */
export interface PageSizes {
  readonly note: (line: RecordedLine) => void;
  /** In bytes; null: nothing tells it. */
  readonly size: () => number | null;
}

/** A permission call counts the pages of an area whose bytes were asked for; where there was none, areas begin at pages. */
export const pageSizes = (): PageSizes => {
  /** Sizes that are being asked for, by task. */
  const asked = new Map<number, number>();
  /** Sizes of areas, by first page: the latest ones. */
  const areas = new Map<number, number>();
  let counted: number | null = null;
  let starts = 0;
  let aligned: readonly number[] = SIZES;
  return {
    note: (line) => {
      if (counted !== null) return;
      if (AREAS.has(line.fn)) {
        if (!line.isReturn) {
          asked.set(line.pid, recordedNumber(line, 'size') ?? 0);
          return;
        }
        const at = recordedAddress(line, 'ret');
        const bytes = asked.get(line.pid) ?? 0;
        if (at === null || Address.isZero(at)) return;
        // BPF makes the whole of its areas read-only, others a part.
        if (line.fn === 'bpf_jit_alloc_exec') areas.set(at.page, bytes);
        if (areas.size > MOST) areas.delete(areas.keys().next().value as number);
        starts++;
        aligned = aligned.filter((size) => at.page % (size / 4096) === 0);
        return;
      }
      if (line.isReturn || !PERMISSIONS.test(line.fn)) return;
      const at = recordedAddress(line, 'addr');
      const size = at === null ? undefined : areas.get(at.page);
      const share = (size ?? 0) / (recordedNumber(line, 'numpages') ?? 0);
      if (SIZES.includes(share)) counted = share;
    },
    size: () => counted ?? (starts >= ENOUGH ? (aligned[0] ?? null) : null),
  };
};
