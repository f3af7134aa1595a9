import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { fail, ok, type Result } from '../../core/value/failure.js';
import { parseBacking, type BackingPage } from './backing.js';
import { parseJitLimit, parseVmstat } from './counters.js';
import { parseKallsyms, type DumpedSymbol } from './kallsyms.js';
import { parsePackHex, type MemoryBytes } from './packHex.js';
import { parsePageTable, type PageTableDump } from './pagetable.js';
import { Problems } from './problems.js';
import { parsePtdump } from './ptdump.js';
import { parseInfoMem, parseTlb, type InfoMemRange, type TlbLeaf } from './tlb.js';
import { parseVmallocinfo, type DumpedArea } from './vmallocinfo.js';

/** One folder `phases/NN-NAME`: the kernel's memory, seen from outside while the guest stood still after `phase: NAME`. */
export interface Dump extends PageTableDump {
  /** `loaded8`. */
  readonly name: string;
  readonly index: number;
  readonly folder: string;
  readonly areas: readonly DumpedArea[];
  readonly symbols: readonly DumpedSymbol[];
  /** pack.hex, read and parsed when first asked for; null when the dump has none. */
  readonly bytes: MemoryBytes | null;
  readonly vmstat: Readonly<Record<string, number>>;
  /** Bytes; null when the kernel has no such setting. */
  readonly jitLimit: number | null;
  readonly backing: readonly BackingPage[];
  /** The second witness (x86), parsed when first asked for; null when the dump has none. */
  readonly tlb: readonly TlbLeaf[] | null;
  readonly infoMem: readonly InfoMemRange[] | null;
  /** Files of the usual set that are not there: what they would say is unknown, not empty. */
  readonly absent: readonly string[];
  /** `FILE:LINE: WHAT` for every line not understood so far (bytes and tlb add theirs when they are parsed). */
  readonly problems: readonly string[];
}

/** A dump's folder, by its place in time. */
export interface PhaseRef {
  readonly index: number;
  readonly name: string;
  readonly folder: string;
}

const EXPECTED = [
  'pagetable.txt',
  'vmallocinfo.txt',
  'kallsyms.txt',
  'pack.hex',
  'vmstat.txt',
  'bpf_jit_limit.txt',
];

/** Reads one dump. `label` names the folder in problems (default: its path). */
export const readDump = (phase: PhaseRef, label: string = phase.folder): Result<Dump> => {
  const { folder } = phase;
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    return fail('no-dump', `no dump of phase ${phase.name}`, folder, 'the capture lists the phases it has');
  }
  const problems = new Problems();
  const read = <T>(file: string, parse: (text: string, label: string) => T): T | null => {
    const text = readText(join(folder, file), `${label}/${file}`, problems);
    return text === null ? null : parse(text, `${label}/${file}`);
  };
  const missing = EXPECTED.filter((file) => !existsSync(join(folder, file)));
  const lines =
    <T>(parse: (text: string, file: string, problems: Problems) => T) =>
    (text: string, file: string): T =>
      parse(text, file, problems);

  const pageTable =
    read('pagetable.txt', lines(parsePageTable)) ??
    debugfsTables(read('page_tables.txt', lines(parsePtdump))) ??
    parsePageTable('', '', problems);
  const absent = missing.filter((file) => file !== 'pagetable.txt' || pageTable.executableArea.length === 0);
  const areas = read('vmallocinfo.txt', lines(parseVmallocinfo)) ?? [];
  const symbols = read('kallsyms.txt', lines(parseKallsyms)) ?? [];
  const vmstat = read('vmstat.txt', lines(parseVmstat)) ?? {};
  const jitLimit = read('bpf_jit_limit.txt', lines(parseJitLimit));
  const backing = read('backing.txt', lines(parseBacking)) ?? [];
  const bytes = once(() => read('pack.hex', parsePackHex));
  const tlb = once(() => read('tlb.txt', lines(parseTlb)));
  const infoMem = once(() => read('mem.txt', lines(parseInfoMem)));

  return ok({
    name: phase.name,
    index: phase.index,
    folder,
    ...pageTable,
    areas,
    symbols,
    vmstat,
    jitLimit,
    backing,
    absent,
    get bytes() {
      return bytes();
    },
    get tlb() {
      return tlb();
    },
    get infoMem() {
      return infoMem();
    },
    get problems() {
      return [...problems.list(), ...(bytes.done()?.problems ?? [])];
    },
  });
};

/** Page tables of debugfs, where they have anything of code: other architectures print them otherwise. */
const debugfsTables = (tables: PageTableDump | null): PageTableDump | null =>
  tables === null || tables.executableArea.length === 0 ? null : tables;

/** Computes at the first call; `done` tells the value only if there was one. */
const once = <T>(compute: () => T): (() => T) & { done(): T | null } => {
  let state: { value: T } | null = null;
  const get = (): T => (state ??= { value: compute() }).value;
  return Object.assign(get, { done: () => state?.value ?? null });
};

const readText = (path: string, label: string, problems: Problems): string | null => {
  if (!existsSync(path)) return null;
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    problems.add(label, 0, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
};
