/** What lies in memory (kernel-model.md §2.3, §3.1), block by block: what was there before, traps, images. Written down a second time. */
import { ContentClass, PageContent } from '../../core/memory/content.js';
import { Memory } from '../../core/memory/memory.js';
import type { Place } from './naivePacks.js';

const PAGE = 4096;
const BLOCK = 64;
const BLOCKS = PAGE / BLOCK;

/** `before`: what lay there when the memory was allocated; `code`: the same, and it was an image. */
interface Cell {
  readonly kind: 'before' | 'code' | 'trap' | 'image';
  /** Which load the image is (or was) of. */
  readonly load: number;
}

const BEFORE: Cell = { kind: 'before', load: 0 };
const TRAP: Cell = { kind: 'trap', load: 0 };

/** Trap words by family; one that is missing is not compared. */
const WORDS: Readonly<Record<string, number>> = {
  x86_64: 0xcccccccc,
  x86_32: 0xcccccccc,
  arm64: 0xd4202000,
  riscv64: 0,
  ppc64le: 0x7fe00008,
  s390x: 0,
  loongarch64: 0x002a0000,
};

/** What a cell is once the memory has another owner. */
const left = (cell: Cell): Cell => (cell.load === 0 ? BEFORE : { kind: 'code', load: cell.load });

export class NaiveContent {
  /** By frame; one cell: all of the page. */
  private readonly frames = new Map<number, Cell | Cell[]>();
  private readonly touched = new Set<number>();
  private readonly word: number | undefined;
  /** Core's number of each load. */
  private readonly numbers = new Map<number, number>();
  private loads = 0;

  constructor(
    arch: string,
    private readonly frameOf: (page: number) => number | undefined,
  ) {
    this.word = WORDS[arch.split('-')[0] as string];
  }

  /** Frames get an owner; nobody clears them. */
  allocated(frames: readonly number[]): void {
    for (const frame of frames) {
      const before = this.frames.get(frame) ?? BEFORE;
      this.put(frame, Array.isArray(before) ? before.map(left) : left(before));
    }
  }

  filled(at: Place, bytes: number): void {
    this.write(at, bytes, TRAP);
  }

  image(at: Place, bytes: number): void {
    this.write(at, bytes, { kind: 'image', load: ++this.loads });
  }

  /** The first block that core has otherwise. `all`: not only what has changed since the last look. */
  difference(memory: Memory, all: boolean): string | null {
    for (const frame of all ? this.frames.keys() : this.touched) {
      const content = Memory.contentOf(memory, frame);
      const cells = this.frames.get(frame) as Cell | Cell[];
      const blocks = Array.isArray(cells) || content?.uniform === false ? BLOCKS : 1;
      for (let block = 0; block < blocks; block++) {
        const cell = Array.isArray(cells) ? (cells[block] as Cell) : cells;
        const cls = content === null ? ContentClass.unknown : PageContent.classAt(content, block);
        const ref = content === null ? 0 : PageContent.refAt(content, block);
        if (!this.same(cell, cls, ref))
          return `frame 0x${frame.toString(16)} block ${block}: core class ${cls} of ${ref}, naive ${cell.kind} of load ${cell.load}`;
      }
    }
    this.touched.clear();
    return null;
  }

  private same({ kind, load }: Cell, cls: number, ref: number): boolean {
    switch (kind) {
      case 'trap':
        if (this.word === undefined) return cls === ContentClass.trap || cls === ContentClass.zero;
        return this.word === 0
          ? cls === ContentClass.zero
          : cls === ContentClass.trap && ref >>> 0 === this.word;
      case 'before':
        return cls === ContentClass.leftover && ref === 0;
      case 'code':
      case 'image': {
        if (cls !== (kind === 'code' ? ContentClass.leftover : ContentClass.program) || ref === 0)
          return false;
        const number = this.numbers.get(load) ?? ref;
        this.numbers.set(load, number);
        return number === ref;
      }
    }
  }

  private put(frame: number, cells: Cell | Cell[]): void {
    this.frames.set(frame, cells);
    this.touched.add(frame);
  }

  private write(at: Place, bytes: number, cell: Cell): void {
    for (let done = 0; done < bytes;) {
      const from = at.offset + done;
      const page = at.page + Math.floor(from / PAGE);
      const first = (from % PAGE) / BLOCK;
      const count = Math.min(BLOCKS - first, Math.ceil((bytes - done) / BLOCK));
      done += count * BLOCK;
      const frame = this.frameOf(page);
      if (frame === undefined) throw new Error(`nothing at page 0x${page.toString(16)} to write to`);
      if (count === BLOCKS) {
        this.put(frame, cell);
        continue;
      }
      const before = this.frames.get(frame) ?? BEFORE;
      const cells = Array.isArray(before) ? before : Array.from({ length: BLOCKS }, () => before);
      this.put(frame, cells.fill(cell, first, first + count));
    }
  }
}
