import { randomOf, type Random } from './random.js';

export interface Run {
  readonly frame: number;
  readonly pages: number;
}

const REGION = 512;
const FIRST_REGION = 40;

/**
 * A page allocator that two parties can run side by side: given the same requests and releases in the same order, both get the same frames.
 * `whole`: requests get free 2M blocks first; else short runs at random places. Released frames are used again.
 */
export class FramePool {
  private readonly taken = new Set<number>();
  private readonly random: Random;

  constructor(
    seed: number,
    readonly whole: boolean,
    readonly regions = 96,
    /** Frames in a page of the architecture: runs are multiples of it. */
    readonly unit = 1,
  ) {
    this.random = randomOf(seed);
  }

  take(pages: number, huge: boolean): Run[] {
    const runs: Run[] = [];
    let rest = pages;
    if (huge || this.whole)
      while (rest >= REGION) {
        runs.push({ frame: this.block(), pages: REGION });
        rest -= REGION;
      }
    while (rest > 0) {
      const run = this.run(
        Math.min(rest, this.whole ? rest : this.unit * (1 + this.random(this.random(4) === 0 ? REGION : 64))),
      );
      runs.push(run);
      rest -= run.pages;
    }
    return runs;
  }

  release(frames: Iterable<number>): void {
    for (const frame of frames) this.taken.delete(frame);
  }

  /** A free, aligned 2M block; a low one if there is any, so that memory is used again. */
  private block(): number {
    for (let region = FIRST_REGION; ; region++) {
      let free = true;
      for (let i = 0; i < REGION; i++) free &&= !this.taken.has(region * REGION + i);
      if (free) return this.mark(region * REGION, REGION);
    }
  }

  /** At most `pages` free frames in a row, somewhere. */
  private run(pages: number): Run {
    // Now and then a run begins a 2M block without filling it.
    const offset = this.random(4) === 0 ? 0 : this.unit * this.random(REGION / this.unit);
    let frame = (FIRST_REGION + this.random(this.regions)) * REGION + offset;
    while (this.taken.has(frame)) frame += this.unit;
    let length = this.unit;
    while (length < pages && !this.taken.has(frame + length)) length += this.unit;
    this.mark(frame, length);
    return { frame, pages: length };
  }

  private mark(frame: number, pages: number): number {
    for (let i = frame; i < frame + pages; i++) this.taken.add(i);
    return frame;
  }
}

export const framesOf = (runs: readonly Run[]): number[] =>
  runs.flatMap(({ frame, pages }) => Array.from({ length: pages }, (_, i) => frame + i));
