import type { Rules } from './rules.js';

/**
 * bpf_prog_pack as an array of booleans per pack (kernel-model.md §2.1, §2.3.2–2.3.8). Bytes are plain numbers counted from
 * page 0 as a bigint would be; positions are { page, offset }.
 */
export interface NaivePack {
  /** First page. */
  readonly start: number;
  readonly taken: boolean[];
  dirty: boolean;
}

export interface Place {
  readonly page: number;
  readonly offset: number;
}

export interface Placed {
  readonly at: Place;
  /** First page of the pack, or null for an area of its own. */
  readonly pack: number | null;
  /** Pages of an area that had to be made for it. */
  readonly made: number;
  /** The branch predictor is flushed first. */
  readonly flushed: boolean;
}

export type Freed = 'chunks' | 'pack' | 'area' | 'bug';

const CHUNK = 64;
const PAGE = 4096;
const PMD_PAGES = 512;

/** First run of n free chunks, or -1. */
export const naiveFirstFit = (taken: readonly boolean[], n: number): number => {
  let run = 0;
  for (const [chunk, bit] of taken.entries()) {
    run = bit ? 0 : run + 1;
    if (run === n) return chunk - n + 1;
  }
  return -1;
};

export class NaivePacks {
  packs: NaivePack[] = [];
  /** Packs (first page) whose bitmap has changed since the last look; a look clears them. */
  readonly touched = new Set<number>();
  readonly packPages: number;

  /** `predictor`: the static key of the predictor flush is on. */
  constructor(
    readonly rules: Rules,
    nodes: number,
    readonly predictor = false,
    /** Pages of 4 KiB in a page of the architecture. */
    readonly unit = 1,
  ) {
    this.packPages = rules.pack === 'none' ? 0 : rules.pack === 'page' ? 1 : PMD_PAGES * nodes;
  }

  /** Memory for a program of `bytes` (a multiple of 64; page-rounded where there are no packs). */
  alloc(bytes: number, classic: boolean, area: (pages: number) => number): Placed {
    if (bytes > this.packPages * PAGE) {
      const pages = Math.ceil(bytes / (PAGE * this.unit)) * this.unit;
      return { at: { page: area(pages), offset: 0 }, pack: null, made: pages, flushed: false };
    }
    const n = bytes / CHUNK;
    const fits = (pack: NaivePack): boolean => naiveFirstFit(pack.taken, n) >= 0;
    const key = this.predictor && this.rules.marksDirty;
    const liked = key ? this.packs.find((p) => p.dirty !== classic && fits(p)) : undefined;
    let pack = liked ?? this.packs.find(fits);
    let made = 0;
    if (pack === undefined) {
      made = this.packPages;
      const chunks = (made * PAGE) / CHUNK;
      pack = { start: area(made), taken: new Array<boolean>(chunks).fill(false), dirty: key };
      this.packs.push(pack);
    }
    const flushed = key && classic && pack.dirty;
    if (flushed) for (const each of this.packs) each.dirty = false;
    const chunk = naiveFirstFit(pack.taken, n);
    pack.taken.fill(true, chunk, chunk + n);
    this.touched.add(pack.start);
    const byte = chunk * CHUNK;
    return {
      at: { page: pack.start + Math.floor(byte / PAGE), offset: byte % PAGE },
      pack: pack.start,
      made,
      flushed,
    };
  }

  /** The pack that owns a chunk as this kernel looks for it. */
  ownerOf(at: Place): NaivePack | undefined {
    if (this.rules.owner === 'range')
      return this.packs.find((p) => at.page >= p.start && at.page < p.start + this.packPages);
    // hdr & mask: 2 MiB (whatever the number of nodes) or one page.
    const unit = this.rules.pack === 'page' ? 1 : PMD_PAGES;
    const base = Math.floor(at.page / unit) * unit;
    return this.packs.find((p) => p.start === base);
  }

  free(at: Place, bytes: number): Freed {
    if (bytes > this.packPages * PAGE) return 'area';
    const pack = this.ownerOf(at);
    if (pack === undefined) return 'bug';
    const first = ((at.page - pack.start) * PAGE + at.offset) / CHUNK;
    pack.taken.fill(false, first, first + bytes / CHUNK);
    this.touched.add(pack.start);
    if (this.predictor && this.rules.marksDirty) pack.dirty = true;
    if (pack.taken.includes(true)) return 'chunks';
    this.packs = this.packs.filter((p) => p !== pack);
    return 'pack';
  }
}
