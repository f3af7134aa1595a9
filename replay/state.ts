/** Executable memory at a moment, in the fixed form of design.md §7: `pagetrail state T@W --json`. */
import { Memory, type Area } from '../core/memory/memory.js';
import { pageText } from '../core/value/address.js';
import { packs, type ShownPack } from './packs.js';
import { programs, type ShownProgram } from './programs.js';
import { directMap, hasGuard, mappings, type AliasRange, type MappedRange } from './ranges.js';
import { unknownRanges, type UnknownRange } from './unknown.js';

export interface ShownArea {
  readonly start: string;
  /** Exclusive, guard page included. */
  readonly end: string;
  readonly guard: boolean;
  readonly state: Area['state'];
  readonly caller: string | null;
}

export interface State {
  readonly trace: string;
  readonly seq: number;
  /** Nanoseconds since the first event, decimal. */
  readonly time_ns: string;
  readonly arch: string | null;
  readonly kernel: string | null;
  readonly mappings: readonly MappedRange[];
  readonly direct_map: readonly AliasRange[];
  readonly areas: readonly ShownArea[];
  readonly packs: readonly ShownPack[];
  readonly programs: readonly ShownProgram[];
  readonly jit_charged: number | null;
  readonly unknown: readonly UnknownRange[];
}

/** Whose memory it is. */
export interface StateOf {
  readonly name: string;
  readonly arch: string | null;
  readonly kernel: string | null;
}

export const shownArea = ({ start, pages, flags, state, caller }: Area): ShownArea => ({
  start: pageText(start),
  end: pageText(start + pages),
  guard: hasGuard(flags),
  state,
  caller: caller === '' ? null : caller,
});

export const areas = (memory: Memory): readonly ShownArea[] => Array.from(Memory.areas(memory), shownArea);

export const stateOf = ({ name, arch, kernel }: StateOf, memory: Memory): State => ({
  trace: name,
  seq: memory.seq,
  time_ns: String(memory.time),
  arch,
  kernel,
  mappings: mappings(memory),
  direct_map: directMap(memory),
  areas: areas(memory),
  packs: packs(memory),
  programs: programs(memory),
  jit_charged: memory.charged,
  unknown: unknownRanges(memory),
});
