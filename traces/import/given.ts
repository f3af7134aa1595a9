import type { Arch } from '../../core/arch/arch.js';
import type { Fact } from '../../core/event/event.js';
import { ContentClass } from '../../core/memory/content.js';
import { Address, PAGE_SIZE } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { Word } from '../../core/value/words.js';
import { FLAGS_UNKNOWN, VM_FLUSH_RESET_PERMS } from '../../core/event/areas.js';
import { NO_FRAME } from '../../core/memory/memory.js';
import { UNKNOWN_SHIFT } from '../../core/memory/pageTable.js';
import type { Profile } from '../../core/profile/profile.js';
import type { Dump } from '../capture/dump.js';
import type { DumpedRange } from '../capture/pagetable.js';
import type { DumpedArea } from '../capture/vmallocinfo.js';

const BLOCK = 64;
const NO_PAGE_TABLES = 'the dump at the start has no page tables';
const NO_BYTES = new Uint8Array(0);

const protOf = (range: DumpedRange): number =>
  Prot.unknown(range.unknown ?? 0) |
  (range.present ? Prot.present : 0) |
  (range.writable ? Prot.writable : 0) |
  (range.executable ? Prot.executable : 0) |
  (range.dirty ? Prot.dirty : 0);

const shiftOf = (leaf: number): number => (leaf === 0 ? UNKNOWN_SHIFT : Math.round(Math.log2(leaf)));

const pagesOf = (range: { start: Address; end: Address }): number => range.end.page - range.start.page;

const allOf = (bytes: Uint8Array, from: number, word: number): boolean => {
  for (let i = from; i < from + BLOCK; i++) if (bytes[i] !== ((word >>> (8 * (i & 3))) & 0xff)) return false;
  return true;
};

/** Content of a dumped page as runs of blocks of one class. */
const contentFacts = (frame: number, bytes: Uint8Array, trap: number): Fact[] => {
  const facts: Fact[] = [];
  const classAt = (block: number): number => {
    if (allOf(bytes, block * BLOCK, trap)) return ContentClass.trap;
    return allOf(bytes, block * BLOCK, 0) ? ContentClass.zero : ContentClass.bytes;
  };
  let start = 0;
  let cls = classAt(0);
  for (let block = 1; block <= PAGE_SIZE / BLOCK; block++) {
    const next = block === PAGE_SIZE / BLOCK ? -1 : classAt(block);
    if (next === cls) continue;
    facts.push({
      kind: 'content',
      frame,
      block: start,
      blocks: block - start,
      class: cls,
      ref: cls === ContentClass.trap ? trap : 0,
      bytes: cls === ContentClass.bytes ? bytes.slice(start * BLOCK, block * BLOCK) : NO_BYTES,
    });
    start = block;
    cls = next;
  }
  return facts;
};

/** What lies in pages of which the dump has no bytes. */
const unknownContent = (frame: number, pages: number): Fact[] =>
  Array.from({ length: pages }, (_, i) => ({
    kind: 'content',
    frame: frame < 0 ? frame - i : frame + i,
    block: 0,
    blocks: PAGE_SIZE / BLOCK,
    class: ContentClass.unknown,
    ref: 0,
    bytes: NO_BYTES,
  }));

const wordAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;

interface Walk {
  readonly chunks: readonly { readonly at: Address; readonly bytes: number }[];
  /** Some block is neither free nor behind a header. */
  readonly partial: boolean;
}

/** Chunks of a pack by their headers: a size that is a multiple of 64, the fill behind it; everything else full of traps or zeroes is free. */
const walkPack = (dump: Dump, start: Address, size: number, trap: number, cleanFill: boolean): Walk => {
  const chunks: { at: Address; bytes: number }[] = [];
  let partial = !cleanFill;
  for (let offset = 0; offset < size;) {
    const at = Address.add(start, offset);
    const page = dump.bytes?.page(at.page) ?? null;
    if (page === null) {
      partial = true;
      offset += PAGE_SIZE - at.offset;
      continue;
    }
    if (allOf(page, at.offset, trap) || allOf(page, at.offset, 0)) {
      offset += BLOCK;
      continue;
    }
    const word = wordAt(page, at.offset);
    const behind = [4, 5, 6, 7].every((i) => page[at.offset + i] === ((trap >>> (8 * i)) & 0xff));
    if (word >= BLOCK && word % BLOCK === 0 && offset + word <= size && behind) {
      chunks.push({ at, bytes: word });
      offset += word;
      continue;
    }
    // No header: an object of another kind (the dispatcher). Its blocks are taken, how it is laid out is not known.
    partial = true;
    chunks.push({ at, bytes: BLOCK });
    offset += BLOCK;
  }
  return { chunks, partial };
};

const PACK_CALLERS = /^(?:bpf_prog_pack_alloc|alloc_new_pack)\b/;
const BINARY_CALLERS = /^(?:bpf_jit_binary_alloc|bpf_jit_alloc_exec)\b/;
/** What vmallocinfo names as the caller while return probes are set: it may be anybody. */
const PROBED_CALLERS = /(?:kretprobe|rethook)_trampoline/;
const PMD_SIZE = 0x200000;

const bytesOf = (area: DumpedArea): number => (pagesOf(area) - 1) * PAGE_SIZE;

/**
 * Flags of an area: vmallocinfo does not show them. BPF's own follow from the kernel, and all where the allocator itself sets the reset flag; areas of
 * others, and of the cache of executable memory (6.15+), may have it or not.
 */
const flagsOf = ({ caller }: DumpedArea, profile: Profile): number => {
  const reset = profile.setsResetFlag ? VM_FLUSH_RESET_PERMS : 0;
  if (PACK_CALLERS.test(caller) || BINARY_CALLERS.test(caller)) return reset;
  const always = profile.execAlloc === 'module_alloc' && (profile.areaFlags & VM_FLUSH_RESET_PERMS) !== 0;
  return always ? VM_FLUSH_RESET_PERMS : FLAGS_UNKNOWN;
};

/** Size of a pack, by the areas that the pack allocator asked for: some of them are images larger than a pack. Null: there is no pack. */
const packBytes = (areas: readonly DumpedArea[], profile: Profile): number | null => {
  const huge = profile.pack.size !== 'trial' || profile.hugeVmalloc === 'opt-out' || profile.asksHuge;
  const unit = huge ? PMD_SIZE : PAGE_SIZE;
  const sizes = areas.map(bytesOf).filter((bytes) => (huge ? bytes % unit === 0 : bytes === unit));
  return sizes.length === 0 ? null : Math.min(...sizes);
};

/** Bytes of an image that has an area of its own, as its header says; null where that was not dumped. */
const oversizeBytes = (dump: Dump, area: DumpedArea): number | null => {
  const page = dump.bytes?.page(area.start.page) ?? null;
  const size = page === null ? 0 : wordAt(page, 0);
  return size > 0 && size % BLOCK === 0 && size <= bytesOf(area) ? size : null;
};

/** Adds the packs and their chunks to `facts`. Returns the bytes charged for all that is allocated; null where that does not follow. */
const allocated = (dump: Dump, arch: Arch, profile: Profile, facts: Fact[]): number | null => {
  let charged = 0;
  // Without the list of areas nothing can be added up, nor where the list does not say whose an executable one is.
  let sure = !dump.absent.includes('vmallocinfo.txt');
  const live = dump.areas.filter(({ lazy }) => !lazy);
  for (const area of live)
    if (
      PROBED_CALLERS.test(area.caller) &&
      dump.executableArea.some((range) => range.executable && inside(range, area))
    )
      sure = false;
  if (profile.allocator === 'binary') {
    for (const area of live) if (BINARY_CALLERS.test(area.caller)) charged += bytesOf(area);
    return sure ? charged : null;
  }
  // Where the area is taken through bpf_jit_alloc_exec, data of BPF has the same caller.
  const owned = live.filter(
    (area) =>
      PACK_CALLERS.test(area.caller) ||
      (BINARY_CALLERS.test(area.caller) &&
        dump.executableArea.some((range) => range.executable && inside(range, area))),
  );
  const size = packBytes(owned, profile);
  for (const area of owned) {
    const bytes = bytesOf(area);
    if (bytes !== size) {
      const image = oversizeBytes(dump, area);
      if (image === null) sure = false;
      else charged += image;
      facts.push({ kind: 'chunk-allocated', pack: 0, at: area.start, bytes: image ?? bytes });
      continue;
    }
    const walk = walkPack(
      dump,
      area.start,
      bytes,
      arch.trap,
      profile.pack.fillNew && profile.pack.invalidate,
    );
    facts.push({ kind: 'pack-created', start: area.start.page, bytes, partial: walk.partial ? 1 : 0 });
    for (const chunk of walk.chunks) {
      facts.push({ kind: 'chunk-allocated', pack: area.start.page, at: chunk.at, bytes: chunk.bytes });
      charged += chunk.bytes;
    }
    if (walk.partial) sure = false;
  }
  return sure ? charged : null;
};

const inside = (
  range: { readonly start: Address },
  area: { readonly start: Address; readonly end: Address },
): boolean => range.start.page >= area.start.page && range.start.page < area.end.page;

/** What a dump says about memory, as facts that a log can start from. */
export const givenFacts = (dump: Dump, arch: Arch, profile: Profile): Fact[] => {
  const facts: Fact[] = [];
  const first =
    dump.directMap.find((range) => range.phys !== null) ??
    dump.formerDirectMap.find((range) => range.phys !== null);
  if (first !== undefined && first.phys !== null)
    facts.push({ kind: 'bases-learned', direct: first.start.page - first.phys, vmemmap: Word.zero });
  for (const area of dump.areas) {
    const start = area.start.page;
    facts.push({
      kind: 'area-allocated',
      start,
      pages: pagesOf(area),
      flags: area.lazy ? FLAGS_UNKNOWN : flagsOf(area, profile),
      caller: area.caller,
    });
    if (area.lazy) facts.push({ kind: 'area-freed', start });
  }
  // A dump that a host made of itself may have areas only: how they are mapped is unknown.
  if (dump.absent.includes('pagetable.txt'))
    for (const area of dump.areas)
      if (!area.lazy)
        facts.push({ kind: 'forgotten', page: area.start.page, pages: pagesOf(area), why: NO_PAGE_TABLES });
  // Frames that the dump does not say get names.
  let lowestName: number = NO_FRAME;
  for (const range of dump.executableArea) {
    if (range.phys === null && !range.present) continue;
    const pages = pagesOf(range);
    const frame = range.phys ?? lowestName - 1;
    if (range.phys === null) lowestName -= pages;
    const shift = shiftOf(range.leaf);
    facts.push({ kind: 'mapped', page: range.start.page, pages, shift, prot: protOf(range), frame });
    if (dump.bytes === null) facts.push(...unknownContent(frame, pages));
  }
  for (const range of [...dump.directMap, ...dump.formerDirectMap, ...dump.notPresent])
    if (range.phys !== null)
      facts.push({
        kind: 'direct-mapped',
        page: range.phys,
        pages: pagesOf(range),
        shift: shiftOf(range.leaf),
        prot: protOf(range),
      });
  // What is written as data may change at any time, and no line says so.
  for (const range of dump.executableArea.filter(({ writable, executable }) => !writable || executable))
    for (let i = 0; i < pagesOf(range) && range.phys !== null; i++) {
      const bytes = dump.bytes?.page((range.start.page + i) as never) ?? null;
      if (bytes !== null) facts.push(...contentFacts(range.phys + i, bytes, arch.trap));
    }
  const charge = allocated(dump, arch, profile, facts);
  for (const symbol of dump.symbols)
    facts.push({
      kind: 'published',
      program: 0,
      start: symbol.address,
      end: symbol.address,
      name: symbol.name,
      id: 0,
      ksym: Word.zero,
    });
  if (dump.jitLimit !== null) facts.push({ kind: 'limit-set', bytes: dump.jitLimit, charged: charge ?? -1 });
  else
    facts.push({
      kind: 'state-known',
      lowestName,
      charged: charge ?? 0,
      chargedKnown: charge === null ? 0 : 1,
      limit: -1,
    });
  for (const [name, value] of Object.entries(dump.vmstat)) facts.push({ kind: 'counter', name, value });
  return facts;
};
