import type { Event } from '../core/event/event.js';
import { ContentClass, PageContent, BLOCK, BLOCKS_PER_PAGE } from '../core/memory/content.js';
import { Memory, NO_FRAME } from '../core/memory/memory.js';
import { PageTable } from '../core/memory/pageTable.js';
import { Address, pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';
import { ok, type Result } from '../core/value/failure.js';
import type { TraceView } from './log.js';

/** Executable memory that nobody wrote for it: what its frames held before, and code of programs that are gone. */
export interface LeftoverRange {
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  /** Of the range, in bytes. */
  readonly executable: number;
  /** Never written since the frames were allocated. */
  readonly inherited: number;
  /** The part of `inherited` that is code of programs freed before. */
  readonly inherited_code: number;
  /** Images of programs that have been freed. */
  readonly dead: number;
  /** Number of the event that made it executable. */
  readonly since: number;
}

interface Tally {
  start: number;
  end: number;
  since: number;
  inherited: number;
  code: number;
  dead: number;
}

const countPage = (memory: Memory, frame: number, tally: Tally): void => {
  const content = frame === NO_FRAME ? null : Memory.contentOf(memory, frame);
  if (content === null) return;
  for (let block = 0; block < BLOCKS_PER_PAGE; block++) {
    const cls = PageContent.classAt(content, block);
    if (cls === ContentClass.leftover) {
      tally.inherited += BLOCK;
      if (PageContent.refAt(content, block) !== 0) tally.code += BLOCK;
    } else if (
      cls === ContentClass.program &&
      Memory.program(memory, PageContent.refAt(content, block)) === null
    )
      tally.dead += BLOCK;
  }
};

/** Ranges of executable pages that hold leftovers, made executable by the same event. */
export const leftovers = (memory: Memory): readonly LeftoverRange[] => {
  const tallies: Tally[] = [];
  for (const [page, node, slot] of PageTable.pages(memory.virtual)) {
    const prot = node.prot[slot] as number;
    if (!Prot.has(prot, Prot.present) || !Prot.has(prot, Prot.executable)) continue;
    const since = node.cause[slot] as number;
    let tally = tallies.at(-1);
    if (tally === undefined || tally.end !== page || tally.since !== since) {
      tally = { start: page, end: page, since, inherited: 0, code: 0, dead: 0 };
      tallies.push(tally);
    }
    tally.end = page + 1;
    countPage(memory, node.frame[slot] as number, tally);
  }
  return tallies
    .filter(({ inherited, dead }) => inherited + dead > 0)
    .map(({ start, end, since, inherited, code, dead }) => ({
      start: pageText(start),
      end: pageText(end),
      executable: (end - start) * 4096,
      inherited,
      inherited_code: code,
      dead,
      since,
    }));
};

/** A word that the kernel itself showed in executable memory before anything was written there. */
export interface SeenWord {
  readonly seq: number;
  readonly at: string;
  readonly value: number;
  /** The four bytes as text where all are printable. */
  readonly text: string | null;
}

const asText = (value: number): string | null => {
  const bytes = [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f) ? String.fromCharCode(...bytes) : null;
};

/** All words that a recording shows by the way (ro_header_size of bpf_jit_binary_pack_finalize). */
export const seenWords = (trace: TraceView): Result<readonly SeenWord[]> => {
  const words: SeenWord[] = [];
  for (const batch of trace.batches({ kinds: ['seen'] })) {
    if (!batch.ok) return batch;
    for (const event of batch.value as readonly Event[])
      if (event.kind === 'seen')
        words.push({
          seq: event.seq,
          at: Address.toText(event.at),
          value: event.value,
          text: asText(event.value),
        });
  }
  return ok(words);
};
