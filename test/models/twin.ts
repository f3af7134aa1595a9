import type { Arch } from '../../core/arch/arch.js';
import { portOf } from '../../core/arch/port.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { profileNamed } from '../../core/profile/profiles.js';
import type { Profile } from '../../core/profile/profile.js';
import type { Fact } from '../../core/event/event.js';
import {
  setMemoryNx,
  setMemoryRo,
  setMemoryRox,
  setMemoryRw,
  setMemoryX,
} from '../../core/kernel/setMemory.js';
import { bpfIntJitCompile, bpfJitFree } from '../../core/kernel/jit.js';
import { moduleAlloc, vfree } from '../../core/kernel/vmalloc.js';
import { Memory as Memories, type Memory } from '../../core/memory/memory.js';
import { Prot } from '../../core/value/prot.js';
import { Address } from '../../core/value/address.js';
import type { Word } from '../../core/value/words.js';
import { difference } from './compare.js';
import { drive, type Driver } from './drive.js';
import { FramePool, framesOf } from './framePool.js';
import { NaiveKernel, type Permission } from './naiveKernel.js';
import type { Placed } from './naivePacks.js';
import { archRulesOf, portedRules } from './archRules.js';
import { rulesOf } from './rules.js';

export interface TwinOptions {
  readonly kernel: string;
  /** Default: x86-64. */
  readonly arch?: Arch;
  readonly seed: number;
  readonly nodes?: number;
  /** Backing pages come in whole 2M blocks. */
  readonly whole?: boolean;
  /** Frames get a name first and are identified when they show. */
  readonly late?: boolean;
  /** log2 of the leaf of an untouched direct-map page. */
  readonly leaf?: (pfn: number) => number;
  /** Which allocations of a page table fail, from 1. */
  readonly failing?: (nth: number) => boolean;
}

/** A program that both sides have loaded. */
export interface Loaded {
  readonly prog: Word;
  readonly start: Address;
  readonly length: number;
  readonly bytes: number;
  readonly placed: Placed;
}

type Made = Extract<Fact, { readonly kind: 'program-allocated' }>;

const PAGE = 4096;
const FUNCTIONS = { ro: setMemoryRo, rw: setMemoryRw, x: setMemoryX, nx: setMemoryNx, rox: setMemoryRox };
const counting = (failing: (nth: number) => boolean): (() => boolean) => {
  let nth = 0;
  return () => !failing(++nth);
};

/** Core's kernel functions and the naive models, given the same operations and the same surroundings; each operation ends in a comparison. */
export class Twin {
  readonly driver: Driver;
  readonly naive: NaiveKernel;
  private before: Memory;
  private programs = 0;
  private trialDone = false;
  private request = { proglen: 0, type: 'program' };
  /** Frames by the first page of their area, and where areas went since the last operation. */
  private readonly backing = new Map<number, readonly number[]>();
  private readonly areas: number[] = [];
  private made: Made | null = null;
  private refused: string | null = null;

  constructor(readonly options: TwinOptions) {
    const { kernel, seed } = options;
    const nodes = options.nodes ?? 1;
    const arch = options.arch ?? x86_64;
    const own = arch === x86_64 ? undefined : (archRulesOf(arch.name) ?? undefined);
    if (arch !== x86_64 && own === undefined) throw new Error(`no rules of ${arch.name}`);
    const profile = portOf(profileNamed(kernel) as Profile, arch);
    const leaf = options.leaf ?? (() => own?.directLeaf ?? 21);
    const failing = options.failing ?? (() => false);
    const pool = (): FramePool => new FramePool(seed, options.whole ?? false, 24, arch.pageSize / PAGE);
    const ours = pool();
    const table = counting(failing);
    let area = 0;
    this.driver = drive({
      kernel,
      arch,
      profile,
      nodes,
      forget: true,
      answers: {
        clone: ({ prog }) => prog,
        image: () => this.request.proglen,
        final: () => true,
        placement: ({ chunk, proglen }) => ({ start: Address.add(chunk, 8), length: proglen }),
        type: () => this.request.type,
        charge: () => 0,
        buffer: () => ({ hi: 0xffff8880, lo: 0x1000 }),
        chunk: ({ predicted }) => predicted,
        predictor: () => false,
        more: () => false,
        patch: () => null,
        trial: () => {
          const first = !this.trialDone;
          this.trialDone = true;
          return first;
        },
        area: ({ predicted }) => {
          if (predicted !== null) this.areas.push((area = predicted.page));
          return predicted;
        },
        frames: ({ pages, huge }) => {
          const runs = ours.take(pages, huge);
          this.backing.set(area, framesOf(runs));
          return options.late === true ? null : runs;
        },
        frame: ({ page }) => this.frameAt(page),
        leaf: ({ pfn }) => leaf(pfn),
        purge: ({ predicted }) => predicted ?? 0,
        pageTable: table,
        result: ({ predicted }) => predicted,
      },
    });
    const apply = (fact: Fact): void => {
      if (fact.kind === 'program-allocated') this.made = fact;
      if ((fact.kind === 'filled' || fact.kind === 'copied') && fact.way === 'store') this.stored(fact.to);
      if (fact.kind !== 'frames-released') return;
      ours.release(this.backing.get(fact.start) ?? []);
      this.backing.delete(fact.start);
    };
    this.driver.onFact(apply);
    this.naive = new NaiveKernel(own === undefined ? rulesOf(kernel) : portedRules(kernel, own), {
      nodes,
      ...(own === undefined ? {} : { arch: own, range: arch.moduleRange(profile) }),
      frames: pool(),
      leaf,
      table: counting(failing),
      placed: () => this.areas.shift() as number,
    });
    this.before = this.driver.share();
  }

  private frameAt(page: number): number {
    for (const [start, frames] of this.backing)
      if (page >= start && page < start + frames.length) return frames[page - start] as number;
    throw new Error(`no frame behind page 0x${page.toString(16)}`);
  }

  /** Null: refused, on both sides. */
  load(proglen: number, classic = false): Loaded | null {
    this.made = null;
    const prog = { hi: 0xffffc900, lo: 0x1000 * ++this.programs };
    this.request = { proglen, type: classic ? 'classic' : 'program' };
    const compiled = this.driver.run(bpfIntJitCompile, { prog });
    const made = this.made as Made | null;
    const none = this.naive.rules.pack === 'none';
    const unit = none ? PAGE * this.naive.unit : 64;
    const bytes = Math.ceil((proglen + 8 + (none ? 128 : 16)) / unit) * unit;
    const placed = this.naive.load(bytes, classic);
    this.check(`load ${proglen}`);
    if (made === null || placed === null || compiled.placement === null) {
      if (made === null && placed === null) return null;
      throw new Error(
        `load ${proglen}: core ${made === null ? 'refuses' : 'loads'}, the naive model does not`,
      );
    }
    const ours = Address.toText(made.chunk);
    const theirs = Address.toText(Address.of(placed.at.page, placed.at.offset));
    if (ours !== theirs || made.bytes !== bytes)
      throw new Error(`load ${proglen}: core ${ours}+${made.bytes}, naive ${theirs}+${bytes}`);
    return { prog, ...compiled.placement, bytes, placed };
  }

  unload(loaded: Loaded): void {
    this.driver.run(bpfJitFree, { prog: loaded.prog, jited_len: loaded.length, bpf_func: loaded.start });
    this.naive.unload(loaded.placed, loaded.bytes);
    this.check(`unload ${Address.toText(loaded.start)}`);
  }

  moduleAlloc(pages: number): number {
    const at = this.driver.run(moduleAlloc, { size: pages * PAGE });
    const start = this.naive.moduleAlloc(pages);
    if (at?.page !== start)
      throw new Error(`module_alloc: core 0x${at?.page.toString(16)}, naive 0x${start.toString(16)}`);
    this.check(`module_alloc ${pages}`);
    return start;
  }

  vfree(start: number): void {
    this.driver.run(vfree, { addr: Address.of(start) });
    this.naive.vfree(start);
    this.check(`vfree 0x${start.toString(16)}`);
  }

  setMemory(what: Permission, page: number, pages: number): number {
    const result = this.driver.run(FUNCTIONS[what], {
      addr: Address.of(page),
      numpages: pages / this.naive.unit,
    });
    const expected = this.naive.setMemory(what, page, pages);
    const name = `set_memory_${what} 0x${page.toString(16)} ${pages}`;
    if (result !== expected) throw new Error(`${name}: core ${result}, naive ${expected}`);
    this.check(name);
    return result;
  }

  /** A plain store goes to a page that may be written: what is filled late, or copied without a mapping of its own, shows here. */
  private stored(to: Address): void {
    const prot = Memories.page(this.driver.memory(), to.page)?.prot ?? 0;
    if (!Prot.has(prot, Prot.present) || !Prot.has(prot, Prot.writable))
      this.refused ??= `a store to ${Address.toText(to)}, mapped ${Prot.toText(prot)}`;
  }

  /** At the end: also what no operation should have touched. */
  finish(): void {
    const lies = this.naive.content.difference(this.before, true);
    if (lies !== null) throw new Error(`${this.options.kernel}: at the end: ${lies}`);
  }

  private check(operation: string): void {
    const after = this.driver.share();
    const found = difference(this.before, after, this.naive);
    // A frame that has only a name so far has no content that could be compared.
    const lies = this.options.late === true ? null : this.naive.content.difference(after, false);
    if (this.refused !== null) throw new Error(`${this.options.kernel}: ${operation}: ${this.refused}`);
    if (found !== null || lies !== null)
      throw new Error(`${this.options.kernel}: ${operation}: ${found ?? lies ?? ''}`);
    this.before = after;
    this.areas.length = 0;
  }
}
