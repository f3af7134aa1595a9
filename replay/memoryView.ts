import { Memory, type KernelSymbol } from '../core/memory/memory.js';
import type { PageEntry } from '../core/memory/pageTable.js';
import { Address, pageText } from '../core/value/address.js';
import { Prot } from '../core/value/prot.js';
import { packs, type ShownPack } from './packs.js';
import { programs, type ShownProgram } from './programs.js';
import { directMap, mappings, sizeOf, type AliasRange, type MappedRange } from './ranges.js';
import { areas, shownArea, type ShownArea } from './state.js';
import { unknownRanges, type UnknownRange } from './unknown.js';

/** An address: a bigint (of 64 bits, signed or not), hex text, or core's own form. */
export type AnyAddress = bigint | string | Address;

/** The address meant. Throws RangeError where a text is none. */
export const addressOf = (at: AnyAddress): Address => {
  if (typeof at === 'bigint') return Address.fromBigInt(at);
  if (typeof at !== 'string') return at;
  const address = Address.parse(at);
  if (address === null) throw new RangeError(`${JSON.stringify(at)} is no address: write hex digits`);
  return address;
};

/** What is known of one page. */
export interface PageView {
  /** Address of its first byte. */
  readonly address: string;
  /** `r w x`, `-` for no, `?` for unknown. */
  readonly prot: string;
  /** Size of the leaf in bytes; null where it is not known. */
  readonly pageSize: number | null;
  /** Physical address; null where it is not known. */
  readonly phys: string | null;
  /** Number of the event that last changed permission or leaf; 0: as given before the first event. */
  readonly cause: number;
}

const view = (address: string, entry: PageEntry, phys: string | null): PageView => ({
  address,
  prot: Prot.toText(entry.prot),
  pageSize: sizeOf(entry.shift),
  phys,
  cause: entry.cause,
});

/**
 * Memory with questions to ask. A class, because a stream makes one of them for every event: questions are answered when they are asked.
 */
export class MemoryView {
  /** @param state The value that `evolve` takes and gives. */
  constructor(readonly state: Memory) {}

  /** The event it is after; 0: before the first. */
  get seq(): number {
    return this.state.seq;
  }

  /** Nanoseconds since the first event. */
  get time(): number {
    return this.state.time;
  }

  /** What is known of the page at an address; null: nothing, or it is not mapped. */
  page(at: AnyAddress): PageView | null {
    const { page } = addressOf(at);
    const entry = Memory.page(this.state, page);
    return entry === null
      ? null
      : view(pageText(page), entry, entry.frame < 0 ? null : pageText(entry.frame));
  }

  /** What is known of the direct-map alias of the page at an address; null: nothing. */
  alias(at: AnyAddress): PageView | null {
    const mapped = Memory.page(this.state, addressOf(at).page);
    const entry = mapped === null ? null : Memory.alias(this.state, mapped.frame);
    if (mapped === null || entry === null) return null;
    const { directBase } = this.state;
    return view(directBase === 0 ? '' : pageText(directBase + mapped.frame), entry, pageText(mapped.frame));
  }

  /** The vmalloc area around an address, live or lazily freed. */
  area(at: AnyAddress): ShownArea | null {
    const area = Memory.areaAt(this.state, addressOf(at).page);
    return area === null ? null : shownArea(area);
  }

  /** The pack around an address. */
  pack(at: AnyAddress): ShownPack | null {
    const pack = Memory.packAt(this.state, addressOf(at).page);
    return pack === null ? null : (this.packs().find(({ start }) => start === pageText(pack.start)) ?? null);
  }

  /** The program whose memory is around an address. */
  program(at: AnyAddress): ShownProgram | null {
    const program = Memory.programAt(this.state, addressOf(at));
    const chunk = program === null ? null : Address.toText(program.chunk);
    return chunk === null ? null : (this.programs().find((shown) => shown.chunk === chunk) ?? null);
  }

  mappings(): readonly MappedRange[] {
    return mappings(this.state);
  }

  directMap(): readonly AliasRange[] {
    return directMap(this.state);
  }

  areas(): readonly ShownArea[] {
    return areas(this.state);
  }

  packs(): readonly ShownPack[] {
    return packs(this.state);
  }

  programs(): readonly ShownProgram[] {
    return programs(this.state);
  }

  symbols(): readonly KernelSymbol[] {
    return [...Memory.symbols(this.state)];
  }

  /** Pages of which something that matters is not known, and why. */
  unknown(): readonly UnknownRange[] {
    return unknownRanges(this.state);
  }

  /** bpf_jit_current in bytes; null where it is not known. */
  get jitCharged(): number | null {
    return this.state.charged;
  }
}

export const memoryView = (memory: Memory | MemoryView): MemoryView =>
  memory instanceof MemoryView ? memory : new MemoryView(memory);
