import type { AliasRule, ArchRules } from './archRules.js';
import type { NaiveMapped, NaivePage } from './naiveCpa.js';
import type { Permission } from './naiveKernel.js';

export const EINVAL = -22;

/** What naive models of page tables have in common. Pages and frames count 4 KiB. */
export interface NaiveTables {
  readonly pages: Map<number, NaiveMapped>;
  readonly direct: Map<number, NaivePage>;
  readonly touched: { readonly pages: Set<number>; readonly direct: Set<number> };
  readonly level2Splits: number;
  readonly level3Splits: number;
  readonly leaf: (pfn: number) => number;
  readonly map: (page: number, frames: readonly number[], shift: number) => void;
  readonly unmap: (page: number, pages: number) => number[];
  /** `area`: first page and pages (without guard) of the area around. */
  readonly setMemory: (
    what: Permission,
    page: number,
    pages: number,
    area: { readonly start: number; readonly pages: number },
  ) => number;
  readonly setDirectMapInvalid: (pfn: number) => number;
  readonly setDirectMapDefault: (pfn: number) => number;
}

interface Bits {
  readonly writable?: boolean;
  readonly executable?: boolean;
}

const BITS: Readonly<Record<Permission, Bits>> = {
  ro: { writable: false },
  rw: { writable: true },
  x: { executable: true },
  nx: { executable: false },
  rox: { writable: false, executable: true },
};

/**
 * Page tables of the architectures but x86 as plain maps of pages (kernel-model.md §3.3): pages change one by one, aliases go along as the architecture
 * says, and a large leaf of the direct map is split once a page of it changes.
 */
export class NaivePages implements NaiveTables {
  readonly pages = new Map<number, NaiveMapped>();
  readonly direct = new Map<number, NaivePage>();
  readonly touched = { pages: new Set<number>(), direct: new Set<number>() };
  level2Splits = 0;
  readonly level3Splits = 0;

  constructor(
    readonly rules: ArchRules,
    readonly release: number,
    readonly leaf: (pfn: number) => number,
    readonly table: () => boolean,
  ) {}

  private alias(pfn: number): NaivePage {
    let page = this.direct.get(pfn);
    if (page === undefined) {
      page = { present: true, writable: true, executable: false, dirty: true, shift: this.leaf(pfn) };
      this.direct.set(pfn, page);
    }
    return page;
  }

  map(page: number, frames: readonly number[], shift: number): void {
    const executable = this.rules.startsExecutable;
    frames.forEach((frame, i) => {
      this.pages.set(page + i, { present: true, writable: true, executable, dirty: true, shift, frame });
      this.touched.pages.add(page + i);
    });
  }

  unmap(page: number, pages: number): number[] {
    const frames: number[] = [];
    for (let i = page; i < page + pages; i++) {
      const mapped = this.pages.get(i);
      if (mapped !== undefined) frames.push(mapped.frame);
      this.pages.delete(i);
      this.touched.pages.add(i);
    }
    return frames;
  }

  setMemory(
    what: Permission,
    page: number,
    pages: number,
    area: { readonly start: number; readonly pages: number },
  ): number {
    if (!this.rules.changes(this.release)) return 0;
    if (what === 'rox' && this.rules.rox(this.release).length > 1) {
      const [first, second] = this.rules.rox(this.release) as [Permission, Permission];
      return this.setMemory(first, page, pages, area) || this.setMemory(second, page, pages, area);
    }
    const bits = BITS[what];
    for (let at = page; at < page + pages; at++) {
      Object.assign(this.pages.get(at) as NaiveMapped, bits);
      this.touched.pages.add(at);
    }
    const rule = this.rules.alias(this.release);
    const [first, count] = rule === 'area' ? [area.start, area.pages] : [page, pages];
    const change = changeOfAlias(rule, bits);
    if (change === null) return 0;
    for (let at = first; at < first + count; at++) {
      const mapped = this.pages.get(at);
      if (mapped !== undefined) this.changeAlias(mapped.frame, change);
    }
    return 0;
  }

  setDirectMapInvalid(pfn: number): number {
    if (this.rules.resets(this.release)) this.changeAlias(pfn, { present: false });
    return 0;
  }

  setDirectMapDefault(pfn: number): number {
    if (this.rules.resets(this.release))
      this.changeAlias(pfn, { present: true, writable: true, executable: false });
    return 0;
  }

  private changeAlias(pfn: number, change: Partial<NaivePage>): void {
    const here = this.alias(pfn);
    if (here.shift > this.rules.shift) {
      const unit = 2 ** (here.shift - 12);
      const base = Math.floor(pfn / unit) * unit;
      if (this.rules.wide(this.release)) {
        for (let at = base; at < base + unit; at++) {
          Object.assign(this.alias(at), change);
          this.touched.direct.add(at);
        }
        return;
      }
      if (here.shift === 21) this.level2Splits++;
      for (let at = base; at < base + unit; at++) {
        this.alias(at).shift = this.rules.shift;
        this.touched.direct.add(at);
      }
    }
    Object.assign(here, change);
    this.touched.direct.add(pfn);
  }
}

const changeOfAlias = (rule: AliasRule, bits: Bits): Bits | null => {
  switch (rule) {
    case 'none':
      return null;
    case 'area':
    case 'range':
      return bits.writable === undefined ? null : { writable: bits.writable };
    case 'same':
      return bits;
  }
};
