/** Executable memory at a moment, in the fixed form of design.md §7: `pagetrail state T@W --json`. */
import { familyOf } from '../core/arch/arches.js';
import { Memory, type Area } from '../core/memory/memory.js';
import { pageText } from '../core/value/address.js';
import { packs, type ShownPack } from './packs.js';
import { isWhole, programs, type WholeProgram } from './programs.js';
import { directMap, hasGuard, isPlaced, mappings, type MappedRange, type PlacedAlias } from './ranges.js';
import { partlyKnown, unknownRanges, type UnknownRange } from './unknown.js';

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
  /** The clock of the recording at the first event, decimal: `time_origin_ns` + `time_ns` is what `T@6.817602s` means. Null where it is not known. */
  readonly time_origin_ns: string | null;
  readonly arch: string | null;
  readonly kernel: string | null;
  readonly mappings: readonly MappedRange[];
  readonly direct_map: readonly PlacedAlias[];
  readonly areas: readonly ShownArea[];
  readonly packs: readonly ShownPack[];
  /** Those whose memory and code are known; of the others `unknown` has what is known. */
  readonly programs: readonly WholeProgram[];
  readonly jit_charged: number | null;
  readonly unknown: readonly UnknownRange[];
}

/** Whose memory it is. */
export interface StateOf {
  readonly name: string;
  readonly arch: string | null;
  readonly kernel: string | null;
  /** Absolute time of the first event in nanoseconds; null where it is not known. */
  readonly origin: bigint | null;
}

const byStart = (a: UnknownRange, b: UnknownRange): number =>
  a.start < b.start ? -1 : a.start > b.start ? 1 : 0;

export const shownArea = ({ start, pages, flags, state, caller }: Area): ShownArea => ({
  start: pageText(start),
  end: pageText(start + pages),
  guard: hasGuard(flags),
  state,
  caller: caller === '' ? null : caller,
});

export const areas = (memory: Memory): readonly ShownArea[] => Array.from(Memory.areas(memory), shownArea);

export const stateOf = ({ name, arch, kernel, origin }: StateOf, memory: Memory): State => ({
  trace: name,
  seq: memory.seq,
  time_ns: String(memory.time),
  time_origin_ns: origin === null ? null : String(origin),
  arch: arch === null ? null : familyOf({ name: arch }),
  kernel,
  mappings: mappings(memory),
  direct_map: directMap(memory).filter(isPlaced),
  areas: areas(memory),
  packs: packs(memory),
  programs: programs(memory).filter(isWhole),
  jit_charged: memory.charged,
  unknown: [...unknownRanges(memory), ...partlyKnown(memory)].toSorted(byStart),
});
