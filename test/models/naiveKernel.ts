import { framesOf, type FramePool } from './framePool.js';
import { releaseOf, type ArchRules } from './archRules.js';
import { NaiveContent } from './naiveContent.js';
import { NaiveCpa } from './naiveCpa.js';
import { NaivePacks, type Placed } from './naivePacks.js';
import { NaivePages, type NaiveTables } from './naiveTables.js';
import { NaiveVmalloc } from './naiveVmalloc.js';
import type { Rules } from './rules.js';

export interface NaiveOptions {
  readonly nodes: number;
  readonly frames: FramePool;
  readonly predictor?: boolean;
  readonly leaf?: (pfn: number) => number;
  readonly table?: () => boolean;
  /** Where the next area went, for the cases in which the kernel's search is not exact (2M alignment, §5.2). */
  readonly placed?: () => number;
  /** Another architecture than x86-64, and where its areas lie. */
  readonly arch?: ArchRules;
  readonly range?: readonly [number, number];
}

export type Permission = 'ro' | 'rw' | 'x' | 'nx' | 'rox';

const PAGE = 4096;
const HUGE = 512;

/** The three naive models put together by the step sequences of kernel-model.md §2.3. */
export class NaiveKernel {
  readonly packs: NaivePacks;
  readonly cpa: NaiveTables;
  readonly vmalloc: NaiveVmalloc;
  readonly content: NaiveContent;
  charged = 0;
  /** Pages of 4 KiB in a page of the architecture. */
  readonly unit: number;
  private tried = false;

  constructor(
    readonly rules: Rules,
    readonly options: NaiveOptions,
  ) {
    const { arch, range } = options;
    this.unit = arch === undefined ? 1 : 2 ** (arch.shift - 12);
    this.packs = new NaivePacks(rules, options.nodes, options.predictor ?? false, this.unit);
    this.cpa =
      arch === undefined || arch.x86
        ? new NaiveCpa(rules, options.leaf, options.table)
        : new NaivePages(
            arch,
            releaseOf(rules.kernel),
            options.leaf ?? (() => arch.directLeaf),
            options.table ?? (() => true),
          );
    this.content = new NaiveContent(arch?.arch ?? 'x86_64', (page) => this.cpa.pages.get(page)?.frame);
    this.vmalloc = new NaiveVmalloc(range?.[0] ?? rules.modules, range?.[1], this.unit);
  }

  /** Memory for a program; null: the load fails. */
  load(bytes: number, classic: boolean): Placed | null {
    this.charged += bytes;
    const before = [...this.packs.packs];
    try {
      const placed = this.packs.alloc(bytes, classic, (pages) => this.executable(pages));
      this.content.image(placed.at, bytes);
      this.copied(placed, bytes);
      return placed;
    } catch (refused) {
      if (refused !== REFUSED) throw refused;
      this.charged -= bytes;
      this.packs.packs = before;
      return null;
    }
  }

  unload(placed: Placed, bytes: number): void {
    if (placed.pack !== null) this.copied(placed, bytes);
    const freed = this.packs.free(placed.at, bytes);
    // Whose pack is not found is left as it is (§2.3.5, 4).
    if ((freed === 'chunks' || freed === 'pack') && this.rules.invalidates)
      this.content.filled(placed.at, bytes);
    if (freed === 'area') this.giveBack(placed.at.page, Math.floor(bytes / PAGE));
    if (freed === 'pack') this.giveBack(placed.pack as number, this.packs.packPages);
    this.charged -= bytes;
  }

  /** An area as module_alloc makes it: writable, not executable. `bpf`: asked for by BPF. */
  moduleAlloc(pages: number, bpf = false): number {
    const { huge: which, moduleResets } = this.rules;
    const huge = (which === 'all' || (which === 'asked' && bpf)) && pages / this.options.nodes >= HUGE;
    const size = huge ? Math.ceil(pages / HUGE) * HUGE : pages;
    const start = this.place(size, huge ? HUGE : this.unit);
    this.vmalloc.at(start).resets = moduleResets;
    const frames = framesOf(this.options.frames.take(size, huge));
    this.cpa.map(start, frames, huge ? 21 : (this.options.arch?.shift ?? 12));
    this.content.allocated(frames);
    return start;
  }

  /** §4.8. */
  vfree(start: number): void {
    const area = this.vmalloc.at(start);
    const frames = this.cpa.unmap(start, area.pages - this.unit);
    this.vmalloc.free(start);
    if (area.resets) {
      for (const frame of frames) this.cpa.setDirectMapInvalid(frame);
      this.vmalloc.purge();
      for (const frame of frames) this.cpa.setDirectMapDefault(frame);
    }
    this.options.frames.release(frames);
  }

  setMemory(what: Permission, page: number, pages: number): number {
    if (this.options.arch === undefined || this.options.arch.x86 || this.options.arch.purges)
      this.vmalloc.purge();
    const area = this.vmalloc.around(page);
    return this.cpa.setMemory(what, page, pages, { start: area.start, pages: area.pages - this.unit });
  }

  /** §3.4: what a text copy does to the pages it goes to. */
  private copied({ at }: Placed, bytes: number): void {
    if (this.options.arch?.copiesProtect !== true || this.rules.pack === 'none') return;
    const first = at.page - (at.page % this.unit);
    const last = at.page + Math.floor((at.offset + bytes - 1) / PAGE);
    const pages = Math.ceil((last + 1 - first) / this.unit) * this.unit;
    for (const what of ['rw', 'rox'] as const) this.setMemory(what, first, pages);
  }

  /** An area for programs: RW first, then as the kernel protects it. */
  private executable(pages: number): number {
    if (this.rules.trial && !this.tried) {
      this.tried = true;
      this.vfree(this.moduleAlloc(HUGE * this.options.nodes, true));
    }
    const start = this.moduleAlloc(pages, true);
    this.vmalloc.at(start).resets = this.rules.resets;
    if (this.rules.fills) this.content.filled({ page: start, offset: 0 }, pages * PAGE);
    for (const what of this.rules.protect)
      if (this.setMemory(what, start, pages) !== 0 && this.rules.checked) {
        this.vfree(start);
        throw REFUSED;
      }
    return start;
  }

  private place(pages: number, align: number): number {
    const placed = this.options.placed?.();
    if (placed === undefined || !this.vmalloc.unsure(pages, align)) return this.vmalloc.alloc(pages, align);
    if (placed % align !== 0 || !this.vmalloc.fits(placed, pages)) throw new Error('placed on another area');
    this.vmalloc.take(placed, pages);
    return placed;
  }

  private giveBack(start: number, pages: number): void {
    if (this.rules.takesBack) {
      this.setMemory('nx', start, pages);
      this.setMemory('rw', start, pages);
    }
    this.vfree(start);
  }
}

const REFUSED = new Error('the area could not be protected');
