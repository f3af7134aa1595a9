/** Frames of areas that were freed and have not been handed back yet: the area itself may be forgotten by a purge in between. */
import { Memory } from '../memory/memory.js';
import type { EventOf } from '../event/event.js';
import type { Audit } from './rule.js';

export interface FreedFrames {
  /** To be called before memory changes. */
  readonly before: {
    readonly 'area-freed': (event: EventOf<'area-freed'>) => void;
    readonly identified: (event: EventOf<'identified'>) => void;
  };
  /** Frames of the area that is handed back, and its flags; null: not known. */
  readonly take: (event: EventOf<'frames-released'>) => FreedArea | null;
}

export interface FreedArea {
  readonly start: number;
  readonly pages: number;
  readonly flags: number;
  readonly frames: Float64Array | null;
}

const keyOf = (event: { readonly task: string; readonly start: number }): string =>
  `${event.start} ${event.task}`;

export const freedFrames = (audit: Audit): FreedFrames => {
  // The same addresses can be freed again by another task before the frames are back.
  const waiting = new Map<string, FreedArea>();
  return {
    before: {
      'area-freed': (event) => {
        const area = Memory.areaAt(audit.memory(), event.start);
        if (area === null) return;
        const { start, pages, flags } = area;
        waiting.set(keyOf(event), { start, pages, flags, frames: area.frames?.slice() ?? null });
      },
      identified: (event) => {
        for (const { frames } of waiting.values())
          for (const [i, name] of frames?.entries() ?? []) {
            const into = event.frame - name;
            if (frames !== null && name < 0 && into >= 0 && into < event.pages) frames[i] = event.page + into;
          }
      },
    },
    take: (event) => {
      const key = keyOf(event);
      const area = waiting.get(key) ?? null;
      waiting.delete(key);
      return area ?? Memory.areaAt(audit.memory(), event.start);
    },
  };
};
