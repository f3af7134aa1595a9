/** Single files of a dump that people have at hand: each is known by its content. */
import { fail, ok, type Result } from '../../core/value/failure.js';
import type { Dump } from './dump.js';
import { parseKallsyms } from './kallsyms.js';
import { parsePageTable } from './pagetable.js';
import { Problems } from './problems.js';
import { parseTlb } from './tlb.js';
import { tlbRanges } from './tlbRanges.js';
import { parseVmallocinfo } from './vmallocinfo.js';

export interface LooseFile {
  readonly path: string;
  readonly text: string;
}

type Kind = 'pagetable.txt' | 'tlb' | 'vmallocinfo.txt' | 'kallsyms.txt';

const SIGNS: readonly (readonly [Kind, RegExp])[] = [
  ['pagetable.txt', /^# executable area$/m],
  ['tlb', /^[0-9a-f]{16}: [0-9a-f]{16} [X-][G-][P-][D-][A-][C-][T-][U-][W-]\r?$/m],
  ['vmallocinfo.txt', /^0x[0-9a-f]{16}-0x[0-9a-f]{16} +\d+/m],
  ['kallsyms.txt', /^[0-9a-f]{16} [A-Za-z] \S/m],
];

/** What it is, where that is known but cannot be a beginning. */
const REFUSED: readonly (readonly [RegExp, string, string])[] = [
  [
    /^---\[ .* \]---$/m,
    'page tables of debugfs, which do not say which frames they map',
    'take `info tlb` of QEMU instead, or leave this file out',
  ],
  [
    /^[0-9a-f]{16}-[0-9a-f]{16} [0-9a-f]{16} [u-]r[w-]$/m,
    '`info mem` of QEMU, which does not say what may be executed',
    'take `info tlb` instead',
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

/** The state that a trace without a folder begins with. */
export const looseDump = (files: readonly LooseFile[]): Result<Dump> => {
  const problems = new Problems();
  const found = new Map<Kind, LooseFile>();
  for (const file of files) {
    const kind = SIGNS.find(([, sign]) => sign.test(file.text))?.[0];
    const table = kind === 'tlb' ? 'pagetable.txt' : kind;
    const refused = REFUSED.find(([sign]) => sign.test(file.text));
    if (kind === undefined || table === undefined)
      return refused === undefined
        ? fail(
            'unknown-dump',
            'this is no dump that is known',
            file.path,
            'give vmallocinfo, kallsyms, `info tlb` of QEMU, or pagetable.txt of a capture',
          )
        : fail('unfit-dump', `this is ${refused[1]}`, file.path, refused[2]);
    if (
      found.has(kind) ||
      (kind === 'tlb' && found.has('pagetable.txt')) ||
      (kind === 'pagetable.txt' && found.has('tlb'))
    )
      return fail('two-dumps', `there are two of ${table}`, file.path, 'give one of each kind');
    found.set(kind, file);
  }
  const of = (kind: Kind): LooseFile | undefined => found.get(kind);
  const [table, tlb, areas, symbols] = [
    of('pagetable.txt'),
    of('tlb'),
    of('vmallocinfo.txt'),
    of('kallsyms.txt'),
  ];
  const pageTable =
    tlb === undefined
      ? parsePageTable(table?.text ?? '', table?.path ?? '', problems)
      : tlbRanges(parseTlb(tlb.text, tlb.path, problems));
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
      ...(table === undefined && tlb === undefined ? ['pagetable.txt'] : []),
      ...(areas === undefined ? ['vmallocinfo.txt'] : []),
      ...(symbols === undefined ? ['kallsyms.txt'] : []),
      'pack.hex',
      'vmstat.txt',
      'bpf_jit_limit.txt',
    ],
    problems: problems.list(),
  });
};
