import { MODULES_END } from './rules.js';

/** A vmalloc area; `pages` counts the guard page. */
export interface NaiveArea {
  readonly start: number;
  readonly pages: number;
  lazy: boolean;
  resets: boolean;
}

/**
 * Areas as one sorted list (kernel-model.md §5.2): the lowest aligned start whose pages and guard page are free. A freed area stays in
 * the way until a purge.
 */
export class NaiveVmalloc {
  areas: NaiveArea[] = [];

  constructor(
    readonly low: number,
    readonly high = MODULES_END,
    /** Pages of the guard, and the unit in which areas lie. */
    readonly unit = 1,
  ) {}

  /** Where `pages` pages and a guard page go. */
  find(pages: number, align = this.unit): number | null {
    const need = pages + this.unit;
    let at = Math.ceil(this.low / align) * align;
    for (const area of this.areas) {
      if (area.start + area.pages <= at) continue;
      if (at + need <= area.start) break;
      at = Math.ceil((area.start + area.pages) / align) * align;
    }
    return at + need <= this.high ? at : null;
  }

  /** Whether a hole below the one found is large enough but for its alignment: 5.16+ may or may not meet it (§5.2). */
  unsure(pages: number, align: number): boolean {
    if (align === this.unit) return false;
    const found = this.find(pages, align);
    if (found === null) return true;
    const need = pages + this.unit;
    let low = this.low;
    for (const area of this.areas) {
      if (found >= low && found < area.start) return area.start - low < need + align - 1;
      low = area.start + area.pages;
    }
    return false;
  }

  /** Whether an area may lie there. */
  fits(start: number, pages: number): boolean {
    const end = start + pages + this.unit;
    return (
      start >= this.low &&
      end <= this.high &&
      this.areas.every((area) => end <= area.start || area.start + area.pages <= start)
    );
  }

  alloc(pages: number, align = this.unit, resets = false): number {
    const start = this.find(pages, align);
    if (start === null) throw new Error('the module area is full');
    this.take(start, pages, resets);
    return start;
  }

  take(start: number, pages: number, resets = false): void {
    this.areas.push({ start, pages: pages + this.unit, lazy: false, resets });
    this.areas.sort((a, b) => a.start - b.start);
  }

  at(start: number): NaiveArea {
    const area = this.areas.find((a) => a.start === start);
    if (area === undefined) throw new Error(`no area at page ${start.toString(16)}`);
    return area;
  }

  /** The area that holds a page. */
  around(page: number): NaiveArea {
    const area = this.areas.find((a) => page >= a.start && page < a.start + a.pages);
    if (area === undefined) throw new Error(`no area around page ${page.toString(16)}`);
    return area;
  }

  free(start: number): void {
    this.at(start).lazy = true;
  }

  /** Number of areas whose addresses may be used again. */
  purge(): number {
    const before = this.areas.length;
    this.areas = this.areas.filter((a) => !a.lazy);
    return before - this.areas.length;
  }
}
