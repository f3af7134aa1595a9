/** Addresses in the direct map: the alias of a frame, and what the frame backs. */
import { Memory } from '../core/memory/memory.js';
import { Address, pageText } from '../core/value/address.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import type { TraceView } from './log.js';

/** The smallest direct map that an architecture makes room for: 64 TiB. */
const PAGES = 2 ** 34;

export interface InDirectMap {
  readonly pfn: number;
  /** The virtual page that the frame backs; null: none that is known. */
  readonly backs: number | null;
}

/** Null: it lies elsewhere, or where the direct map begins is not known. */
export const inDirectMap = (memory: Memory, page: number): InDirectMap | null => {
  const pfn = page - memory.directBase;
  if (memory.directBase === 0 || pfn < 0 || pfn >= PAGES || Memory.page(memory, page) !== null) return null;
  const backs = Memory.alias(memory, pfn)?.frame ?? -1;
  return { pfn, backs: backs >= 0 ? backs : null };
};

/** A failure where a question is about virtual memory and the address is an alias: its answer would be wrong. */
export const notInDirectMap = (trace: TraceView, at: Address): Result<null> => {
  // Half of the addresses cannot be: no state is needed for them.
  if (at.page >= Address.fromWords(0xffffffff, 0x80000000).page) return ok(null);
  const memory = trace.at('end');
  if (!memory.ok) return memory;
  const direct = inDirectMap(memory.value, at.page);
  if (direct === null) return ok(null);
  const { pfn, backs } = direct;
  return fail(
    'direct-map-address',
    `${Address.toText(at)} lies in the direct map: it is the alias of physical ${pageText(pfn)}`,
    undefined,
    backs === null
      ? '`why` says how the alias is; ask about the virtual address that the frame backs'
      : `ask about ${pageText(backs)}, which the frame backs; \`why\` says how the alias is`,
  );
};
