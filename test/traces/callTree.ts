/** Call trees of two logs of the same workload, made comparable: what is a choice of the surroundings is left out or renamed. */
import { LINES, type Column } from '../../core/driver/lines.js';
import type { Event, EventOf } from '../../core/event/event.js';
import type { Arch } from '../../core/arch/arch.js';
import type { Profile } from '../../core/profile/profile.js';
import { Address } from '../../core/value/address.js';

type Line = EventOf<'entered'> | EventOf<'returned'>;

export interface Call {
  readonly entered: EventOf<'entered'>;
  returned: EventOf<'returned'> | null;
  readonly calls: Call[];
}

/** Root calls of a log, in order. */
export const callTrees = (events: readonly Event[]): Call[] => {
  const roots: Call[] = [];
  const bySeq = new Map<number, Call>();
  for (const event of events) {
    if (event.kind === 'returned') {
      const call = bySeq.get(event.call);
      if (call !== undefined) call.returned = event;
    }
    if (event.kind !== 'entered') continue;
    const call: Call = { entered: event, returned: null, calls: [] };
    bySeq.set(event.seq, call);
    (bySeq.get(event.call)?.calls ?? roots).push(call);
  }
  return roots;
};

/** Which callee is seen under which caller: what a recording shows. */
export const visiblePairs = (roots: readonly Call[]): Set<string> => {
  const pairs = new Set<string>();
  const walk = (call: Call): void => {
    for (const inner of call.calls) {
      pairs.add(`${call.entered.fn} > ${inner.entered.fn}`);
      walk(inner);
    }
  };
  for (const root of roots) walk(root);
  return pairs;
};

/** The tree as a recording of these pairs shows it: a call that is not seen leaves its own calls to its nearest caller that is. */
export const project = (root: Call, pairs: ReadonlySet<string>): Call => {
  const shownBelow = (call: Call, caller: string): Call[] =>
    call.calls.flatMap((inner) =>
      pairs.has(`${caller} > ${inner.entered.fn}`)
        ? [{ ...inner, calls: shownBelow(inner, inner.entered.fn) }]
        : shownBelow(inner, caller),
    );
  return { ...root, calls: shownBelow(root, root.entered.fn) };
};

const FIRST = 0xffffffffa0000;
const END = 0xffffffffff000;

export const inModules = (page: number): boolean => page >= FIRST && page < END;

/** Range in which code lies on an architecture. */
export const codeRange = (arch: Arch, profile: Profile): ((page: number) => boolean) => {
  if (arch.name === 'x86_64') return inModules;
  const [first, end] = arch.moduleRange(profile);
  return (page) => page >= first && page < end;
};

/** Name of an address of the module area at a moment of a log. */
export type Naming = (seq: number, address: Address) => string;

/** As it is. */
export const plainNaming: Naming = (_, address) => Address.toText(address);

/** By the area that holds it, the n-th that was allocated: for kernels whose choice of addresses is not modelled. `isOurs`: areas that count. */
export const namingByArea = (
  events: readonly Event[],
  isOurs: (area: EventOf<'area-allocated'>) => boolean = (area) => inModules(area.start),
): Naming => {
  const areas = events.filter(
    (event): event is EventOf<'area-allocated'> => event.kind === 'area-allocated' && isOurs(event),
  );
  return (seq, address) => {
    const { page } = address;
    const n = areas.findLastIndex((a) => a.seq <= seq && page >= a.start && page < a.start + a.pages);
    const area = areas[n];
    return area === undefined
      ? Address.toText(address)
      : `area ${n} (${area.pages} pages) + ${Address.minus(address, Address.of(area.start))}`;
  };
};

/** Names for what is equal up to renaming, in the order in which it appears. */
const renamer = (): ((text: string) => string) => {
  const names = new Map<string, string>();
  return (text) => {
    let name = names.get(text);
    if (name === undefined) names.set(text, (name = `#${names.size}`));
    return name;
  };
};

/** What a purge reports and how far it reaches depends on memory that nobody recorded; aliases lie where the frames do. */
const CHOSEN = new Set([
  '__purge_vmap_area_lazy =ret',
  '__purge_vmap_area_lazy start',
  '_vm_unmap_aliases start',
]);
/** Not predicted when a root call begins, but the same whoever runs the workload. */
const OF_ROOTS = new Set(['jited_len', 'bpf_func']);

interface Words {
  readonly line: Line;
  readonly naming: Naming;
  readonly rename: (text: string) => string;
  readonly isCode: (page: number) => boolean;
}

const valueText = ({ line, naming, rename, isCode }: Words, index: number, column: Column): string => {
  if (column.form === 't') return String(line.values.texts?.[index]);
  const hi = line.values.hi[index] ?? 0;
  const lo = line.values.lo[index] ?? 0;
  if (column.form === 'i') return String(lo | 0);
  const address = Address.fromWords(hi, lo);
  // Where in user space the alias of a copy lies is drawn at boot.
  if (column.form === 'u' && hi < 0x80000000) return `offset ${address.offset}`;
  const text = Address.toText(address);
  if (column.as === 'pfn') return hi === 0 && lo === 0 ? text : rename(`pfn ${text}`);
  if (isCode(address.page)) {
    const name = naming(line.seq, address);
    // Among other areas: one that is not code is a pointer like any other.
    return isCode === inModules || name !== text ? name : rename(text);
  }
  const isPointer = hi >= 0xc0000000 && address.page < FIRST;
  return isPointer && !column.as.startsWith('mask') ? rename(text) : text;
};

/** Where the values of a line stand that must agree, by the names of the model; `=` before those of a return. */
const valuesOf = (line: Line, isRoot: boolean): Map<string, readonly [index: number, column: Column]> => {
  const isReturn = line.kind === 'returned';
  const table = (isReturn ? LINES[line.fn]?.result : LINES[line.fn]?.entry) ?? {};
  const values = new Map<string, readonly [number, Column]>();
  for (const [i, name] of (line.names === '' ? [] : line.names.split(',')).entries()) {
    const column = table[name];
    if (column === undefined) continue;
    const as = `${isReturn ? '=' : ''}${column.as}`;
    if (column.class !== 'compared' && !(isRoot && OF_ROOTS.has(column.as))) continue;
    if (!CHOSEN.has(`${line.fn} ${as}`)) values.set(as, [i, column]);
  }
  return values;
};

/** Calls that follow from what is a choice: a purge's flush from what others freed, splits from the frames. */
const CONSEQUENCES = new Set(['flush_tlb_kernel_range', '__should_split_large_page', '__split_large_page']);

export interface Agreement {
  readonly calls: number;
  readonly values: number;
  /** Values of the recording that the emulation leaves open: `FUNCTION VALUE`. */
  readonly open: ReadonlySet<string>;
  readonly differences: readonly string[];
}

/** One log as it is compared: its trees (projected) and how it names addresses of the module area. */
export interface Side {
  readonly trees: readonly Call[];
  readonly naming: Naming;
}

/** Trees of each root function, in order. */
const byFunction = (trees: readonly Call[]): Map<string, Call[]> => {
  const groups = new Map<string, Call[]>();
  for (const tree of trees) groups.set(tree.entered.fn, [...(groups.get(tree.entered.fn) ?? []), tree]);
  return groups;
};

/** Compares trees one by one: the same calls in the same order, the same values. */
export const agreement = (recorded: Side, emulated: Side, isCode = inModules): Agreement => {
  const differences: string[] = [];
  const open = new Set<string>();
  let calls = 0;
  let values = 0;
  const compareLines = (a: Words, b: Words, path: string): void => {
    const isRoot = !path.includes('/');
    const ours = valuesOf(b.line, isRoot);
    for (const [name, there] of valuesOf(a.line, isRoot)) {
      const here = ours.get(name);
      if (here === undefined) {
        if (there[1].class === 'compared') open.add(`${a.line.fn} ${name}`);
        continue;
      }
      values++;
      const [value, own] = [valueText(a, ...there), valueText(b, ...here)];
      if (own !== value) differences.push(`${path} ${name}: recorded ${value}, emulated ${own}`);
    }
  };
  const compare = (
    a: Call,
    b: Call,
    path: string,
    names: readonly [Words['rename'], Words['rename']],
  ): void => {
    calls++;
    const words = (side: Side, line: Line, which: 0 | 1): Words => ({
      line,
      naming: side.naming,
      rename: names[which],
      isCode,
    });
    compareLines(words(recorded, a.entered, 0), words(emulated, b.entered, 1), path);
    const [inA, inB] = [a, b].map((call) => call.calls.filter((c) => !CONSEQUENCES.has(c.entered.fn))) as [
      Call[],
      Call[],
    ];
    const [fnsA, fnsB] = [inA, inB].map((list) => list.map((c) => c.entered.fn).join(' '));
    if (fnsA !== fnsB) differences.push(`${path} calls: recorded ${fnsA}, emulated ${fnsB}`);
    else
      for (const [i, inner] of inA.entries())
        compare(inner, inB[i] as Call, `${path}/${inner.entered.fn}`, names);
    if (a.returned !== null && b.returned !== null)
      compareLines(words(recorded, a.returned, 0), words(emulated, b.returned, 1), path);
  };
  const [rec, emu] = [byFunction(recorded.trees), byFunction(emulated.trees)];
  for (const fn of new Set([...rec.keys(), ...emu.keys()])) {
    const [a, b] = [rec.get(fn) ?? [], emu.get(fn) ?? []];
    if (a.length !== b.length)
      differences.push(`${fn}: recorded ${a.length} root calls, emulated ${b.length}`);
    else for (const [i, tree] of a.entries()) compare(tree, b[i] as Call, fn, [renamer(), renamer()]);
  }
  return { calls, values, open, differences };
};
