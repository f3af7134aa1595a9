/**
 * The differential test: random workloads on every profile and architecture, run by core and by the naive models side by side, with a comparison of all
 * of memory after each operation. A seed names a run: its kernel, its architecture, its operations.
 */
import type { Arch } from '../../core/arch/arch.js';
import { ARCHES } from '../../core/arch/arches.js';
import { x86_64 } from '../../core/arch/x86_64.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { archRulesOf, releaseOf } from '../models/archRules.js';
import { randomOf, type Random } from '../models/random.js';
import type { Permission } from '../models/naiveKernel.js';
import { Twin, type Loaded } from '../models/twin.js';

export interface Cell {
  readonly kernel: string;
  readonly arch: Arch;
}

/** Every profile on every architecture of which there are rules, but for those that never existed. */
export const CELLS: readonly Cell[] = ARCHES.filter(
  (arch) => arch === x86_64 || archRulesOf(arch.name) !== null,
).flatMap((arch) =>
  PROFILES.filter((profile) => arch.missing(profile) === null).map(({ name }) => ({ kernel: name, arch })),
);

export interface Disagreement {
  readonly seed: number;
  readonly cell: string;
  readonly what: string;
}

export interface Differential {
  readonly runs: number;
  readonly operations: number;
  readonly differences: readonly Disagreement[];
  /** Runs by architecture. */
  readonly by: Readonly<Record<string, number>>;
}

const PERMISSIONS: readonly Permission[] = ['ro', 'rw', 'x', 'nx', 'rox'];
const ROX_SINCE = 602;
const CHUNK = 64;
/** Header and room for a random start, in an image of a pack. */
const OVERHEAD = 24;

/** Bytes of code: most programs are small, some fill pages. */
const lengthOf = (random: Random, { naive }: Twin): number => {
  const draw = random(8);
  if (draw === 0) return 2000 + random(20_000);
  // What is free at the end of a pack, to the last chunk or one more.
  const pack = naive.packs.packs[draw === 1 ? random(naive.packs.packs.length + 1) : -1];
  const free = pack === undefined ? 0 : pack.taken.length - 1 - pack.taken.lastIndexOf(true);
  return free === 0 ? 20 + random(1500) : (free + (random(3) === 0 ? 1 : 0)) * CHUNK - OVERHEAD;
};

const setMemory = (twin: Twin, random: Random, release: number): void => {
  const areas = twin.naive.vmalloc.areas.filter(({ lazy }) => !lazy);
  const area = areas[random(Math.max(1, areas.length))];
  const what = PERMISSIONS[random(PERMISSIONS.length)] as Permission;
  if (area === undefined || (what === 'rox' && release < ROX_SINCE)) return;
  const { unit } = twin.naive;
  const pages = area.pages / unit - 1;
  const from = random(pages);
  const count = 1 + random(Math.min(8, pages - from));
  twin.setMemory(what, area.start + from * unit, count * unit);
};

/** One run. Returns the number of operations; throws where the sides differ. */
export const runSeed = (seed: number): number => {
  const { kernel, arch } = CELLS[seed % CELLS.length] as Cell;
  const random = randomOf(seed);
  const twin = new Twin({ kernel, arch, seed, whole: random(3) === 0 });
  const release = releaseOf(kernel);
  const live: Loaded[] = [];
  const operations = 3 + random(6);
  for (let i = 0; i < operations; i++) {
    const draw = random(10);
    if (draw < 3 && live.length > 0) twin.unload(live.splice(random(live.length), 1)[0] as Loaded);
    else if (draw === 9) setMemory(twin, random, release);
    else {
      const loaded = twin.load(lengthOf(random, twin), random(4) === 0);
      if (loaded !== null) live.push(loaded);
    }
  }
  // Half of the runs end with everything given back.
  if (random(2) === 0) for (const loaded of live) twin.unload(loaded);
  twin.finish();
  return operations;
};

export const cellText = (seed: number): string => {
  const { kernel, arch } = CELLS[seed % CELLS.length] as Cell;
  return `${kernel} on ${arch.name}`;
};

/** Runs `count` seeds from `first` on. */
export const differential = (
  first: number,
  count: number,
  progress: (done: number) => void = () => {},
): Differential => {
  const differences: Disagreement[] = [];
  const by: Record<string, number> = {};
  let operations = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { arch } = CELLS[seed % CELLS.length] as Cell;
    by[arch.name] = (by[arch.name] ?? 0) + 1;
    try {
      operations += runSeed(seed);
    } catch (error) {
      differences.push({
        seed,
        cell: cellText(seed),
        what: error instanceof Error ? error.message : String(error),
      });
    }
    progress(seed - first + 1);
  }
  return { runs: count, operations, differences, by };
};
