/**
 * What a run of a workload cost and left behind, measured while it runs: memory, areas, page sizes, permission calls, splits, flushes, translations
 * that live code needs, executable bytes that nobody wrote for it, results that nobody looked at.
 */
import type { Event } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { isPermissionCall, lookedAt, type Looked } from '../../core/kernel/looked.js';
import { Memory } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import type { Profile } from '../../core/profile/profile.js';
import { PAGE_SIZE } from '../../core/value/address.js';
import { Prot } from '../../core/value/prot.js';
import { leftovers } from '../leftovers.js';
import { mirrors, type Mirrors } from './mirrors.js';

/** Figures of one run. Bytes and counts; `steps` are events. */
export interface Figures {
  readonly events: number;
  /** Where the memory of live images was at its most: bytes that the JIT asked for, bytes of areas that hold them, and the difference. */
  readonly memory: { readonly used: number; readonly held: number; readonly wasted: number };
  readonly areas: { readonly allocated: number; readonly most: number };
  /** Executable leaves by size in bytes, where there were most images. */
  readonly pages: Readonly<Record<string, number>>;
  readonly permission_calls: number;
  readonly splits: { readonly primary: number; readonly direct_map: number };
  readonly collapses: number;
  readonly tlb_flushes: { readonly global: number; readonly ranged: number };
  /** Executable leaves that the code of live programs lies in, where there were most images. */
  readonly itlb_entries: number;
  /** Executable bytes that hold what lay in the memory before: the most at the end of any operation. */
  readonly never_written: number;
  /** Executable bytes of programs that are gone: the most at the end of any operation. */
  readonly of_freed: number;
  /** Pages that were writable and executable at once, and for how many events at least one was. */
  readonly writable_executable: { readonly pages: number; readonly steps: number };
  /** Pages of code and their other mapping, the direct map: the most at the end of any permission call or operation. */
  readonly direct_map: Mirrors;
  /** Calls that can fail, by what this kernel does with their results, and how many failed. */
  readonly results: Readonly<Record<Looked, number>> & { readonly failed: number };
}

export interface Measure {
  /** Each event, after it changed memory. */
  readonly take: (event: Event) => void;
  /** Also at the end. */
  readonly finish: () => Figures;
}

const isWx = (prot: number): boolean =>
  Prot.has(prot, Prot.present) && Prot.has(prot, Prot.writable) && Prot.has(prot, Prot.executable);

const executableLeaves = (memory: Memory): Map<number, number> => {
  const sizes = new Map<number, number>();
  for (const [, node, slot] of PageTable.pages(memory.virtual)) {
    const prot = node.prot[slot] as number;
    if (!Prot.has(prot, Prot.present) || !Prot.has(prot, Prot.executable)) continue;
    const shift = node.shift[slot] as number;
    sizes.set(shift, (sizes.get(shift) ?? 0) + 1);
  }
  return sizes;
};

/** Leaves that the code of live programs lies in. */
const leavesOfCode = (memory: Memory): number => {
  const leaves = new Set<number>();
  for (const program of Memory.programs(memory)) {
    const from = program.start ?? program.chunk;
    const length = Math.max(1, program.length ?? program.bytes);
    const last = from.page + Math.floor((from.offset + length - 1) / PAGE_SIZE);
    for (let page: number = from.page; page <= last; page++) {
      const entry = Memory.page(memory, page);
      if (entry === null || !Prot.has(entry.prot, Prot.executable)) continue;
      leaves.add(page - (page % 2 ** Math.max(0, entry.shift - 12)));
    }
  }
  return leaves.size;
};

const bytesOfImages = (memory: Memory): number => {
  let bytes = 0;
  for (const program of Memory.programs(memory)) bytes += program.proglen;
  return bytes;
};

/** `memory`: of the machine that runs; `page` of the architecture in bytes. */
export const measure = (
  profile: Profile,
  memory: () => Memory,
  { pageSize }: { readonly pageSize: number },
): Measure => {
  let events = 0;
  let used = -1;
  let held = 0;
  let pages: Record<string, number> = {};
  let itlb = 0;
  let allocated = 0;
  let mostAreas = 0;
  let areas = 0;
  let neverWritten = 0;
  let ofFreed = 0;
  let permissionCalls = 0;
  const splits = { primary: 0, direct_map: 0 };
  let collapses = 0;
  const flushes = { global: 0, ranged: 0 };
  const results: Record<Looked, number> & { failed: number } = {
    checked: 0,
    warned: 0,
    ignored: 0,
    failed: 0,
  };
  const open = new Map<number, string>();
  const both = new Set<number>();
  let mostBoth = 0;
  let steps = 0;
  let most: Mirrors = { writable: 0, executable: 0, read_only: 0 };
  let changed = false;
  const guard = pageSize / PAGE_SIZE;

  const looked = (fn: string, call: number): void => {
    const how = lookedAt(profile, fn, open.get(call) ?? '');
    if (how !== null) results[how]++;
  };

  /** A call that changes both mappings is looked at when it is done. */
  const lookAtMirrors = (): void => {
    if (!changed) return;
    changed = false;
    const now = mirrors(memory());
    most = {
      writable: Math.max(most.writable, now.writable),
      executable: Math.max(most.executable, now.executable),
      read_only: Math.max(most.read_only, now.read_only),
    };
  };

  /** Whole-memory figures: at the end of each operation. */
  const look = (): void => {
    lookAtMirrors();
    const now = memory();
    const bytes = bytesOfImages(now);
    if (bytes > used) {
      used = bytes;
      held = 0;
      for (const area of Memory.areas(now))
        if (area.state === 'live') held += (area.pages - guard) * PAGE_SIZE;
      pages = {};
      for (const [shift, count] of [...executableLeaves(now)].toSorted(([a], [b]) => a - b))
        pages[String(2 ** shift)] = count / 2 ** (shift - 12);
      itlb = leavesOfCode(now);
    }
    let inherited = 0;
    let dead = 0;
    for (const range of leftovers(now)) {
      inherited += range.inherited - range.inherited_code;
      dead += range.dead + range.inherited_code;
    }
    neverWritten = Math.max(neverWritten, inherited);
    ofFreed = Math.max(ofFreed, dead);
  };

  const watchPages = (first: number, count: number): void => {
    for (let page = first; page < first + count; page++) {
      const entry = Memory.page(memory(), page);
      if (entry !== null && isWx(entry.prot)) both.add(page);
      else both.delete(page);
    }
    mostBoth = Math.max(mostBoth, both.size);
  };

  return {
    take: (event) => {
      events++;
      if (both.size > 0) steps++;
      switch (event.kind) {
        case 'operation':
          look();
          return;
        case 'entered':
          open.set(event.seq, event.fn);
          if (isPermissionCall(event.fn) && !isPermissionCall(open.get(event.call) ?? '')) permissionCalls++;
          looked(event.fn, event.call);
          return;
        case 'returned':
          if (isPermissionCall(event.fn)) lookAtMirrors();
          open.delete(event.call);
          return;
        case 'chosen':
          if (event.what === 'failure') results.failed++;
          return;
        case 'area-allocated':
          allocated++;
          mostAreas = Math.max(mostAreas, ++areas);
          return;
        case 'area-freed':
          areas--;
          return;
        case 'split':
          splits[event.space === Space.direct ? 'direct_map' : 'primary']++;
          return;
        case 'collapsed':
          collapses++;
          return;
        case 'tlb-flushed':
          flushes[event.pages === 0 ? 'global' : 'ranged']++;
          return;
        case 'mapped':
        case 'unmapped':
          changed = true;
          watchPages(event.page, event.pages);
          return;
        case 'permission':
          changed = true;
          if (event.space === Space.virtual) watchPages(event.page, event.pages);
          return;
        default:
          return;
      }
    },
    finish: () => {
      look();
      return {
        events,
        memory: { used: Math.max(0, used), held, wasted: held - Math.max(0, used) },
        areas: { allocated, most: mostAreas },
        pages,
        permission_calls: permissionCalls,
        splits,
        collapses,
        tlb_flushes: flushes,
        itlb_entries: itlb,
        never_written: neverWritten,
        of_freed: ofFreed,
        writable_executable: { pages: mostBoth, steps },
        direct_map: most,
        results,
      };
    },
  };
};
