/** Single files of a dump that people have at hand: each is known by its content. */
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Dump } from './dump.js';
import { parseKallsyms } from './kallsyms.js';
import { memRanges } from './memRanges.js';
import { parsePageTable, type PageTableDump } from './pagetable.js';
import { Problems } from './problems.js';
import { parsePtdump, PTDUMP_SIGN } from './ptdump.js';
import { parseInfoMem, parseTlb } from './tlb.js';
import { tlbRanges } from './tlbRanges.js';
import { parseVmallocinfo } from './vmallocinfo.js';

export interface LooseFile {
  readonly path: string;
  readonly text: string;
}

type Kind = 'pagetable.txt' | 'tlb' | 'ptdump' | 'mem' | 'vmallocinfo.txt' | 'kallsyms.txt';

/** Page tables, each in its own way: one of them is enough. */
const TABLES: ReadonlySet<Kind> = new Set(['pagetable.txt', 'tlb', 'ptdump', 'mem']);

const SIGNS: readonly (readonly [Kind, RegExp])[] = [
  ['pagetable.txt', /^# executable area$/m],
  ['tlb', /^[0-9a-f]{16}: [0-9a-f]{16} [X-][G-][P-][D-][A-][C-][T-][U-][W-]\r?$/m],
  ['ptdump', PTDUMP_SIGN],
  ['mem', /^[0-9a-f]{16}-[0-9a-f]{16} [0-9a-f]{16} [u-]r[w-]\r?$/m],
  ['vmallocinfo.txt', /^0x[0-9a-f]{16}-0x[0-9a-f]{16} +\d+/m],
  ['kallsyms.txt', /^[0-9a-f]{16} [A-Za-z] \S/m],
];

/** What it is, where that is known but cannot be a beginning. */
const REFUSED: readonly (readonly [RegExp, string, string])[] = [
  [
    /^---\[ .* \]---$/m,
    'page tables of debugfs of another architecture than x86-64, or without a section that is known',
    'leave this file out',
  ],
];

/** Where code lies on x86-64: the lists of a whole kernel hold much else. */
const isCode = (address: string): boolean => address >= 'ffffffffa0000000' && address < 'ffffffffff000000';

const areasOfCode = (text: string): string =>
  text.replaceAll(/^0x([0-9a-f]{16})-.*\n?/gm, (line, start: string) => (isCode(start) ? line : ''));

const symbolsOfCode = (text: string): string =>
  text.replaceAll(/^([0-9a-f]{16}) .*\n?/gm, (line, at: string) =>
    isCode(at) && line.includes('[bpf]') ? line : '',
  );

/** The page tables of a file of a kind. */
const tablesOf = (kind: Kind | undefined, text: string, path: string, problems: Problems): PageTableDump => {
  if (kind === 'tlb') return tlbRanges(parseTlb(text, path, problems));
  if (kind === 'mem') return memRanges(parseInfoMem(text, path, problems));
  return kind === 'ptdump' ? parsePtdump(text, path, problems) : parsePageTable(text, path, problems);
};

/** The state that a trace without a folder begins with. */
export const looseDump = (files: readonly LooseFile[]): Result<Dump> => {
  const problems = new Problems();
  const found = new Map<Kind, LooseFile>();
  for (const file of files) {
    const kind = SIGNS.find(([, sign]) => sign.test(file.text))?.[0];
    const isTable = kind !== undefined && TABLES.has(kind);
    const refused = REFUSED.find(([sign]) => sign.test(file.text));
    if (kind === undefined)
      return refused === undefined
        ? fail(
            'unknown-dump',
            'this is no dump that is known',
            file.path,
            'give vmallocinfo, kallsyms, page_tables/kernel of debugfs, `info tlb` or `info mem` of QEMU, or pagetable.txt of a capture',
          )
        : fail('unfit-dump', `this is ${refused[1]}`, file.path, refused[2]);
    if (found.has(kind) || (isTable && [...found.keys()].some((other) => TABLES.has(other))))
      return fail(
        'two-dumps',
        `there are two of ${isTable ? 'pagetable.txt' : kind}`,
        file.path,
        'give one of each kind',
      );
    found.set(kind, file);
  }
  const of = (kind: Kind): LooseFile | undefined => found.get(kind);
  const [areas, symbols] = [of('vmallocinfo.txt'), of('kallsyms.txt')];
  const [kind, table] = [...found].find(([one]) => TABLES.has(one)) ?? [];
  const pageTable = tablesOf(kind, table?.text ?? '', table?.path ?? '', problems);
  const dumpedAreas =
    areas === undefined ? [] : parseVmallocinfo(areasOfCode(areas.text), areas.path, problems);
  const dumpedSymbols =
    symbols === undefined ? [] : parseKallsyms(symbolsOfCode(symbols.text), symbols.path, problems);
  return ok({
    name: 'given files',
    index: 0,
    folder: '',
    ...pageTable,
    areas: dumpedAreas,
    symbols: dumpedSymbols,
    bytes: null,
    vmstat: {},
    jitLimit: null,
    backing: [],
    tlb: null,
    infoMem: null,
    absent: [
      ...(table === undefined ? ['pagetable.txt'] : []),
      ...(areas === undefined ? ['vmallocinfo.txt'] : []),
      ...(symbols === undefined ? ['kallsyms.txt'] : []),
      'pack.hex',
      'vmstat.txt',
      'bpf_jit_limit.txt',
    ],
    problems: problems.list(),
  });
};
