import type { Random } from '../../value/random.js';

/** Physical memory of an emulated machine: which frames are free, and in which runs they are handed out. */
export interface FramePool {
  /** `pages` frames: 2M-aligned runs of 512 when `huge`, few large runs when `contiguous`, else scattered ones. Null: not enough. */
  readonly take: (
    pages: number,
    huge: boolean,
    contiguous: boolean,
  ) => readonly { frame: number; pages: number }[] | null;
  readonly give: (frames: Iterable<number>) => void;
  /** These are taken, by whatever gave them out. Frames that are not of the pool are passed over. */
  readonly claim: (frame: number, pages: number) => void;
}

const LARGE = 512;

/** Frames `first` to `first + pages - 1`, all free, handed out in pages of `unit` frames. */
export const framePool = (first: number, pages: number, random: Random, unit = 1): FramePool =>
  unit === 1 ? smallPool(first, pages, random) : scaled(smallPool(first / unit, pages / unit, random), unit);

/** A pool whose smallest block is `unit` frames. */
const scaled = (pool: FramePool, unit: number): FramePool => ({
  take: (pages, huge, contiguous) =>
    pool
      .take(pages / unit, huge, contiguous)
      ?.map((run) => ({ frame: run.frame * unit, pages: run.pages * unit })) ?? null,
  give: (frames) => {
    pool.give(new Set(Array.from(frames, (frame) => Math.floor(frame / unit))));
  },
  claim: (frame, pages) => pool.claim(Math.floor(frame / unit), Math.ceil(pages / unit)),
});

const smallPool = (first: number, pages: number, random: Random): FramePool => {
  const taken = new Uint8Array(pages);
  const mark = (frame: number, count: number, value: number): void => {
    taken.fill(value, frame - first, frame - first + count);
  };
  const freeRun = (from: number, length: number): boolean => {
    for (let i = from; i < from + length; i++) if (i >= pages || taken[i] !== 0) return false;
    return true;
  };
  const aligned = (length: number): number | null => {
    for (let at = 0; at + length <= pages; at += length) if (freeRun(at, length)) return first + at;
    return null;
  };
  // As an allocator with a free list per order hands them out: neighbours one after the other, now and then from somewhere else.
  let cursor = random.below(pages);
  let run = 0;
  const scattered = (count: number): { frame: number; pages: number }[] | null => {
    const runs: { frame: number; pages: number }[] = [];
    let left = count;
    for (let tries = 0; left > 0; tries++) {
      if (tries > 100_000) return null;
      if (run <= 0 || cursor >= pages || taken[cursor] !== 0) {
        if (run <= 0) {
          cursor = random.below(pages);
          run = 32 + random.below(256);
        }
        while (cursor < pages && taken[cursor] !== 0) cursor++;
        if (cursor >= pages) {
          run = 0;
          continue;
        }
      }
      const want = Math.min(left, run);
      let length = 0;
      while (length < want && cursor + length < pages && taken[cursor + length] === 0) length++;
      mark(first + cursor, length, 1);
      runs.push({ frame: first + cursor, pages: length });
      cursor += length;
      run -= length;
      left -= length;
    }
    return runs;
  };
  const blocks = (count: number): { frame: number; pages: number }[] | null => {
    const runs: { frame: number; pages: number }[] = [];
    let left = count;
    for (let order = 9; order >= 0 && left > 0; order--) {
      const length = 2 ** order;
      while (left >= length) {
        const at = aligned(length);
        if (at === null) break;
        mark(at, length, 1);
        runs.push({ frame: at, pages: length });
        left -= length;
      }
    }
    return left === 0 ? runs : null;
  };
  return {
    take: (count, huge, contiguous) => {
      if (!huge) return contiguous ? blocks(count) : scattered(count);
      const runs: { frame: number; pages: number }[] = [];
      for (let done = 0; done < count; done += LARGE) {
        const at = aligned(LARGE);
        if (at === null) return null;
        mark(at, LARGE, 1);
        runs.push({ frame: at, pages: LARGE });
      }
      return runs;
    },
    claim: (frame, count) => {
      const from = Math.max(frame, first);
      const to = Math.min(frame + count, first + pages);
      if (to > from) mark(from, to - from, 1);
    },
    give: (frames) => {
      for (const frame of frames) if (frame >= first && frame < first + pages) mark(frame, 1, 0);
    },
  };
};
