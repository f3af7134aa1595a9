/** How the packs of a trace are filled before its first event. */
import type { Memory } from '../../core/memory/memory.js';

export interface Layout {
  readonly packs: number;
  readonly chunks_used: number;
}

export const layoutAt = (memory: Memory): Layout => ({
  packs: memory.packs.length,
  chunks_used: memory.packs.reduce((sum, { usedChunks }) => sum + usedChunks, 0),
});

export const sameLayout = (a: Layout, b: Layout): boolean =>
  a.packs === b.packs && a.chunks_used === b.chunks_used;
