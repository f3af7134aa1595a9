/** What the direct map of one frame went through, and which virtual pages it backed. */
import type { Event } from '../../core/event/event.js';
import { folder } from '../../core/memory/evolve.js';
import { Memory } from '../../core/memory/memory.js';
import type { PageEntry } from '../../core/memory/pageTable.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { TraceView } from '../log.js';

export interface AliasChange {
  readonly event: Event;
  readonly from: PageEntry | null;
  readonly to: PageEntry | null;
}

/** A virtual page that a frame was behind, from one event to another. */
export interface Backing {
  readonly page: number;
  readonly from: number;
  /** Null: still. */
  readonly to: number | null;
}

export interface AliasHistory {
  readonly changes: readonly AliasChange[];
  readonly backed: readonly Backing[];
}

const isSame = (a: PageEntry | null, b: PageEntry | null): boolean =>
  a === null || b === null ? a === b : a.prot === b.prot && a.shift === b.shift && a.frame === b.frame;

export const NO_ALIAS: AliasHistory = Object.freeze({ changes: [], backed: [] });

/** Up to event `to`. */
export const aliasHistory = (trace: TraceView, pfn: number, to: number): Result<AliasHistory> => {
  const start = trace.start();
  if (!start.ok) return start;
  const fold = folder(start.value);
  const changes: AliasChange[] = [];
  const backed: Backing[] = [];
  let now = Memory.alias(fold.memory(), pfn);
  const note = (page: number, seq: number): void => {
    const last = backed.at(-1);
    if (last !== undefined && last.to === null) {
      if (last.page === page) return;
      backed[backed.length - 1] = { ...last, to: seq };
    }
    if (page >= 0) backed.push({ page, from: seq, to: null });
  };
  note(now?.frame ?? -1, 0);
  for (const batch of trace.batches({ from: 0, to, kinds: 'changesMemory' })) {
    if (!batch.ok) return batch;
    for (const event of batch.value) {
      fold.apply(event);
      const after = Memory.alias(fold.memory(), pfn);
      if (isSame(now, after)) continue;
      changes.push({ event, from: now, to: after });
      note(after?.frame ?? -1, event.seq);
      now = after;
    }
  }
  return ok({ changes, backed });
};
