import { CHUNK, chunkIndex, firstFit } from '../../memory/evolvePacks.js';
import type { Memory, Pack } from '../../memory/memory.js';
import { Address } from '../../value/address.js';

/** A pack call that is open in some task: its effect may come before that of another open call. */
export interface OpenPackCall {
  readonly kind: 'alloc' | 'free';
  readonly size: number;
  readonly at?: Address;
  /** Whose it is. */
  readonly context: object;
  /** Its effect is already in memory. */
  done: boolean;
}

const copyOf = (pack: Pack): Pack => ({ ...pack, used: pack.used.slice() });

const mark = (pack: Pack, first: number, count: number, taken: boolean): void => {
  for (let chunk = first; chunk < first + count; chunk++) {
    const bit = 1 << (chunk & 31);
    pack.used[chunk >>> 5] = taken
      ? (pack.used[chunk >>> 5] as number) | bit
      : (pack.used[chunk >>> 5] as number) & ~bit;
  }
};

const search = (packs: readonly Pack[], chunks: number): { pack: Pack; index: number } | null => {
  for (const pack of packs) {
    const index = firstFit(pack, chunks);
    if (index >= 0) return { pack, index };
  }
  return null;
};

const play = (packs: readonly Pack[], call: OpenPackCall): void => {
  const count = Math.ceil(call.size / CHUNK);
  if (call.kind === 'alloc') {
    const found = search(packs, count);
    if (found !== null) mark(found.pack, found.index, count, !call.done);
    return;
  }
  const at = call.at as Address;
  const pack = packs.find((p) => at.page >= p.start && at.page < p.start + p.bytes / 4096);
  // A free that memory already has is taken back; one that it does not have yet is done early.
  if (pack !== undefined) mark(pack, chunkIndex(pack, at), count, call.done);
};

const nameOf = (call: OpenPackCall): string =>
  `${call.kind}(${call.size}${call.at === undefined ? '' : ` at ${Address.toText(call.at)}`})`;

/**
 * The orders of other open pack calls that the lines allow: is there one under which first fit gives the recorded address?
 * Returns it as text, or null.
 */
export const otherOrders = (
  memory: Memory,
  open: readonly OpenPackCall[],
  size: number,
  recorded: Address | null,
): string | null => {
  const movable = open.filter((call) => call.kind === 'free' || !call.done).slice(0, 6);
  for (let subset = 1; subset < 1 << movable.length; subset++) {
    const packs = memory.packs.map(copyOf);
    const chosen = movable.filter((_, i) => (subset & (1 << i)) !== 0);
    for (const call of chosen) play(packs, call);
    const found = search(packs, Math.ceil(size / CHUNK));
    const at = found === null ? null : Address.add(Address.of(found.pack.start), found.index * CHUNK);
    if (recorded === null ? at === null : at !== null && Address.equals(at, recorded))
      return chosen.map(nameOf).join(' before; ') + ' before';
  }
  return null;
};
