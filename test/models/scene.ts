import type { Arch } from '../../core/arch/arch.js';
import { forcedPort, type Forced } from '../../core/arch/port.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { bpfIntJitCompile, bpfJitFree } from '../../core/kernel/jit.js';
import { bpfKsymDel, bpfProgKallsymsAdd } from '../../core/kernel/programs.js';
import type { Failing } from '../../core/driver/emulate/failing.js';
import type { Args, KernelFunction } from '../../core/kernel/request.js';
import { BLOCK as BLOCK_BYTES, CONTENT_CLASSES, PageContent } from '../../core/memory/content.js';
import { Memory, type Area, type Program } from '../../core/memory/memory.js';
import { profileNamed } from '../../core/profile/profiles.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import type { Word } from '../../core/value/words.js';
import { drive, type Answers, type Driver, type Step } from './drive.js';
import type { Run } from './framePool.js';
import { counted, movesOf, storyOf } from './story.js';

export interface SceneOptions {
  readonly nodes?: number;
  /** Default: x86-64. */
  readonly arch?: Arch;
  /** What never was there, and is tried all the same. */
  readonly forced?: Forced;
  /** Frames of each area in turn; when they run out, whole 2M blocks one after the other. */
  readonly frames?: readonly (readonly Run[])[];
  readonly answers?: Answers;
  /** Keep all events. */
  readonly record?: boolean;
  /** Calls that fail. */
  readonly fail?: Failing;
}

/** A function that was compiled, with what is needed to free it. */
export interface Compiled {
  readonly prog: Word;
  readonly program: Program;
  readonly start: Address;
}

const FIRST_BLOCK = 0x4000;
const BLOCK = 512;
/** proglen of a program of 448 bytes: seven chunks. */
const SMALL = 396;

/**
 * One kernel for a specification: `load`, `free` and `call` run its functions, the rest looks at memory. Areas and chunks go where the model says,
 * frames come in 2M blocks unless given, the direct map is 2M leaves, nothing fails.
 */
export class Scene {
  readonly driver: Driver;
  /** What the last operation did. */
  steps: readonly Step[] = [];
  type = 'program';
  final = true;
  private proglen = SMALL;
  private count = 0;
  private areas = 0;
  private block = FIRST_BLOCK;
  private tried = false;

  constructor(
    readonly kernel: string,
    options: SceneOptions = {},
  ) {
    const { nodes = 1, frames = [], answers = {}, arch = x86_64 } = options;
    const profile = profileNamed(kernel);
    if (profile === null) throw new Error(`no profile ${kernel}`);
    this.driver = drive({
      kernel,
      nodes,
      arch,
      profile: forcedPort(profile, arch, options.forced ?? {}),
      record: options.record ?? false,
      ...(options.fail === undefined ? {} : { fail: options.fail }),
      answers: {
        clone: ({ prog }) => prog,
        image: () => this.proglen,
        final: () => this.final,
        placement: ({ chunk, proglen }) => ({ start: Address.add(chunk, 8), length: proglen }),
        type: () => this.type,
        charge: () => 0,
        buffer: () => ({ hi: 0xffff8880, lo: 0x9bf9b80 }),
        chunk: ({ predicted }) => predicted,
        predictor: () => false,
        trial: () => {
          const first = !this.tried;
          this.tried = true;
          return first;
        },
        area: ({ predicted }) => predicted,
        frames: ({ pages }) => frames[this.areas++] ?? this.blocks(pages),
        leaf: () => arch.directLeaf,
        purge: ({ predicted }) => predicted ?? 0,
        pageTable: () => true,
        more: ({ fn }) => fn !== 'alloc_new_pack' && fn !== 'set_direct_map_invalid_noflush',
        patch: () => null,
        result: ({ predicted }) => predicted,
        symbol: () => ({
          start: Address.zero,
          end: Address.zero,
          name: `bpf_prog_${this.count}`,
          ksym: { hi: 0xffff8880, lo: 0x100 * this.count },
        }),
        ...answers,
      },
    });
  }

  private blocks(pages: number): Run[] {
    const frame = this.block;
    this.block += Math.ceil(pages / BLOCK) * BLOCK;
    return [{ frame, pages }];
  }

  get memory(): Memory {
    return this.driver.memory();
  }

  get story(): string {
    return storyOf(this.steps);
  }

  /** What the last operation did to page tables, areas and TLBs. */
  get moves(): string[] {
    return counted(movesOf(this.steps));
  }

  call<A extends Args, R>(fn: KernelFunction<A, R>, args: A): R {
    const result = this.driver.run(fn, args);
    this.steps = this.driver.steps();
    return result;
  }

  /** bpf_int_jit_compile alone; null: not compiled. */
  compile(proglen = SMALL, again?: Compiled): Compiled | null {
    this.proglen = proglen;
    const prog = again?.prog ?? { hi: 0xffffc900, lo: 0x1000 * ++this.count };
    const { placement } = this.call(bpfIntJitCompile, { prog });
    const program = Memory.programByPointer(this.memory, prog);
    return placement === null || program === null ? null : { prog, program, start: placement.start };
  }

  /** A program from its compilation to its symbol. */
  load(proglen = SMALL): Compiled {
    const compiled = this.compile(proglen);
    if (compiled === null) throw new Error(`${this.kernel}: not compiled`);
    const before = this.steps;
    this.call(bpfProgKallsymsAdd, { prog: compiled.prog, id: this.count, bpf_func: compiled.start });
    this.steps = [...before, ...this.steps];
    return compiled;
  }

  /** Its symbol goes, then its memory. */
  free(compiled: Compiled): void {
    const symbol = [...Memory.symbols(this.memory)].find((s) => Address.equals(s.start, compiled.start));
    let before: readonly Step[] = [];
    if (symbol !== undefined) {
      this.call(bpfKsymDel, { ksym: symbol.ksym, start: symbol.start, name: symbol.name });
      before = this.steps;
    }
    this.call(bpfJitFree, {
      prog: compiled.prog,
      jited_len: compiled.program.proglen,
      bpf_func: compiled.start,
    });
    this.steps = [...before, ...this.steps];
  }

  /** `r-x 2M` and the like; `none` where nothing is mapped. */
  page(page: number): string {
    const entry = Memory.page(this.memory, page);
    return entry === null ? 'none' : leafText(entry.prot, entry.shift);
  }

  /** The direct-map alias of a frame; a region that was never looked at is a 2M leaf. */
  alias(pfn: number): string {
    const entry = Memory.alias(this.memory, pfn);
    const own = entry === null || entry.shift < 12 ? 0 : entry.shift;
    const leaf = own || Memory.aliasLeaf(this.memory, pfn) || 21;
    return leafText(entry?.prot ?? Prot.kernel, leaf);
  }

  frame(page: number): number {
    const entry = Memory.page(this.memory, page);
    if (entry === null) throw new Error(`nothing is mapped at page 0x${page.toString(16)}`);
    return entry.frame;
  }

  /** Distinct descriptions of `pages` pages and of their aliases, in order. */
  pages(start: number, pages: number): string[] {
    return runs(Array.from({ length: pages }, (_, i) => this.page(start + i)));
  }

  aliases(frame: number, pages: number): string[] {
    return runs(Array.from({ length: pages }, (_, i) => this.alias(frame + i)));
  }

  /** What lies in `bytes` bytes from a page on, in 64-byte blocks by class. */
  contents(page: number, bytes: number): Record<string, number> {
    const found: Record<string, number> = {};
    for (let at = 0; at < bytes; at += BLOCK_BYTES) {
      const content = Memory.contentOf(this.memory, this.frame(page + Math.floor(at / PAGE_SIZE)));
      const cls = content === null ? 0 : PageContent.classAt(content, (at % PAGE_SIZE) / BLOCK_BYTES);
      const name = CONTENT_CLASSES[cls] ?? 'unknown';
      found[name] = (found[name] ?? 0) + 1;
    }
    return found;
  }

  areasNow(): readonly Area[] {
    return [...Memory.areas(this.memory)];
  }

  get splits(): number {
    return this.memory.counters.level2Splits;
  }
}

const SIZES: Readonly<Record<number, string>> = { 12: '4K', 21: '2M', 30: '1G' };

const leafText = (prot: number, shift: number): string =>
  `${Prot.toText(prot)} ${SIZES[shift] ?? `2^${shift}`}`;

const runs = (texts: readonly string[]): string[] => {
  const found: [string, number][] = [];
  for (const text of texts) {
    const last = found.at(-1);
    if (last !== undefined && last[0] === text) last[1]++;
    else found.push([text, 1]);
  }
  return found.map(([text, count]) => `${count} × ${text}`);
};
