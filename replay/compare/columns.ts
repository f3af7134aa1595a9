/** The values of call lines by which two traces are compared. */
import { LINES, canonicalFunction, type Column } from '../../core/driver/lines.js';
import type { LineForm } from '../../core/codec/walk.js';
import type { ValueColumn } from './shape.js';

/**
 * Values that the table of lines compares, because the model predicts them from the memory before, and that are choices between two boots: what lay
 * in memory, which frames there are, what others had freed.
 */
const CHOICES: ReadonlySet<string> = new Set([
  'bpf_jit_binary_pack_finalize ro_header_size',
  'bpf_jit_binary_pack_alloc proglen',
  'bpf_jit_binary_alloc proglen',
  'bpf_int_jit_compile jited_len',
  'cpa_flush pfn',
  '__change_page_attr_set_clr pfn',
  '__purge_vmap_area_lazy start',
  '__purge_vmap_area_lazy end',
  '__purge_vmap_area_lazy ret',
  '_vm_unmap_aliases start',
  '_vm_unmap_aliases end',
  '_vm_unmap_aliases ret',
]);

/** A value that counts, and which of the recorded values it is. */
export interface LineColumn extends ValueColumn {
  readonly index: number;
  /** Always an address, an address where it looks like one, or none. */
  readonly address: 'always' | 'maybe' | 'never';
}

const addressOf = ({ form }: Column): LineColumn['address'] =>
  form === 'a' || form === 'u' ? 'always' : form === 'w' ? 'maybe' : 'never';

/** The values of lines of a form that count, in their order. */
export const columnsOf = ({ kind, fn: recorded, names }: LineForm): readonly LineColumn[] => {
  const fn = canonicalFunction(recorded);
  const shape = LINES[fn];
  const table = kind === 'returned' ? shape?.result : shape?.entry;
  const columns: LineColumn[] = [];
  for (const [index, name] of names.split(',').entries()) {
    const column = table?.[name];
    if (column === undefined || column.class === 'ignored' || column.class === 'identity') continue;
    // Where a temporary mapping lies is one.
    const isChoice = column.class === 'choice' || column.form === 'u' || CHOICES.has(`${fn} ${column.as}`);
    columns.push({
      name: column.as,
      class: isChoice ? 'choice' : 'compared',
      signed: column.form === 'i',
      index,
      address: addressOf(column),
    });
  }
  return columns;
};
