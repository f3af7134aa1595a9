import type { Permission } from './naiveKernel.js';
import type { Rules } from './rules.js';

/** One page of a page table; every page of a 2M leaf has its own, equal but for the frame. */
export interface NaivePage {
  present: boolean;
  writable: boolean;
  executable: boolean;
  dirty: boolean;
  /** log2 of the leaf size. */
  shift: number;
}
export interface NaiveMapped extends NaivePage {
  readonly frame: number;
}

export type Bits = Partial<Record<'present' | 'writable' | 'executable' | 'dirty', boolean>>;

export const EFAULT = -14;
export const ENOMEM = -12;
const HUGE = 512;
const GIGA = 512 * 512;

type Names = keyof Bits;
const differs = (page: NaivePage, bits: Bits): boolean =>
  (Object.keys(bits) as Names[]).some((name) => page[name] !== bits[name]);
const floor = (page: number, unit: number): number => Math.floor(page / unit) * unit;

/**
 * x86 page tables as plain maps of pages (kernel-model.md §4). The direct map is by pfn: what nobody changed is PAGE_KERNEL memory on the
 * leaf that `leaf` says.
 */
export class NaiveCpa {
  readonly pages = new Map<number, NaiveMapped>();
  readonly direct = new Map<number, NaivePage>();
  /** Pages and frames changed since the last look; a look clears them. */
  readonly touched = { pages: new Set<number>(), direct: new Set<number>() };
  level2Splits = 0;
  level3Splits = 0;
  /** Splits of mapped areas: counted nowhere in a kernel. */
  areaSplits = 0;
  collapses = 0;

  constructor(
    readonly rules: Rules,
    /** log2 of the leaf of an untouched direct-map page. */
    readonly leaf: (pfn: number) => number = () => 21,
    /** Whether a page table can be had. */
    readonly table: () => boolean = () => true,
  ) {}

  alias(pfn: number): NaivePage {
    let page = this.direct.get(pfn);
    if (page === undefined) {
      page = { present: true, writable: true, executable: false, dirty: true, shift: this.leaf(pfn) };
      this.direct.set(pfn, page);
    }
    return page;
  }

  /** Maps PAGE_KERNEL: writable, not executable, dirty. */
  map(page: number, frames: readonly number[], shift: number): void {
    frames.forEach((frame, i) => {
      const kernel = { present: true, writable: true, executable: false, dirty: true };
      this.pages.set(page + i, { ...kernel, shift, frame });
      this.touched.pages.add(page + i);
    });
  }

  /** Frames that were mapped there. */
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

  setMemoryRo(page: number, pages: number): number {
    return this.change(page, pages, this.noWrite(), true);
  }

  setMemoryRw(page: number, pages: number): number {
    return this.change(page, pages, { writable: true }, true);
  }

  setMemoryX(page: number, pages: number): number {
    return this.change(page, pages, { executable: true }, false);
  }

  setMemoryNx(page: number, pages: number): number {
    return this.change(page, pages, { executable: false }, false);
  }

  setMemoryRox(page: number, pages: number): number {
    const bits = { ...this.noWrite(), executable: true };
    // What changes nothing ends before the flush, behind which the merge is tried (§4.2, 4).
    let changes = false;
    for (let at = page; at < page + pages; at++) {
      const here = this.pages.get(at);
      changes ||= here !== undefined && differs(here, bits);
    }
    const result = this.change(page, pages, bits, true);
    if (result === 0 && changes && this.rules.collapses) this.collapse(page, pages);
    return result;
  }

  setMemory(what: Permission, page: number, pages: number): number {
    switch (what) {
      case 'ro':
        return this.setMemoryRo(page, pages);
      case 'rw':
        return this.setMemoryRw(page, pages);
      case 'x':
        return this.setMemoryX(page, pages);
      case 'nx':
        return this.setMemoryNx(page, pages);
      case 'rox':
        return this.setMemoryRox(page, pages);
    }
  }

  setDirectMapInvalid(pfn: number): number {
    return this.changeAlias(pfn, 1, {
      present: false,
      writable: false,
      ...(this.rules.invalidClearsDirty ? { dirty: false } : {}),
    });
  }

  setDirectMapDefault(pfn: number): number {
    return this.changeAlias(pfn, 1, { present: true, writable: true });
  }

  private putPage(page: number, change: Partial<NaivePage>): void {
    Object.assign(this.pages.get(page) as NaiveMapped, change);
    this.touched.pages.add(page);
  }

  private putAlias(pfn: number, change: Partial<NaivePage>): void {
    Object.assign(this.alias(pfn), change);
    this.touched.direct.add(pfn);
  }

  private noWrite(): Bits {
    return this.rules.roClearsDirty ? { writable: false, dirty: false } : { writable: false };
  }

  /** __change_page_attr_set_clr on the mapping itself, position by position, each followed by its alias. */
  private change(first: number, pages: number, bits: Bits, aliases: boolean): number {
    // The direct map is never executable: NX is no part of what an alias gets (6.2+; before, only pure NX calls change NX).
    const ofAlias = { ...bits };
    delete ofAlias.executable;
    let at = first;
    while (at < first + pages) {
      const here = this.pages.get(at);
      if (here === undefined) return EFAULT;
      let step = 1;
      if (here.shift === 12) this.putPage(at, bits);
      else {
        const base = floor(at, HUGE);
        step = Math.min(first + pages, base + HUGE) - at;
        if (differs(here, bits)) {
          if (step < HUGE) {
            if (!this.table()) return ENOMEM;
            this.areaSplits++;
            for (let i = base; i < base + HUGE; i++) this.putPage(i, { shift: 12 });
            continue;
          }
          for (let i = base; i < base + HUGE; i++) this.putPage(i, bits);
        }
      }
      if (aliases) {
        const result = this.changeAlias(here.frame, step, ofAlias);
        if (result !== 0) return result;
      }
      at += step;
    }
    return 0;
  }

  private changeAlias(first: number, pages: number, bits: Bits): number {
    let at = first;
    while (at < first + pages) {
      const here = this.alias(at);
      if (here.shift === 12) {
        this.putAlias(at, bits);
        at++;
        continue;
      }
      const unit = here.shift === 30 ? GIGA : HUGE;
      const base = floor(at, unit);
      const step = Math.min(first + pages, base + unit) - at;
      if (differs(here, bits)) {
        if (step < unit) {
          if (!this.table()) return ENOMEM;
          this.splitAlias(base, unit);
          continue;
        }
        for (let i = base; i < base + unit; i++) this.putAlias(i, bits);
      }
      at += step;
    }
    return 0;
  }

  private splitAlias(base: number, unit: number): void {
    if (unit === HUGE) this.level2Splits++;
    else this.level3Splits++;
    for (let i = base; i < base + unit; i++) this.putAlias(i, { shift: unit === HUGE ? 12 : 21 });
  }

  /** §4.7: every 2M block that the range touches, whole blocks of 512 equal, consecutive, aligned entries. */
  private collapse(first: number, pages: number): void {
    for (let base = floor(first, HUGE); base < first + pages; base += HUGE) {
      const head = this.pages.get(base);
      if (head === undefined || head.shift !== 12 || head.frame % HUGE !== 0) continue;
      let equal = true;
      for (let i = 0; i < HUGE; i++) {
        const page = this.pages.get(base + i);
        equal &&=
          page !== undefined &&
          page.present &&
          page.writable === head.writable &&
          page.executable === head.executable &&
          page.dirty === head.dirty &&
          page.frame === head.frame + i;
      }
      if (!equal) continue;
      this.collapses++;
      for (let i = 0; i < HUGE; i++) this.putPage(base + i, { shift: 21 });
    }
  }
}
